import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    // Native modules want processes: ending a thread while onnxruntime computes aborts them all.
    pool: "forks",
    projects: [
      {
        extends: true,
        // Svelte's client half, for the tests of components in jsdom.
        resolve: { conditions: ["browser"] },
        test: { name: "unit", include: ["tests/unit/**/*.test.ts"], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        // Only by name: `npm run test:webgpu`.
        test: { name: "webgpu", include: ["tests/webgpu/**/*.test.ts"], testTimeout: 600_000 },
      },
    ],
  },
});

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type MainViteConfig, type UserConfig } from "electron-vite";

/** Each is started as a file of its own: by Electron, by the command line, or as a process. */
const mainEntries: Record<string, string> = {
  index: "src/main/index.ts",
  core: "src/main/core/process.ts",
  cli: "src/main/cli/main.ts",
  trainer: "src/main/training/trainer-process.ts",
  scorer: "src/main/training/scorer-process.ts",
  "noise-worker": "src/main/training/noise-worker.ts",
  "image-worker": "src/main/training/image-worker.ts",
  "checkpoint-worker": "src/main/training/checkpoint-worker.ts",
  "decode-worker": "src/main/dicom/decode-worker.ts",
  "phantom-worker": "src/main/phantoms/worker.ts",
  "account-worker": "src/main/training/account-worker.ts",
  "engine-probe": "src/main/engine/probe-process.ts",
};

const main: MainViteConfig = {
  build: {
    outDir: "out/main",
    target: "node22",
    sourcemap: true,
    minify: false,
    externalizeDeps: true,
    rolldownOptions: {
      input: mainEntries,
      output: {
        format: "es",
        entryFileNames: "[name].js",
        // Beside the entries: code in a shared chunk finds a worker's file relative to itself.
        chunkFileNames: "chunk-[name]-[hash].js",
      },
    },
  },
};

const preload: NonNullable<UserConfig["preload"]> = {
  build: {
    outDir: "out/preload",
    sourcemap: true,
    minify: false,
    // A sandboxed preload can require nothing but electron, and only as CommonJS.
    rolldownOptions: {
      input: { index: "src/preload/index.ts" },
      output: { format: "cjs", entryFileNames: "[name].cjs" },
    },
  },
};

const renderer: NonNullable<UserConfig["renderer"]> = {
  root: "src/renderer",
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: "out/renderer",
    target: "chrome130",
    sourcemap: true,
    // The security policy allows neither inline scripts nor data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "src/renderer/index.html" },
  },
};

/** The set-up builds what a command needs: the command line has no use for the interface. */
const parts: Record<string, UserConfig> = {
  main: { main },
  interface: { preload, renderer },
};

export default defineConfig(
  parts[process.env["SILHOUETTE_BUILD"] ?? ""] ?? { main, preload, renderer },
);

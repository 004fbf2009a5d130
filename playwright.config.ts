import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests/e2e",
  outputDir: "test-results/e2e",
  // Each test starts an application with processes of its own, and two cores are the least we ask.
  workers: 1,
  timeout: 120_000,
  forbidOnly: true,
  retries: 0,
});

import { FuseV1Options, FuseVersion, flipFuses } from "@electron/fuses";

/**
 * Sets the fallback runtime's fuses to those of an ordinary Electron: Playwright attaches through
 * --inspect, and the browser snapshot that this build expects is left out.
 */
const program = process.argv[2];
if (program === undefined) throw new Error("usage: flip-fuses.mjs EXECUTABLE");
await flipFuses(program, {
  version: FuseVersion.V1,
  [FuseV1Options.EnableNodeCliInspectArguments]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
});

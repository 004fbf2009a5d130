import { parseArgs } from "node:util";
import { ensureBuilt } from "./setup/build.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureElectron } from "./setup/electron.mjs";
import { runEntry } from "./setup/report.mjs";
import { ensureSystemPackages } from "./setup/system-packages.mjs";

/**
 * Sets up a clone, as far as it is not set up: dependencies, build, Electron, system packages.
 * Runs on Node 20 without dependencies and is safe to repeat.
 *
 * usage: node scripts/bootstrap.mjs [--build] [--electron]
 */
await runEntry(async () => {
  const { values } = parseArgs({
    options: {
      build: { type: "boolean", default: false },
      electron: { type: "boolean", default: false },
    },
  });
  await ensureDependencies();
  if (values.electron) {
    await ensureSystemPackages(await ensureElectron(), { screen: !process.env.DISPLAY });
  }
  if (values.build) await ensureBuilt();
  return 0;
});

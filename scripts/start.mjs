import { ensureBuilt } from "./setup/build.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureElectron } from "./setup/electron.mjs";
import { productEnvironment, root } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { runEntry, say } from "./setup/report.mjs";
import { ensureSystemPackages } from "./setup/system-packages.mjs";

/** Opens the app. Further arguments go to it, such as `--data DIR`. */
await runEntry(async () => {
  await ensureDependencies();
  const electron = await ensureElectron();
  await ensureSystemPackages(electron, { screen: false });
  await ensureBuilt();
  const args = process.argv.slice(2);
  if (process.platform === "linux" && process.getuid() === 0 && !args.includes("--no-sandbox")) {
    say("Chromium's sandbox refuses to run as root: use an ordinary user account");
    return 1;
  }
  return run(electron, [root, ...args], { cwd: root, env: productEnvironment() });
});

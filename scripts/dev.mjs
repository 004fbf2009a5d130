import { join } from "node:path";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureElectron } from "./setup/electron.mjs";
import { productEnvironment, productNode, root } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { runEntry } from "./setup/report.mjs";

/** Opens the app with the interface served from its sources, reloaded as they change. */
await runEntry(async () => {
  await ensureDependencies();
  const electron = await ensureElectron();
  const tool = join(root, "node_modules", "electron-vite", "bin", "electron-vite.js");
  return run(productNode(), [tool, "dev", ...process.argv.slice(2)], {
    cwd: root,
    env: productEnvironment({ ELECTRON_EXEC_PATH: electron }),
  });
});

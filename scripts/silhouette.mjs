import { join } from "node:path";
import { ensureBuilt } from "./setup/build.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { productEnvironment, productNode, root } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { runEntry } from "./setup/report.mjs";

/** The command line: sets the clone up where needed, then runs the command on Node 24. */
await runEntry(async () => {
  await ensureDependencies();
  await ensureBuilt(["main"]);
  const program = join(root, "out", "main", "cli.js");
  return run(productNode(), [program, ...process.argv.slice(2)], {
    stdout: "inherit",
    env: productEnvironment(),
  });
});

import { app } from "electron";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Does what Electron's own default app does for `electron [-r MODULE] FOLDER`: the fallback runtime
 * comes without one. The wait at the top level holds back `ready` until the application has been loaded,
 * since custom protocols can be declared only before it.
 */
const preload = process.argv.indexOf("-r");
if (preload !== -1) {
  const [, module] = process.argv.splice(preload, 2);
  createRequire(import.meta.url)(resolve(module));
}
const folder = process.argv.slice(1).find((argument) => !argument.startsWith("-"));
if (folder === undefined) {
  process.stderr.write("usage: electron FOLDER [ARGUMENT...]\n");
  app.exit(2);
} else {
  const appPath = resolve(folder);
  const description = JSON.parse(readFileSync(join(appPath, "package.json"), "utf8"));
  app.setName(description.productName ?? description.name);
  app.setVersion(description.version);
  app.setAppPath(appPath);
  await import(pathToFileURL(join(appPath, description.main)).href);
}

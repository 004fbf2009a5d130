import { app } from "electron";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Does what Electron's own default app does for `electron FOLDER`: the fallback runtime comes
 * without one. The wait at the top level holds back `ready` until the application has been loaded,
 * since custom protocols can be declared only before it.
 */
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

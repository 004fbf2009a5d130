import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError } from "./report.mjs";

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The oldest Node that the product's native modules load in. */
const oldestNode = [22, 14];

/** @returns the Node that runs the product: the one that npm installed, else a new enough own one. */
export function productNode() {
  const installed = installedNode();
  if (existsSync(installed)) return installed;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw new SetupError(
    `No Node ${oldestNode.join(".")} or later: ${installed} is missing. ` +
      "Delete node_modules and run the command again.",
  );
}

/** Where the `node` package puts its executable. */
export function installedNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  return join(root, "node_modules", "node", "bin", name);
}

export function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/** The environment of our tools: their commands first, then Node 24, then what was there. */
export function productEnvironment(additions = {}) {
  const first = [join(root, "node_modules", ".bin"), dirname(installedNode())];
  return {
    ...process.env,
    PATH: [...first, process.env.PATH ?? ""].join(delimiter),
    ...additions,
  };
}

/** A folder outside the repository for what is fetched once and shared by clones. */
export function cacheFolder() {
  const base =
    process.env.XDG_CACHE_HOME ||
    (process.platform === "win32" && process.env.LOCALAPPDATA) ||
    join(homedir(), ".cache");
  return join(base, "silhouette");
}

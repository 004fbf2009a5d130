import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { installedNode, root } from "./paths.mjs";
import { mustRunNpm } from "./processes.mjs";
import { say, secondsSince } from "./report.mjs";

/**
 * Installs what package-lock.json names, unless node_modules holds exactly that already. npm writes
 * what it installed to node_modules/.package-lock.json at the end of an install, so comparing the
 * two files is the whole check, also after an install by hand or one that was cut short.
 */
export async function ensureDependencies() {
  if (isInstalled()) return;
  await withLock(join(root, ".cache", "install.lock"), async () => {
    if (isInstalled()) return;
    const start = performance.now();
    if (!hasPackages()) {
      say("installing the dependencies");
      await mustRunNpm(["ci"], { cwd: root });
    }
    await ensureNode();
    say(`dependencies installed in ${secondsSince(start)}`);
  });
}

function isInstalled() {
  return hasPackages() && existsSync(installedNode());
}

function hasPackages() {
  const modules = join(root, "node_modules");
  if (!existsSync(modules)) return false;
  // A linked node_modules belongs to another clone; installing here would empty it.
  if (lstatSync(modules).isSymbolicLink()) return true;
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed)) return false;
  return holdsAll(readLock(join(root, "package-lock.json")), readLock(installed));
}

/** The one install script that has to run: the `node` package fetches its executable. */
async function ensureNode() {
  if (existsSync(installedNode())) return;
  await mustRunNpm(["rebuild", "node", "--ignore-scripts=false"], { cwd: root });
}

function readLock(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Whether every package that is not optional is there in the version that the lock names. */
export function holdsAll(wanted, installed) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.optional || entry.devOptional) return true;
    return installed[path]?.version === entry.version;
  });
}

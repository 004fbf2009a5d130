import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { productEnvironment, productNode, root } from "./paths.mjs";
import { mustRun } from "./processes.mjs";
import { say, secondsSince } from "./report.mjs";

/**
 * What is built by itself. The command line needs only `main`, and should not wait for the
 * interface.
 */
const parts = {
  main: { sources: ["src/main", "src/shared"], result: "out/main" },
  interface: { sources: ["src/preload", "src/renderer", "src/shared"], result: "out/renderer" },
};

/** Files that bear on every part. */
const commonSources = ["electron.vite.config.ts", "package.json", "package-lock.json"];

/** Builds the named parts whose sources have changed since they were built. */
export async function ensureBuilt(names = Object.keys(parts)) {
  if (names.every(isBuilt)) return;
  await withLock(join(root, ".cache", "build.lock"), async () => {
    for (const name of names) {
      if (!isBuilt(name)) await build(name);
    }
  });
}

async function build(name) {
  const start = performance.now();
  say(`building ${name}`);
  // The hash is taken before: an edit during the build then counts as a change.
  const hash = hashOfSources(name);
  rmSync(stampFile(name), { force: true });
  const tool = join(root, "node_modules", "electron-vite", "bin", "electron-vite.js");
  await mustRun(
    "The build",
    productNode(),
    [tool, "build", "--logLevel", "warn", "--ignoreConfigWarning"],
    {
      cwd: root,
      env: productEnvironment({ SILHOUETTE_BUILD: name }),
    },
  );
  writeFileSync(stampFile(name), hash);
  say(`built ${name} in ${secondsSince(start)}`);
}

function isBuilt(name) {
  const stamp = stampFile(name);
  if (!existsSync(stamp) || !existsSync(join(root, parts[name].result))) return false;
  return readFileSync(stamp, "utf8") === hashOfSources(name);
}

function stampFile(name) {
  return join(root, "out", `${name}.stamp`);
}

function hashOfSources(name) {
  const hash = createHash("sha256");
  const files = parts[name].sources.flatMap((folder) => filesUnder(folder));
  for (const file of [...commonSources, ...files]) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .sort();
}

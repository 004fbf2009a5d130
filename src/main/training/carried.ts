/**
 * Runs that this process carries, waiting or under way, so that recovery does not take them for
 * orphans: a process number alone proves nothing, since it may be in use again.
 */
const carried = new Set<string>();

export function carry(runId: string): void {
  carried.add(runId);
}

export function release(runId: string): void {
  carried.delete(runId);
}

export function isCarriedHere(runId: string): boolean {
  return carried.has(runId);
}

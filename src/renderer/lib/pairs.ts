import type { RunSummary } from "../../shared/domain.ts";

/** A private run and its reference run; either may stand alone. */
export interface RunPair {
  readonly id: string;
  readonly createdAt: string;
  readonly private: RunSummary | null;
  readonly reference: RunSummary | null;
}

function areTwins(one: RunSummary, other: RunSummary): boolean {
  if (one.kind === other.kind) return false;
  if (one.pairId === other.id || other.pairId === one.id) return true;
  return one.pairId !== null && one.pairId === other.pairId;
}

/** Runs in pairs, the newest first; a run without a twin makes a pair of its own. */
export function pairRuns(runs: readonly RunSummary[]): readonly RunPair[] {
  const paired = new Set<string>();
  const pairs: RunPair[] = [];
  for (const run of runs) {
    if (paired.has(run.id)) continue;
    const twin = runs.find((other) => !paired.has(other.id) && areTwins(run, other)) ?? null;
    paired.add(run.id);
    if (twin !== null) paired.add(twin.id);
    const both = twin === null ? [run] : [run, twin];
    pairs.push({
      id: run.id,
      createdAt: run.createdAt,
      private: both.find((member) => member.kind === "private") ?? null,
      reference: both.find((member) => member.kind === "reference") ?? null,
    });
  }
  return pairs.sort((one, other) => other.createdAt.localeCompare(one.createdAt));
}

export function isActive(run: RunSummary | null): boolean {
  return run !== null && (run.state === "queued" || run.state === "running");
}

/** Whether a run has scored the held-out patients, so that it can be compared. */
export function canBeMeasured(run: RunSummary | null): run is RunSummary {
  return run !== null && run.scored;
}

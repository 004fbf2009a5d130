import type { Ledger, LedgerEntry, RunState, RunSummary } from "../../shared/domain.ts";
import type { Database } from "../store/database.ts";
import { ledgerEntries, ledgerEntryOfRun } from "../store/ledger.ts";
import { cohortDelta, requireRun, runsOfCohort, type RunRecord } from "../store/runs.ts";
import { verifyCohortLedger } from "./journal.ts";
import { composedEpsilon, exactEpsilon, liveEpsilon, type Spending } from "./spending.ts";

/** A run as the screen, the command line and the report see it. */
export function summariseRun(run: RunRecord): RunSummary {
  return {
    id: run.id,
    cohortId: run.cohortId,
    kind: run.kind,
    pairId: run.pairId,
    state: run.state,
    message: run.message,
    plan: run.plan,
    engine: run.engine,
    device: run.device,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    stepsJournaled: run.stepsJournaled,
    epsilonSpent:
      run.state === "running"
        ? liveEpsilon(run.plan, run.stepsJournaled)
        : exactEpsilon(run.plan, run.stepsJournaled),
    scored: run.scored,
  };
}

/** @throws UserError "not-found". */
export function runSummary(database: Database, runId: string): RunSummary {
  return summariseRun(requireRun(database, runId));
}

/** The runs of a cohort, newest first. */
export function listRuns(database: Database, cohortId: number): RunSummary[] {
  return runsOfCohort(database, cohortId).map(summariseRun);
}

/** A private run with what it spent. */
export interface SpendingRun extends Spending {
  readonly runId: string;
  readonly state: RunState;
}

/** What all private runs of a cohort have spent so far, failed and stopped ones included. */
export function spendingRuns(database: Database, cohortId: number): SpendingRun[] {
  return runsOfCohort(database, cohortId)
    .filter((run) => run.plan.privacy !== null)
    .map((run) => ({
      runId: run.id,
      state: run.state,
      plan: run.plan,
      stepsSpent: run.stepsJournaled,
      mostImagesOfAPatient: mostImagesPlanned(database, run.id),
    }))
    .toReversed();
}

function mostImagesPlanned(database: Database, runId: string): number {
  const entry = ledgerEntryOfRun(database, runId, "run-planned");
  if (entry === null) return 1;
  const body = JSON.parse(entry.body) as { readonly mostImagesOfAPatient?: unknown };
  return typeof body.mostImagesOfAPatient === "number" ? body.mostImagesOfAPatient : 1;
}

/**
 * The cohort's privacy ledger: every entry, what each private run spent, all of it composed, and
 * the chain checked.
 */
export function readLedger(database: Database, cohortId: number): Ledger {
  const delta = cohortDelta(database, cohortId);
  const runs = spendingRuns(database, cohortId);
  return {
    cohortId,
    entries: ledgerEntries(database, cohortId).map((entry): LedgerEntry => {
      const { sequence, recordedAt, kind, runId, previousHash, hash } = entry;
      const body = bodyOf(entry.body);
      return { sequence, recordedAt, kind, runId, body, previousHash, hash };
    }),
    runs: runs.flatMap((run) => {
      const { privacy, recipe, samplingRate, steps } = run.plan;
      if (privacy === null) return [];
      return {
        runId: run.runId,
        unit: recipe.unit,
        samplingRate,
        noiseMultiplier: privacy.noiseMultiplier,
        stepsPlanned: steps,
        stepsSpent: run.stepsSpent,
        epsilon: exactEpsilon(run.plan, run.stepsSpent) ?? 0,
        state: run.state,
      };
    }),
    delta,
    epsilon: delta === null ? 0 : composedEpsilon(runs, delta),
    verification: verifyCohortLedger(database, cohortId),
  };
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return { ...body };
  } catch {
    // Somebody wrote into the row; the verification beside it says so.
  }
  return { unreadable: text };
}

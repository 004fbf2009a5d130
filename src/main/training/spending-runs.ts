import type { LedgerRun, RunState } from "../../shared/domain.ts";
import type { Database } from "../store/database.ts";
import { ledgerEntriesOfRun, ledgerEntryOfRun } from "../store/ledger.ts";
import { runsOfCohort, type RunRecord } from "../store/runs.ts";
import { bodyOf } from "./ledger-entries.ts";
import type { PatientsOfRun } from "./patients-of-run.ts";
import type { Spending } from "./spending.ts";

/** A private run with what it spent. */
export interface SpendingRun extends Spending {
  readonly runId: string;
  readonly state: RunState;
  /** Null where the ledger does not say, or the run never began. */
  readonly patients: LedgerRun["patients"];
}

/** What all private runs of a cohort have spent so far, failed and stopped ones included. */
export function spendingRuns(database: Database, cohortId: number): SpendingRun[] {
  return runsOfCohort(database, cohortId)
    .filter((run) => run.plan.privacy !== null)
    .map((run) => spendingOf(database, run))
    .toReversed();
}

/** What one run has spent, by its journal and the ledger's entries of it. */
export function spendingOf(database: Database, run: RunRecord): SpendingRun {
  const begun =
    run.plan.privacy === null
      ? []
      : ledgerEntriesOfRun(database, run.id, ["run-planned", "run-resumed"]).map(
          ({ body }) => bodyOf(body) as Partial<PatientsOfRun>,
        );
  const mostImagesOfAPatient = largest(begun.map((body) => body.mostImagesOfAPatient));
  return {
    runId: run.id,
    state: run.state,
    plan: run.plan,
    stepsSpent: run.stepsJournaled,
    classCountsSpent: ledgerEntryOfRun(database, run.id, "class-counts") !== null,
    mostImagesOfAPatient,
    // An entry of long ago has no median; the most stands in for it.
    medianImagesOfAPatient: largest(
      begun.map((body) => body.medianImagesOfAPatient ?? mostImagesOfAPatient),
    ),
    patients: begun.at(-1)?.patients ?? null,
  };
}

function largest(values: readonly unknown[]): number {
  return values.reduce<number>(
    (most, value) => (typeof value === "number" && value > most ? value : most),
    1,
  );
}

import type { LedgerRelease } from "../../shared/domain.ts";
import type { Database } from "../store/database.ts";
import { ledgerTransaction } from "../store/ledger-head.ts";
import { requireRun } from "../store/runs.ts";
import { countPatientsByPart } from "../store/training-images.ts";
import { appendEntry } from "./ledger-entries.ts";

/**
 * Enters exact statistics on patients in the ledger, before they are shown or written. A training
 * guarantee protects neither held-out patients nor, in a membership attack, those it trained on;
 * who signs for the cohort has to see how often and in what form their data left it.
 *
 * @param runIds the runs that were measured, all of one cohort; null and absent ones are left out
 * @param training how many training patients a membership attack measured
 */
export function recordRelease(
  database: Database,
  what: LedgerRelease["what"],
  runIds: readonly (string | null)[],
  training = 0,
): void {
  const runs = runIds.flatMap((runId) => (runId === null ? [] : [requireRun(database, runId)]));
  const [first] = runs;
  if (first === undefined) return;
  ledgerTransaction(database, first.cohortId, () => {
    const { validation, test } = countPatientsByPart(database, first.splitId);
    appendEntry(database, { cohortId: first.cohortId, runId: null }, "release", {
      what,
      runIds: runs.map((run) => run.id),
      patients: { training, validation, test },
    });
  });
}

import type { LedgerVerification, RunState } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import {
  chainEntry,
  journalHash,
  verifyLedger,
  type RunEndedBody,
  type RunEvidence,
} from "../privacy/ledger.ts";
import { now, transaction, type Database } from "../store/database.ts";
import {
  insertJournalRow,
  insertLedgerEntry,
  journalRows,
  lastJournalRow,
  lastLedgerEntry,
  ledgerEntries,
  ledgerEntryOfRun,
} from "../store/ledger.ts";
import {
  beat,
  markRunEnded,
  markRunStarted,
  requireRun,
  runsOfCohort,
  setCohortDelta,
  storedPlanText,
  type RunRecord,
} from "../store/runs.ts";

/** What the ledger records of a run beside its plan. */
export interface PlannedRun {
  readonly splitId: number;
  /** The seed of the public initial weights; shared by a pair. */
  readonly initialSeed: string;
  readonly mostImagesOfAPatient: number;
}

/**
 * Starts a run in the store: the whole plan enters the ledger before the first step, and the
 * cohort's delta is set by its first private run. A resumed run keeps its entry.
 *
 * @throws UserError "conflict" where the run is not waiting, or its delta is not the cohort's.
 */
export function openRun(
  database: Database,
  runId: string,
  ownerProcess: number,
  planned: PlannedRun,
): void {
  transaction(database, () => {
    const run = requireRun(database, runId);
    if (run.state !== "queued") {
      throw new UserError("conflict", `Run ${runId} is ${run.state} and cannot be started again.`);
    }
    if (ledgerEntryOfRun(database, runId, "run-planned") === null) {
      if (run.plan.privacy !== null) {
        setCohortDelta(database, run.cohortId, run.plan.privacy.delta);
      }
      appendEntry(database, run, "run-planned", {
        runKind: run.kind,
        pairId: run.pairId,
        ...planned,
        // As it was written: a field that came later must not change what the hash covers.
        plan: JSON.parse(storedPlanText(database, runId)) as unknown,
      });
    }
    markRunStarted(database, runId, ownerProcess);
  });
}

/**
 * Journals one step in one transaction with its own synchronisation to disk: when this returns,
 * the step counts as spent, whatever happens next. Only then may its noise be drawn.
 *
 * @param alongside more to write in the same transaction
 * @returns whether somebody has asked the run to stop
 * @throws Error where the run is no longer this process's, the step is out of turn or past the
 *   plan: then no noise may be drawn.
 */
export function journalStep(
  database: Database,
  run: { readonly runId: string; readonly ownerProcess: number; readonly stepsPlanned: number },
  step: number,
  alongside: () => void = () => undefined,
): { readonly stopRequested: boolean } {
  const { runId, ownerProcess, stepsPlanned } = run;
  return transaction(database, () => {
    if (!beat(database, runId, ownerProcess)) {
      throw new Error(`Run ${runId} was closed by another process.`);
    }
    const last = lastJournalRow(database, runId);
    const previousHash =
      last?.hash ?? ledgerEntryOfRun(database, runId, "run-planned")?.hash ?? null;
    if (previousHash === null) throw new Error(`Run ${runId} has no plan in the ledger.`);
    if (step !== (last?.step ?? 0) + 1 || step > stepsPlanned) {
      throw new Error(`Step ${step} of run ${runId} is out of turn.`);
    }
    const row = { step, recordedAt: now() };
    insertJournalRow(database, runId, { ...row, hash: journalHash(previousHash, runId, row) });
    alongside();
    const stopRequested = database
      .prepare("SELECT stop_requested FROM run WHERE id = ?")
      .pluck()
      .get(runId);
    return { stopRequested: stopRequested !== 0 };
  });
}

/**
 * Ends a run, however it ended, with the steps that count as spent; does nothing where it has
 * ended already. A run that never began leaves no trace in the ledger.
 */
export function closeRun(
  database: Database,
  runId: string,
  state: Extract<RunState, "stopped" | "failed" | "finished">,
  message: string | null,
): void {
  transaction(database, () => {
    const run = requireRun(database, runId);
    if (run.state !== "queued" && run.state !== "running") return;
    const planned = ledgerEntryOfRun(database, runId, "run-planned");
    if (planned !== null) {
      const last = lastJournalRow(database, runId);
      const body: RunEndedBody = {
        state,
        steps: last?.step ?? 0,
        journalHash: last?.hash ?? planned.hash,
      };
      appendEntry(database, run, "run-ended", { ...body });
    }
    markRunEnded(database, runId, state, message);
  });
}

function appendEntry(
  database: Database,
  run: RunRecord,
  kind: "run-planned" | "run-ended",
  body: Readonly<Record<string, unknown>>,
): void {
  const entry = chainEntry(lastLedgerEntry(database, run.cohortId), {
    cohortId: run.cohortId,
    recordedAt: now(),
    kind,
    runId: run.id,
    body: JSON.stringify(body),
  });
  insertLedgerEntry(database, entry);
}

/** Checks the cohort's ledger against itself, its runs and their journals. */
export function verifyCohortLedger(database: Database, cohortId: number): LedgerVerification {
  const runs = runsOfCohort(database, cohortId).map((run): RunEvidence => ({
    runId: run.id,
    state: run.state,
    plan: storedPlanText(database, run.id),
    journal: journalRows(database, run.id),
  }));
  return verifyLedger(cohortId, ledgerEntries(database, cohortId), runs);
}

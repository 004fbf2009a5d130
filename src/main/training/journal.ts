import type { LedgerVerification, RunState } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import {
  journalHash,
  verifyLedger,
  type RunEndedBody,
  type RunEvidence,
} from "../privacy/ledger.ts";
import { now, transaction, type Database } from "../store/database.ts";
import { keptLedgerHead, ledgerTransaction } from "../store/ledger-head.ts";
import {
  countJournalRows,
  insertJournalRow,
  journalRows,
  lastJournalRow,
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
} from "../store/runs.ts";
import { checkStepUnderCap, forgetAllowance, requireRunWithinCap } from "./cap.ts";
import { spendClassCounts } from "./class-weights.ts";
import { appendEntry } from "./ledger-entries.ts";
import { patientsOf } from "./patients-of-run.ts";

/** What the ledger records of a run beside its plan. */
export interface PlannedRun {
  readonly splitId: number;
  /** The seed of the public initial weights; shared by a pair. */
  readonly initialSeed: string;
  /** Of an audited run: a digest of its canaries' coins, before any of them could matter. */
  readonly canaries?: { readonly count: number; readonly commitment: string };
}

/**
 * Starts a run in the store: the whole plan enters the ledger before the first step, with the
 * patients that it trains on and holds out, and the cohort's delta is set by its first private run.
 * A run that goes on keeps its entry and gets another, since its patients may have more images now.
 * Class counts that the plan has are entered as spent, so that they may be drawn.
 *
 * @throws UserError "conflict" where the run is not waiting, its delta is not the cohort's, its
 *   plan would pass the budget cap, or its class counts were spent and lost.
 */
export function openRun(
  database: Database,
  runId: string,
  ownerProcess: number,
  planned: PlannedRun,
): void {
  const { cohortId, plan } = requireRun(database, runId);
  if (plan.privacy !== null) requireIntactLedger(database, cohortId);
  ledgerTransaction(database, cohortId, () => {
    const run = requireRun(database, runId);
    if (run.state !== "queued") {
      throw new UserError("conflict", `Run ${runId} is ${run.state} and cannot be started again.`);
    }
    requireRunWithinCap(database, run);
    if (ledgerEntryOfRun(database, runId, "run-planned") === null) {
      if (run.plan.privacy !== null) {
        setCohortDelta(database, run.cohortId, run.plan.privacy.delta);
      }
      appendEntry(database, { cohortId: run.cohortId, runId }, "run-planned", {
        runKind: run.kind,
        pairId: run.pairId,
        ...planned,
        ...patientsOf(database, run),
        // As it was written: a field that came later must not change what the hash covers.
        plan: JSON.parse(storedPlanText(database, runId)) as unknown,
      });
    } else {
      appendEntry(database, { cohortId: run.cohortId, runId }, "run-resumed", {
        ...planned,
        ...patientsOf(database, run),
        steps: run.stepsJournaled,
      });
    }
    spendClassCounts(database, run);
    markRunStarted(database, runId, ownerProcess);
  });
}

/**
 * Journals one step in one transaction with its own synchronisation to disk: when this returns,
 * the step counts as spent, whatever happens next. Only then may its noise be drawn.
 *
 * @param alongside more to write in the same transaction
 * @returns whether the run is to stop, because somebody has asked or the budget cap is reached
 * @throws CapReached where the step would pass the cohort's budget cap
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
    const lastUnderCap = checkStepUnderCap(database, runId, step);
    const row = { step, recordedAt: now() };
    insertJournalRow(database, runId, { ...row, hash: journalHash(previousHash, runId, row) });
    alongside();
    const stopRequested = database
      .prepare("SELECT stop_requested FROM run WHERE id = ?")
      .pluck()
      .get(runId);
    return { stopRequested: stopRequested !== 0 || lastUnderCap };
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
  const { cohortId } = requireRun(database, runId);
  ledgerTransaction(database, cohortId, () => {
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
      appendEntry(database, { cohortId: run.cohortId, runId }, "run-ended", { ...body });
    }
    markRunEnded(database, runId, state, message);
    forgetAllowance(runId);
  });
}

/** Up to so many journaled steps are all checked whenever a cohort is opened. */
const stepsCheckedAtOpening = 50_000;

/**
 * Checks the cohort's ledger against itself, its runs, their journals and the head kept apart.
 *
 * @param depth "opening" takes of a long journal of an ended run only its length and its end, which
 *   the entry of the run's end has sealed: enough for every figure, at a cost that does not grow
 *   with the steps. A row in the middle whose time was changed shows in a "complete" check.
 */
export function verifyCohortLedger(
  database: Database,
  cohortId: number,
  depth: "complete" | "opening" = "complete",
): LedgerVerification {
  const runs = runsOfCohort(database, cohortId);
  const total = runs.reduce((sum, run) => sum + run.stepsJournaled, 0);
  const inFull = depth === "complete" || total <= stepsCheckedAtOpening;
  const evidence = runs.map((run): RunEvidence => {
    const over = run.state !== "queued" && run.state !== "running";
    return {
      runId: run.id,
      state: run.state,
      plan: storedPlanText(database, run.id),
      journal:
        inFull || !over
          ? journalRows(database, run.id)
          : { rows: countJournalRows(database, run.id), last: lastJournalRow(database, run.id) },
    };
  });
  const head = keptLedgerHead(database, cohortId);
  return verifyLedger(cohortId, ledgerEntries(database, cohortId), evidence, head);
}

/**
 * Holds private runs back from a ledger that does not verify: what it says was spent cannot be
 * relied on.
 *
 * @throws UserError "conflict" with the first break
 */
export function requireIntactLedger(database: Database, cohortId: number): void {
  const ledger = verifyCohortLedger(database, cohortId, "opening");
  if (ledger.intact) return;
  throw new UserError("conflict", brokenLedgerText(ledger));
}

/** Why no private run can start on a broken ledger, and what to do. */
export function brokenLedgerText({
  findings,
  canBeAcknowledged,
}: Pick<LedgerVerification, "findings" | "canBeAcknowledged">): string {
  const remedy = canBeAcknowledged
    ? "If you know why, record it on the Privacy screen or with " +
      '"silhouette ledger COHORT --acknowledge-gap REASON". If you do not, ask whoever answers for privacy.'
    : 'The Privacy screen, or "silhouette ledger COHORT --verify", names every break. Put the data ' +
      "folder back from a backup, or ask whoever answers for privacy.";
  return (
    `The privacy ledger of this cohort does not verify: ${findings[0] ?? "it is broken."} No private ` +
    `run can start until this is cleared up. ${remedy}`
  );
}

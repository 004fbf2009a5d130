import { UserError } from "../../shared/errors.ts";
import { transaction, type Database } from "../store/database.ts";
import {
  forgetScores,
  markRunPaused,
  markRunQueued,
  openRuns,
  requireRun,
  setStopRequested,
  type RunRecord,
} from "../store/runs.ts";
import type { RunSummary } from "../../shared/domain.ts";
import { isCarriedHere } from "./carried.ts";
import { closeRun } from "./journal.ts";
import { runSummary } from "./run-summaries.ts";

/** A living owner beats every five seconds; this long without one means it is gone. */
const silenceMilliseconds = 60_000;

/**
 * Closes the runs whose owner died: each fails with the steps that its journal holds. Call it
 * whenever the store is opened. Runs of other living processes are left alone.
 *
 * @returns the runs closed
 */
export function recoverRuns(database: Database): RunSummary[] {
  return openRuns(database)
    .filter((run) => ownerIsGone(run))
    .map((run) => {
      closeRun(database, run.id, "failed", brokenOffMessage(run));
      return runSummary(database, run.id);
    });
}

/**
 * Asks a run to stop or to pause, whichever process carries it: it ends after the micro-batch under
 * way. A run that still waits ends at once; one whose owner is gone is closed as failed.
 *
 * @throws UserError "not-found".
 */
export function requestStop(
  database: Database,
  runId: string,
  wish: "stop" | "pause" = "stop",
): RunSummary {
  const run = requireRun(database, runId);
  if (run.state === "queued" || run.state === "running") {
    setStopRequested(database, runId, wish);
    if (run.state === "queued" && wish === "pause") {
      transaction(database, () => {
        closeRun(database, runId, "stopped", "Paused before it began.");
        markRunPaused(database, runId);
      });
    } else if (run.state === "queued") {
      closeRun(database, runId, "stopped", "Stopped before it began.");
    } else if (ownerIsGone(run)) closeRun(database, runId, "failed", brokenOffMessage(run));
  }
  return runSummary(database, runId);
}

/**
 * Queues a stopped or failed run again, to go on from its last checkpoint. Of a private run every
 * journaled step stays spent: it goes on with the number after the last one, so that the total
 * never passes the plan.
 *
 * @throws UserError "not-found", or "conflict" where there is nothing to go on with.
 */
export function requeueRun(database: Database, runId: string): RunSummary {
  transaction(database, () => {
    const run = requireRun(database, runId);
    if (run.state !== "stopped" && run.state !== "failed") {
      throw new UserError("conflict", `Run ${runId} is ${run.state}; there is nothing to resume.`);
    }
    forgetScores(database, runId);
    markRunQueued(database, runId, process.pid);
  });
  return runSummary(database, runId);
}

function brokenOffMessage(run: RunRecord): string {
  return run.state === "queued"
    ? "The program ended before this run began."
    : `The program ended while this run was under way. ${run.stepsJournaled} of ` +
        `${run.plan.steps} steps are journaled and count as spent.`;
}

function ownerIsGone(run: RunRecord): boolean {
  if (isCarriedHere(run.id)) return false;
  // A process number may be in use again: what this process does not carry is not its own.
  if (run.ownerProcess === null || run.ownerProcess === process.pid) return true;
  if (!processExists(run.ownerProcess)) return true;
  const beatAt = run.ownerHeartbeatAt === null ? 0 : Date.parse(run.ownerHeartbeatAt);
  return Date.now() - beatAt > silenceMilliseconds;
}

/** Whether a process of this number is alive; it may be another than the one meant. */
export function processExists(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

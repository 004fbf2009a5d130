import { UserError } from "../../shared/errors.ts";
import { formatDelta, formatEpsilon } from "../../shared/format.ts";
import type { Database } from "../store/database.ts";
import { ledgerTransaction } from "../store/ledger-head.ts";
import { lastEntryOfKind, lastLedgerEntry } from "../store/ledger.ts";
import { requireRun, runsOfCohort, type RunRecord } from "../store/runs.ts";
import { countTrainingUnits } from "../store/training-images.ts";
import { accountName } from "./account-name.ts";
import { epsilonWithRun, largestEpsilonThatFits, stepsThatFit, type Budget } from "./budget.ts";
import { appendEntry, bodyOf } from "./ledger-entries.ts";
import { spendingOf } from "./spending-runs.ts";
import { patientMechanisms, type Spending } from "./spending.ts";

/** The budget cap of a cohort's ledger as last set; null where there is none. */
export function currentCap(database: Database, cohortId: number): number | null {
  const entry = lastEntryOfKind(database, cohortId, "cap-changed");
  if (entry === null) return null;
  const { cap } = bodyOf(entry.body);
  return typeof cap === "number" ? cap : null;
}

/**
 * Sets, changes or removes (null) the cap. The change enters the ledger with the account of the
 * person at this computer; a cap below what is spent already is allowed and stops what is under
 * way at its next step.
 *
 * @throws UserError "input" for what is not an epsilon
 */
export function setCap(database: Database, cohortId: number, cap: number | null): void {
  if (cap !== null && !(cap > 0 && Number.isFinite(cap))) {
    throw new UserError("input", `A budget cap is an epsilon above 0, but this is ${cap}.`);
  }
  ledgerTransaction(database, cohortId, () => {
    const previousCap = currentCap(database, cohortId);
    if (previousCap === cap) return;
    const body = { cap, previousCap, by: accountName() };
    appendEntry(database, { cohortId, runId: null }, "cap-changed", body);
  });
}

/** The cap and what all runs but one have spent or may still spend under it. */
export function budgetOf(database: Database, cohortId: number, exceptRun?: string): Budget {
  const runs = runsOfCohort(database, cohortId).filter(
    (run) => run.plan.privacy !== null && run.id !== exceptRun,
  );
  return {
    cap: currentCap(database, cohortId),
    committed: runs.flatMap((run) => patientMechanisms(commitmentOf(database, run))),
  };
}

/** What a run has spent; of one that waits or is under way, what its plan lets it spend. */
function commitmentOf(database: Database, run: RunRecord): Spending {
  const spent = spendingOf(database, run);
  if (run.state !== "queued" && run.state !== "running") return spent;
  const units = countTrainingUnits(database, run.splitId);
  const larger = (one: number, other: number): number => Math.max(one, other);
  return {
    plan: run.plan,
    stepsSpent: run.plan.steps,
    classCountsSpent: true,
    mostImagesOfAPatient: larger(spent.mostImagesOfAPatient, units.mostImagesOfAPatient),
    medianImagesOfAPatient: larger(spent.medianImagesOfAPatient, units.medianImagesOfAPatient),
  };
}

/**
 * Refuses a run whose plan would take the ledger past its cap.
 *
 * @throws UserError "conflict" with what it would reach and the largest epsilon that still fits
 */
export function requireWithinCap(budget: Budget, run: Spending): void {
  const { privacy } = run.plan;
  if (budget.cap === null || privacy === null) return;
  const reached = epsilonWithRun(budget, run, privacy.delta);
  if (reached <= budget.cap) return;
  const largest = largestEpsilonThatFits(budget, run);
  throw new UserError(
    "conflict",
    `This run would take the cohort's ledger to epsilon ${formatEpsilon(reached)} at delta ` +
      `${formatDelta(privacy.delta)}, past its budget cap of ${budget.cap}. ` +
      (largest === null
        ? "No epsilon fits any more. Somebody who may do so has to raise the cap first."
        : `The largest epsilon that still fits is ${largest}. Choose that or less, or have the ` +
          "cap raised."),
  );
}

/** The same for a run that stands in the store, just before it starts or goes on. */
export function requireRunWithinCap(database: Database, run: RunRecord): void {
  if (run.plan.privacy === null || currentCap(database, run.cohortId) === null) return;
  const open: RunRecord = { ...run, state: "queued" };
  requireWithinCap(budgetOf(database, run.cohortId, run.id), commitmentOf(database, open));
}

/** Thrown in place of journaling a step that would pass the cap. */
export class CapReached extends UserError {
  constructor(message: string) {
    super("conflict", message);
    this.name = "CapReached";
  }
}

interface Allowance {
  readonly cohortId: number;
  /** The newest ledger entry that the allowance was computed on. */
  readonly sequence: number;
  readonly steps: number;
  readonly stepsPlanned: number;
  readonly cap: number | null;
}

const allowances = new Map<string, Allowance>();

/**
 * How many of its steps a run may take under the cap, all runs of the ledger counted. Computed
 * again only once the ledger has a new entry, so that a step costs no accountant.
 */
function allowanceOf(database: Database, runId: string): Allowance {
  const known = allowances.get(runId);
  const cohortId = known?.cohortId ?? requireRun(database, runId).cohortId;
  const sequence = lastLedgerEntry(database, cohortId)?.sequence ?? 0;
  if (known?.sequence === sequence) return known;
  const run = requireRun(database, runId);
  const cap = currentCap(database, cohortId);
  const commitment = commitmentOf(database, { ...run, state: "running" });
  const steps =
    cap === null ? run.plan.steps : stepsThatFit(budgetOf(database, cohortId, runId), commitment);
  const allowance = { cohortId, sequence, steps, stepsPlanned: run.plan.steps, cap };
  allowances.set(runId, allowance);
  return allowance;
}

/** Forgets what was computed for a run that is over. */
export function forgetAllowance(runId: string): void {
  allowances.delete(runId);
}

/**
 * Says of a run whether the step may be journaled under the cap.
 *
 * @returns true where it is the last one that may
 * @throws CapReached where it would pass the cap
 */
export function checkStepUnderCap(database: Database, runId: string, step: number): boolean {
  const { steps, stepsPlanned, cap } = allowanceOf(database, runId);
  if (step > steps) throw new CapReached(capText(cap));
  return step === steps && steps < stepsPlanned;
}

/** Why a run that stopped ended before its plan; null where the cap is not the reason. */
export function capMessage(database: Database, runId: string): string | null {
  const { steps, stepsPlanned, cap } = allowanceOf(database, runId);
  const { stepsJournaled } = requireRun(database, runId);
  return steps < stepsPlanned && stepsJournaled >= steps ? capText(cap) : null;
}

function capText(cap: number | null): string {
  return (
    `Stopped by the budget cap: the cohort's ledger may not pass epsilon ${String(cap)}, and the ` +
    "next step would have."
  );
}

import { describe, expect, it } from "vitest";
import type { Database } from "../../../src/main/store/database.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { largestEpsilonThatFits } from "../../../src/main/training/budget.ts";
import {
  budgetOf,
  CapReached,
  capMessage,
  currentCap,
  setCap,
} from "../../../src/main/training/cap.ts";
import {
  closeRun,
  journalStep,
  openRun,
  verifyCohortLedger,
} from "../../../src/main/training/journal.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { requeueRun } from "../../../src/main/training/recovery.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { spendingOf } from "../../../src/main/training/spending-runs.ts";
import type { PrivacyUnit } from "../../../src/shared/plan.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { ledgerPlace } from "../../support/tampered-ledger.ts";

const planned = { splitId: 1, initialSeed: "seed" };

function queueRun(
  database: Database,
  cohortId: number,
  epsilon: number | null,
  unit: PrivacyUnit = "patient",
): string {
  const [runId] = createRuns(database, {
    cohortId,
    recipe: { ...smallRecipe, unit },
    epsilon,
    delta: null,
    withReference: false,
  });
  return runId!;
}

/** Takes the next step; says whether it was the last that the run may take. */
function step(database: Database, runId: string): boolean {
  const { stepsJournaled, plan } = requireRun(database, runId);
  const owner = { runId, ownerProcess: process.pid, stepsPlanned: plan.steps };
  return journalStep(database, owner, stepsJournaled + 1).stopRequested;
}

/** Takes steps until the run has to stop; returns how many it took. */
function stepsUntilStopped(database: Database, runId: string): number {
  const { plan } = requireRun(database, runId);
  for (let taken = 1; taken <= plan.steps; taken += 1) {
    if (step(database, runId)) return taken;
  }
  return plan.steps;
}

describe("the budget cap", () => {
  it("is recorded in the chain with each change and who made it", async () => {
    const { database, cohortId } = await ledgerPlace();
    expect(currentCap(database, cohortId)).toBeNull();
    setCap(database, cohortId, 8);
    setCap(database, cohortId, 8);
    setCap(database, cohortId, 3);
    setCap(database, cohortId, null);
    const { entries, cap, verification } = readLedger(database, cohortId);
    expect(cap).toBeNull();
    expect(verification.intact).toBe(true);
    expect(entries.map(({ kind, runId }) => [kind, runId])).toEqual(
      Array.from({ length: 3 }, () => ["cap-changed", null]),
    );
    expect(entries.map(({ body }) => [body["cap"], body["previousCap"]])).toEqual([
      [8, null],
      [3, 8],
      [null, 3],
    ]);
    expect(entries.every(({ body }) => "by" in body)).toBe(true);
    expect(() => {
      setCap(database, cohortId, -1);
    }).toThrow(/above 0/);
  });

  it("refuses a run that would pass it, and what it proposes instead passes", async () => {
    const { database, cohortId } = await ledgerPlace();
    setCap(database, cohortId, 2);
    let proposed = 0;
    try {
      queueRun(database, cohortId, 4);
      expect.unreachable();
    } catch (error) {
      const { message } = error as Error;
      expect(message).toMatch(/to epsilon 4\.00 at delta/);
      expect(message).toMatch(/budget cap of 2/);
      proposed = Number(/still fits is ([\d.]*\d)/.exec(message)![1]);
    }
    expect(proposed).toBeLessThanOrEqual(2);
    expect(proposed).toBeGreaterThan(1.98);
    queueRun(database, cohortId, proposed);
    expect(() => queueRun(database, cohortId, 0.5)).toThrow(/budget cap/);
  });

  it("counts what waits with all its steps, what has ended with those it took", async () => {
    const { database, cohortId } = await ledgerPlace();
    setCap(database, cohortId, 2);
    const first = queueRun(database, cohortId, 1.9);
    expect(() => queueRun(database, cohortId, 1.9)).toThrow(/budget cap/);
    openRun(database, first, process.pid, planned);
    step(database, first);
    closeRun(database, first, "stopped", null);
    queueRun(database, cohortId, 1);
    // A reference run spends nothing.
    queueRun(database, cohortId, null);
  });

  it("says when nothing fits any more", async () => {
    const { database, cohortId } = await ledgerPlace();
    const run = queueRun(database, cohortId, 3);
    openRun(database, run, process.pid, planned);
    for (let i = 0; i < 5; i += 1) step(database, run);
    closeRun(database, run, "finished", null);
    setCap(database, cohortId, 0.01);
    expect(() => queueRun(database, cohortId, 1)).toThrow(/No epsilon fits any more/);
    expect(
      largestEpsilonThatFits(
        budgetOf(database, cohortId),
        spendingOf(database, requireRun(database, run)),
      ),
    ).toBeNull();
  });

  it("holds for the patient with the most images where images are the unit", async () => {
    const { database, cohortId } = await ledgerPlace();
    const free = queueRun(database, cohortId, 1, "image");
    openRun(database, free, process.pid, planned);
    const most = spendingOf(database, requireRun(database, free)).mostImagesOfAPatient;
    closeRun(database, free, "stopped", null);
    expect(most).toBeGreaterThan(1);
    setCap(database, cohortId, 1);
    const refusal = (): string => queueRun(database, cohortId, 1, "image");
    expect(refusal).toThrow(/budget cap of 1/);
    try {
      refusal();
    } catch (error) {
      const proposed = Number(/still fits is ([\d.]*\d)/.exec((error as Error).message)![1]);
      expect(proposed).toBeLessThan(1);
      queueRun(database, cohortId, proposed, "image");
    }
  });

  it("does not let a waiting run start once it was lowered", async () => {
    const { database, cohortId } = await ledgerPlace();
    const run = queueRun(database, cohortId, 4);
    setCap(database, cohortId, 1);
    expect(() => {
      openRun(database, run, process.pid, planned);
    }).toThrow(/budget cap of 1/);
    expect(requireRun(database, run).stepsJournaled).toBe(0);
  });

  it("stops a run under way with the last step that keeps within it", async () => {
    const { database, cohortId } = await ledgerPlace();
    const run = queueRun(database, cohortId, 4);
    openRun(database, run, process.pid, planned);
    expect(step(database, run)).toBe(false);
    setCap(database, cohortId, 2);
    stepsUntilStopped(database, run);
    const { stepsJournaled, plan } = requireRun(database, run);
    expect(stepsJournaled).toBeLessThan(plan.steps);
    expect(() => step(database, run)).toThrow(CapReached);
    expect(requireRun(database, run).stepsJournaled).toBe(stepsJournaled);
    expect(capMessage(database, run)).toMatch(/Stopped by the budget cap.*epsilon 2/);
    closeRun(database, run, "stopped", capMessage(database, run));
    const ledger = readLedger(database, cohortId);
    expect(ledger.epsilon).toBeLessThanOrEqual(2);
    expect(ledger.epsilon).toBeGreaterThan(1.8);
    expect(verifyCohortLedger(database, cohortId).intact).toBe(true);
    // It can go on only once the cap lets it.
    requeueRun(database, run);
    expect(() => {
      openRun(database, run, process.pid, planned);
    }).toThrow(/budget cap/);
    setCap(database, cohortId, null);
    openRun(database, run, process.pid, planned);
    expect(step(database, run)).toBe(false);
  });

  it("refuses every further step where it was lowered below what is spent", async () => {
    const { database, cohortId } = await ledgerPlace();
    const run = queueRun(database, cohortId, 4);
    openRun(database, run, process.pid, planned);
    step(database, run);
    setCap(database, cohortId, 0.001);
    expect(() => step(database, run)).toThrow(CapReached);
    expect(capMessage(database, run)).toMatch(/budget cap/);
  });
});

import { keysOf } from "../../../src/shared/findings.ts";
import { describe, expect, it } from "vitest";
import { classWeightsFrom } from "../../../src/main/privacy/class-counts.ts";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { classCountsOfRun } from "../../../src/main/store/class-counts.ts";
import { cohortSummary } from "../../../src/main/store/cohorts.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { setCap } from "../../../src/main/training/cap.ts";
import { classWeightsOf } from "../../../src/main/training/class-weights.ts";
import {
  closeRun,
  journalStep,
  openRun,
  verifyCohortLedger,
} from "../../../src/main/training/journal.ts";
import { ledgerExport, verifyLedgerExport } from "../../../src/main/training/ledger-export.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { recoverRuns, requeueRun } from "../../../src/main/training/recovery.ts";
import { readLedger, runSummary } from "../../../src/main/training/run-summaries.ts";
import { liveEpsilon } from "../../../src/main/training/spending.ts";
import { loadTrainingSet } from "../../../src/main/training/training-set.ts";
import { privacyChecklist } from "../../../src/shared/checklist.ts";
import type { PrivacyUnit } from "../../../src/shared/plan.ts";
import { smallRecipe } from "../../support/logistic.ts";
import {
  allowTampering,
  ledgerContent,
  ledgerPlace,
  type LedgerPlace,
} from "../../support/tampered-ledger.ts";

const planned = { splitId: 1, initialSeed: "seed" };

function queuedRuns(
  { database, cohortId }: LedgerPlace,
  epsilon: number | null,
  choice: { readonly unit?: PrivacyUnit; readonly withReference?: boolean } = {},
): string[] {
  const { unit = "patient", withReference = false } = choice;
  return createRuns(database, {
    cohortId,
    recipe: { ...smallRecipe, unit, classWeights: "private" },
    epsilon,
    delta: null,
    withReference,
  });
}

function queuedRun(place: LedgerPlace, epsilon = 4, unit: PrivacyUnit = "patient"): string {
  return queuedRuns(place, epsilon, { unit })[0]!;
}

function setOf({ database, cohortId }: LedgerPlace, unit: PrivacyUnit = "patient") {
  const { framePixels, positiveAtGrade } = cohortSummary(database, cohortId);
  return loadTrainingSet(database, { splitId: 1, unit, positiveAtGrade, framePixels });
}

function step({ database }: LedgerPlace, runId: string): boolean {
  const { plan, stepsJournaled } = requireRun(database, runId);
  const owner = { runId, ownerProcess: process.pid, stepsPlanned: plan.steps };
  return journalStep(database, owner, stepsJournaled + 1).stopRequested;
}

const labelCount = keysOf("sided").length;

describe("a run with private class weights", () => {
  it("holds its target with the counts and the steps together, at little cost to the steps", async () => {
    const place = await ledgerPlace();
    const { plan } = requireRun(place.database, queuedRun(place));
    const bare = requireRun(
      place.database,
      createRuns(place.database, {
        cohortId: place.cohortId,
        recipe: smallRecipe,
        epsilon: 4,
        delta: null,
        withReference: false,
      })[0]!,
    ).plan;
    const { epsilon, noiseMultiplier, classCounts, delta } = plan.privacy!;
    expect(epsilon).toBeLessThanOrEqual(4);
    expect(epsilon).toBeGreaterThan(3.99);
    const { samplingRate, steps } = plan;
    const counts = { samplingRate: 1, noiseMultiplier: classCounts!.noiseMultiplier, steps: 1 };
    expect(epsilonOf([counts, { samplingRate, noiseMultiplier, steps }], delta).epsilon).toBe(
      epsilon,
    );
    expect(epsilonOf([counts], delta).epsilon).toBeLessThanOrEqual(0.4);
    expect(noiseMultiplier).toBeGreaterThan(bare.privacy!.noiseMultiplier);
    expect(noiseMultiplier).toBeLessThan(1.02 * bare.privacy!.noiseMultiplier);
    expect(bare.privacy!.classCounts).toBeUndefined();
    const item = privacyChecklist({
      plan,
      epsilon,
      patient: null,
      patients: { trained: 60, validation: 15, test: 25 },
      earlierRuns: 0,
      withReference: true,
    }).find(({ title }) => title === "Class weights")!;
    expect(item.covered).toBe(true);
    expect(item.text).toMatch(/discrete Gaussian noise.*part of epsilon/);
  });

  it("has a line of its own in the ledger, its mechanisms and its export", async () => {
    const place = await ledgerPlace();
    const { database, folder, cohortId } = place;
    const runId = queuedRun(place);
    openRun(database, runId, process.pid, planned);
    // Spent before anything is drawn, and before the first step.
    const { classCounts } = requireRun(database, runId).plan.privacy!;
    const alone = { samplingRate: 1, noiseMultiplier: classCounts!.noiseMultiplier, steps: 1 };
    expect(classCountsOfRun(database, runId)).toBeNull();
    const before = readLedger(database, cohortId);
    expect(before.entries.map(({ kind }) => kind)).toEqual(["run-planned", "class-counts"]);
    expect(before.mechanisms).toEqual([{ ...alone, imagesPerPatient: 1 }]);
    expect(before.epsilon).toBe(epsilonOf([alone], before.delta!).epsilon);
    const live = runSummary(database, runId).epsilonSpent!;
    expect(live).toBeGreaterThanOrEqual(before.epsilon);

    for (let i = 0; i < 3; i += 1) step(place, runId);
    closeRun(database, runId, "stopped", null);
    const { mechanisms, runs, delta, epsilon, verification } = readLedger(database, cohortId);
    expect(verification.intact).toBe(true);
    expect(mechanisms.length).toBe(2);
    expect(epsilonOf(mechanisms, delta!).epsilon).toBeCloseTo(epsilon, 12);
    expect(runs[0]!.classCounts).toMatchObject({ spent: true, epsilon: before.epsilon });
    expect(runs[0]!.epsilon).toBe(epsilon);
    expect(runs[0]!.epsilon).toBeGreaterThan(before.epsilon);
    expect(liveEpsilon(requireRun(database, runId).plan, 3)!).toBeGreaterThanOrEqual(epsilon);

    const content = ledgerContent(place);
    const { ledger } = content;
    const { text } = ledgerExport(folder, content);
    expect(verifyLedgerExport(text, "ledger.json")).toMatchObject({ valid: true, epsilon });
    // Without the counts the stated figure does not follow.
    const without = { ...content, ledger: { ...ledger, epsilon: 0.99 * epsilon } };
    expect(
      verifyLedgerExport(ledgerExport(folder, without).text, "ledger.json").findings.join(),
    ).toMatch(/does not follow/);
  });

  it("counts patients once each, adds noise once, and keeps what was drawn", async () => {
    const place = await ledgerPlace();
    const { database } = place;
    const runId = queuedRun(place);
    const run = requireRun(database, runId);
    expect(() => classWeightsOf(database, run, setOf(place))).toThrow(/only once the ledger/);
    openRun(database, runId, process.pid, planned);
    const set = setOf(place);
    let drawn = 0;
    const weights = classWeightsOf(database, run, set, (exact, noiseMultiplier) => {
      drawn += 1;
      expect(noiseMultiplier).toBe(run.plan.privacy!.classCounts!.noiseMultiplier);
      exact.positive.forEach((count, label) => {
        expect(count + exact.negative[label]!).toBeLessThanOrEqual(run.plan.units);
      });
      return { positive: exact.positive.map(() => 30), negative: exact.negative.map(() => 90) };
    });
    expect(weights!.length).toBe(labelCount);
    const kept = classCountsOfRun(database, runId)!;
    expect(kept.positive).toEqual(Array(labelCount).fill(30));
    expect(kept.noiseScale).toBeGreaterThan(1);
    expect(weights).toEqual(classWeightsFrom(kept, kept.noiseScale));
    // A run that goes on draws nothing again.
    const again = classWeightsOf(database, run, set, () => {
      drawn += 1;
      throw new Error("drawn twice");
    });
    expect(again).toEqual(weights);
    expect(drawn).toBe(1);
    closeRun(database, runId, "stopped", null);
    requeueRun(database, runId);
    openRun(database, runId, process.pid, planned);
    expect(
      readLedger(database, place.cohortId).entries.filter(({ kind }) => kind === "class-counts")
        .length,
    ).toBe(1);
    expect(() =>
      database.prepare("UPDATE class_counts SET body = '{}' WHERE run_id = ?").run(runId),
    ).toThrow(/not drawn again/);
  });

  it("is spent when the process dies before its noise is kept, and is not drawn again", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const runId = queuedRun(place);
    openRun(database, runId, 2 ** 22 + 7, planned);
    expect(recoverRuns(database).map(({ id, state }) => [id, state])).toEqual([[runId, "failed"]]);
    const ledger = readLedger(database, cohortId);
    expect(ledger.epsilon).toBeGreaterThan(0);
    expect(ledger.runs[0]!.classCounts!.spent).toBe(true);
    expect(ledger.verification.intact).toBe(true);
    requeueRun(database, runId);
    expect(() => {
      openRun(database, runId, process.pid, planned);
    }).toThrow(/spent, and lost.*Start a new run/);
    expect(readLedger(database, cohortId).epsilon).toBe(ledger.epsilon);
  });

  it("is refused over the cap, and what is proposed instead passes", async () => {
    const place = await ledgerPlace();
    setCap(place.database, place.cohortId, 1);
    try {
      queuedRun(place, 2);
      expect.unreachable();
    } catch (error) {
      const { message } = error as Error;
      expect(message).toMatch(/budget cap of 1/);
      const proposed = Number(/still fits is ([\d.]*\d)/.exec(message)![1]);
      expect(proposed).toBeGreaterThan(0.95);
      queuedRun(place, proposed);
    }
  });

  it("stops at the cap with its counts composed", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const runId = queuedRun(place);
    openRun(database, runId, process.pid, planned);
    setCap(database, cohortId, 2);
    const { steps } = requireRun(database, runId).plan;
    let taken = 0;
    while (taken < steps) {
      taken += 1;
      if (step(place, runId)) break;
    }
    expect(taken).toBeLessThan(steps);
    closeRun(database, runId, "stopped", null);
    const { epsilon } = readLedger(database, cohortId);
    expect(epsilon).toBeLessThanOrEqual(2);
    expect(epsilon).toBeGreaterThan(1.8);
  });

  it("counts k times for a patient with k images where the image is the unit", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const runId = queuedRun(place, 4, "image");
    openRun(database, runId, process.pid, planned);
    const { mechanisms, delta, epsilon } = readLedger(database, cohortId);
    const [counts] = mechanisms;
    expect(counts!.imagesPerPatient).toBe(3);
    const direct = epsilonOf(
      [{ samplingRate: 1, noiseMultiplier: counts!.noiseMultiplier / 3, steps: 1 }],
      delta!,
    ).epsilon;
    expect(epsilon).toBeCloseTo(direct, 6);
  });

  it("gives its reference run the same weights, and exact ones to a run without a twin", async () => {
    const place = await ledgerPlace();
    const { database } = place;
    const [privateId = "", referenceId = ""] = queuedRuns(place, 4, { withReference: true });
    openRun(database, privateId, process.pid, planned);
    const set = setOf(place);
    const weights = classWeightsOf(database, requireRun(database, privateId), set);
    openRun(database, referenceId, process.pid, planned);
    expect(classWeightsOf(database, requireRun(database, referenceId), set)).toEqual(weights);
    const [alone = ""] = queuedRuns(place, null);
    openRun(database, alone, process.pid, planned);
    const exact = classWeightsOf(database, requireRun(database, alone), set)!;
    const counts = classCountsOfRun(database, alone)!;
    expect(counts.noiseScale).toBe(0);
    exact.forEach((weight, label) => {
      expect(weight).toBeCloseTo(counts.negative[label]! / counts.positive[label]!, 12);
    });
    expect(readLedger(database, place.cohortId).runs.length).toBe(1);
  });

  it("shows in the ledger's check where its entry was taken out", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const runId = queuedRun(place);
    openRun(database, runId, process.pid, planned);
    step(place, runId);
    closeRun(database, runId, "stopped", null);
    expect(verifyCohortLedger(database, cohortId).intact).toBe(true);
    allowTampering(database);
    database.prepare("DELETE FROM ledger_entry WHERE kind = 'class-counts'").run();
    expect(verifyCohortLedger(database, cohortId).findings.join("\n")).toMatch(
      /trained with class counts, but the ledger has no entry/,
    );
  });
});

describe("a run without class weights", () => {
  it("draws no counts and has no line of them", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const [runId = ""] = createRuns(database, {
      cohortId,
      recipe: smallRecipe,
      epsilon: 4,
      delta: null,
      withReference: false,
    });
    openRun(database, runId, process.pid, planned);
    expect(classWeightsOf(database, requireRun(database, runId), setOf(place))).toBeNull();
    expect(readLedger(database, cohortId).runs[0]!.classCounts).toBeUndefined();
    expect(readLedger(database, cohortId).epsilon).toBe(0);
  });
});

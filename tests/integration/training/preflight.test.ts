import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startRun } from "../../../src/main/training/run-host.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { createPrivate, openPlace, setVariable, stepsDrawn } from "./place.ts";

const trainerFile = join(import.meta.dirname, "broken-trainer.ts");

describe("the check before a private run", () => {
  for (const [part, says] of [
    ["noise", /Deviation of the noise, over sigma C: measured 0, expected/],
    ["clipping", /Longest contribution of a unit, over C/],
    ["sampling", /Variance of the batch's size/],
  ] as const) {
    it(`stops a trainer whose ${part} is broken before anything is spent`, async () => {
      setVariable("TEST_BROKEN_PART", part);
      const place = await openPlace();
      const { database, dataFolder, cohortId } = place;
      // Two units in five enter a step.
      const runId = createPrivate(place, { expectedBatch: 33 });
      const run = await startRun({ database, dataFolder, runId, trainerFile }).done;
      expect(run).toMatchObject({ state: "failed", stepsJournaled: 0, epsilonSpent: 0 });
      expect(run.message).toMatch(says);
      expect(run.message).toMatch(/nothing was spent/);
      expect(run.preflight).toMatchObject({ passed: false });
      expect(stepsDrawn(dataFolder, runId)).toEqual([]);
      const ledger = readLedger(database, cohortId);
      expect(ledger.epsilon).toBe(0);
      expect(ledger.verification.intact).toBe(true);
    });
  }

  for (const noise of ["gaussian", "discrete-gaussian"] as const) {
    it(`lets a sound trainer with ${noise} noise pass and keeps what it measured`, async () => {
      const place = await openPlace();
      const { database, dataFolder } = place;
      const runId = createPrivate(place, { noise, epochs: 2 });
      const run = await startRun({ database, dataFolder, runId, trainerFile }).done;
      expect(run).toMatchObject({ state: "finished", stepsJournaled: run.plan.steps });
      expect(run.plan.recipe.noise).toBe(noise);
      expect(run.preflight).toMatchObject({ passed: true });
      expect(run.preflight!.checks.length).toBeGreaterThan(10);
      for (const { measured } of run.preflight!.checks) expect(measured).not.toBeNull();
    });
  }
});

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { classCountsOfRun } from "../../../src/main/store/class-counts.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { RunQueue } from "../../../src/main/training/queue.ts";
import { recoverRuns, requeueRun } from "../../../src/main/training/recovery.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { createPrivate, openPlace } from "./place.ts";

const trainerFile = join(import.meta.dirname, "logistic-trainer.ts");
const coreProcess = join(import.meta.dirname, "counting-core-process.ts");

describe("private class weights", () => {
  it("are drawn once, train both runs of a pair, and stand in the ledger with the steps", async () => {
    const { database, dataFolder, cohortId } = await openPlace();
    const queue = new RunQueue({ database, dataFolder, trainerFile });
    onTestFinished(() => queue.close());
    const [privateId = "", referenceId = ""] = createRuns(database, {
      cohortId,
      recipe: { ...smallRecipe, classWeights: "private" },
      epsilon: 4,
      delta: null,
      withReference: true,
    });
    queue.add([privateId, referenceId]);
    for (const runId of [privateId, referenceId]) {
      expect(await queue.whenOver(runId)).toMatchObject({ state: "finished", message: null });
    }
    const counts = classCountsOfRun(database, privateId)!;
    expect(counts.noiseScale).toBeGreaterThan(0);
    expect(classCountsOfRun(database, referenceId)).toEqual(counts);
    const { mechanisms, epsilon, delta, runs, verification } = readLedger(database, cohortId);
    expect(verification.intact).toBe(true);
    expect(runs.length).toBe(1);
    expect(mechanisms.map(({ steps }) => steps)).toEqual([
      1,
      requireRun(database, privateId).plan.steps,
    ]);
    expect(epsilonOf(mechanisms, delta!).epsilon).toBeCloseTo(epsilon, 12);
    expect(epsilon).toBeLessThanOrEqual(4);
    expect(epsilon).toBeGreaterThan(3.99);
  });

  it("are spent where the core is killed as it draws them, and are not drawn again", async () => {
    const place = await openPlace();
    const { database, dataFolder, store, cohortId } = place;
    const runId = createPrivate(place, { classWeights: "private" });
    const { signal } = spawnSync(process.execPath, [coreProcess, store, dataFolder, runId], {
      stdio: "inherit",
    });
    expect(signal).toBe("SIGKILL");
    expect(recoverRuns(database).map(({ id }) => id)).toEqual([runId]);
    expect(classCountsOfRun(database, runId)).toBeNull();
    const ledger = readLedger(database, cohortId);
    expect(ledger.runs[0]).toMatchObject({ stepsSpent: 0, classCounts: { spent: true } });
    expect(ledger.epsilon).toBeGreaterThan(0);
    expect(ledger.verification.intact).toBe(true);
    const queue = new RunQueue({ database, dataFolder, trainerFile });
    onTestFinished(() => queue.close());
    requeueRun(database, runId);
    queue.add([runId]);
    const over = await queue.whenOver(runId);
    expect(over.state).toBe("failed");
    expect(over.message).toMatch(/spent, and lost/);
    expect(readLedger(database, cohortId).epsilon).toBe(ledger.epsilon);
  });
});

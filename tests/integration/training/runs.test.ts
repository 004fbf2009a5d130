import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunProgress } from "../../../src/shared/domain.ts";
import type { Recipe } from "../../../src/shared/plan.ts";
import { networkNamed } from "../../../src/main/network/networks.ts";
import { readSafetensors } from "../../../src/main/network/safetensors.ts";
import { currentSplit } from "../../../src/main/store/splits.ts";
import {
  checkpointsOfRun,
  predictionsOfRun,
  requireRun,
  telemetryAfter,
} from "../../../src/main/store/runs.ts";
import { trainingImages } from "../../../src/main/store/training-images.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { RunQueue } from "../../../src/main/training/queue.ts";
import { recoverRuns, requestStop, requeueRun } from "../../../src/main/training/recovery.ts";
import { runFolder, startRun } from "../../../src/main/training/run-host.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { seeded } from "../../support/films.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { createPrivate, openPlace, stepsDrawn, until, type Place } from "./place.ts";

const logisticTrainer = join(import.meta.dirname, "logistic-trainer.ts");
const coreProcess = join(import.meta.dirname, "core-process.ts");

function create(place: Place, epsilon: number | null, recipe: Partial<Recipe> = {}): string[] {
  return createRuns(place.database, {
    cohortId: place.cohortId,
    recipe: { ...smallRecipe, ...recipe },
    epsilon,
    delta: null,
    withReference: epsilon !== null,
  });
}

/** AUROC over all labels of a part together. */
function auroc(place: Place, runId: string, part: "validation" | "test"): number {
  const split = currentSplit(place.database, place.cohortId)!;
  const grades = new Map(
    trainingImages(place.database, split.id).map((image) => [image.imageId, image.grades]),
  );
  const pairs = predictionsOfRun(place.database, runId)
    .filter((prediction) => prediction.part === part)
    .flatMap(({ imageId, scores }) =>
      [...scores].map((score, label) => ({ score, grade: grades.get(imageId)![label] })),
    );
  const positive = pairs.filter(({ grade }) => grade !== null && grade! >= 2);
  const negative = pairs.filter(({ grade }) => grade !== null && grade! < 2);
  let wins = 0;
  for (const p of positive) {
    for (const n of negative) wins += p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0;
  }
  return wins / (positive.length * negative.length);
}

function slowly(milliseconds: number): void {
  process.env["TEST_STEP_MILLISECONDS"] = String(milliseconds);
  onTestFinished(() => {
    delete process.env["TEST_STEP_MILLISECONDS"];
  });
}

describe("a pair of runs", () => {
  it("trains, scores the held-out films and leaves a ledger that adds up", async () => {
    const place = await openPlace();
    const { database, dataFolder, cohortId } = place;
    const [privateId, referenceId] = create(place, 20) as [string, string];
    const seen: RunProgress[] = [];
    const queue = new RunQueue({
      database,
      dataFolder,
      trainerFile: logisticTrainer,
      onProgress: (progress) => seen.push(progress),
    });
    onTestFinished(() => queue.close());
    queue.add([privateId, referenceId]);
    const privateRun = await queue.whenOver(privateId);
    const referenceRun = await queue.whenOver(referenceId);

    expect(privateRun).toMatchObject({ state: "finished", message: null, scored: true });
    expect(referenceRun).toMatchObject({ state: "finished", pairId: privateId, scored: true });
    expect(privateRun.stepsJournaled).toBe(privateRun.plan.steps);
    expect(privateRun.epsilonSpent).toBeCloseTo(privateRun.plan.privacy!.epsilon, 6);
    expect(privateRun.epsilonSpent).toBeLessThanOrEqual(20);
    expect(referenceRun.epsilonSpent).toBeNull();
    expect(currentSplit(database, cohortId)!.lockedAt).not.toBeNull();

    // The findings brighten the frame, so both learn; the reference run learns more.
    expect(auroc(place, referenceId, "test")).toBeGreaterThan(0.85);
    expect(auroc(place, privateId, "test")).toBeGreaterThan(0.55);
    const heldOut = trainingImages(database, currentSplit(database, cohortId)!.id).filter(
      (image) => image.part !== "train",
    );
    expect(predictionsOfRun(database, privateId).length).toBe(heldOut.length);

    const ledger = readLedger(database, cohortId);
    expect(ledger.verification).toMatchObject({ intact: true, findings: [] });
    expect(ledger.entries.map((entry) => [entry.kind, entry.runId])).toEqual([
      ["run-planned", privateId],
      ["run-ended", privateId],
      ["run-planned", referenceId],
      ["run-ended", referenceId],
    ]);
    expect(ledger.epsilon).toBeCloseTo(privateRun.epsilonSpent!, 6);

    const curve = telemetryAfter(database, privateId, 0);
    expect(curve.at(-1)!.step).toBe(privateRun.plan.steps);
    expect(curve.every((point) => point.clippedShare !== null)).toBe(true);
    expect(seen.some((progress) => progress.run.state === "running")).toBe(true);
    expect(seen.at(-1)!.run.state).toBe("finished");

    const { weightsFile, weightsSha256 } = requireRun(database, privateId);
    const weights = readFileSync(join(dataFolder, weightsFile!));
    expect(createHash("sha256").update(weights).digest("hex")).toBe(weightsSha256);
    expect([...readSafetensors(weights).tensors.keys()]).toEqual(["fc.weight", "fc.bias"]);
    const files = readdirSync(runFolder(dataFolder, privateId));
    expect(files.filter((file) => file.endsWith(".part"))).toEqual([]);
    expect(files).toContain(checkpointsOfRun(database, privateId)[0]!.file);
  });

  it("runs the product's own trainer and engine on the study's kind of network", async () => {
    const place = await openPlace(90);
    const { database, dataFolder } = place;
    const [privateId, referenceId] = create(place, 8, {
      epochs: 2,
      resolutionPixels: 16,
      augmentation: true,
    }) as [string, string];
    const queue = new RunQueue({ database, dataFolder });
    onTestFinished(() => queue.close());
    queue.add([privateId, referenceId]);
    for (const runId of [privateId, referenceId]) {
      expect(await queue.whenOver(runId)).toMatchObject({ state: "finished", scored: true });
      const run = requireRun(database, runId);
      expect(run.engine).toBe("onnxruntime-cpu");
      const { tensors } = readSafetensors(readFileSync(join(dataFolder, run.weightsFile!)));
      const { parameters } = networkNamed("resnet9-small");
      expect([...tensors.keys()]).toEqual(parameters.map((parameter) => parameter.name));
      for (const { scores } of predictionsOfRun(database, runId)) {
        expect([...scores].every((score) => score > 0 && score < 1)).toBe(true);
      }
    }
  });
});

describe("a run that is stopped", () => {
  it("keeps its weights, is scored, and can be resumed without passing its plan", async () => {
    slowly(30);
    const place = await openPlace();
    const { database, dataFolder, cohortId } = place;
    const runId = createPrivate(place, { epochs: 5 });
    const handle = startRun({ database, dataFolder, runId, trainerFile: logisticTrainer });
    await until(() => handle.progress().step >= 5);
    handle.stop();
    const stopped = await handle.done;
    expect(stopped).toMatchObject({ state: "stopped", scored: true });
    expect(stopped.stepsJournaled).toBeLessThan(stopped.plan.steps);
    expect(stepsDrawn(place.dataFolder, runId).length).toBe(stopped.stepsJournaled);
    expect(requireRun(database, runId).weightsFile).not.toBeNull();

    requeueRun(database, runId);
    const resumed = await startRun({ database, dataFolder, runId, trainerFile: logisticTrainer })
      .done;
    expect(resumed).toMatchObject({ state: "finished", stepsJournaled: resumed.plan.steps });
    const drawn = stepsDrawn(place.dataFolder, runId);
    expect(drawn).toEqual(Array.from({ length: resumed.plan.steps }, (_, i) => i + 1));
    expect(readLedger(database, cohortId).verification).toMatchObject({
      intact: true,
      findings: [],
    });
  });

  it("stops when another process asks through the store", async () => {
    slowly(30);
    const place = await openPlace();
    const runId = createPrivate(place, { epochs: 500 });
    const core = startCore(place, runId);
    await until(() => requireRun(place.database, runId).stepsJournaled >= 3);
    const asked = requestStop(place.database, runId);
    expect(asked.state).toBe("running");
    await new Promise((resolve) => core.once("exit", resolve));
    const run = requireRun(place.database, runId);
    expect(run.state).toBe("stopped");
    expect(run.stepsJournaled).toBeLessThan(run.plan.steps);
  });
});

describe("a process that is killed", () => {
  it("the trainer: the run fails, and no drawn step is missing from the journal", async () => {
    slowly(3);
    const place = await openPlace();
    const { database, dataFolder, cohortId } = place;
    const random = seeded(11);
    for (let round = 0; round < 3; round += 1) {
      const runId = createPrivate(place, { epochs: 2000 });
      const handle = startRun({ database, dataFolder, runId, trainerFile: logisticTrainer });
      await until(() => handle.progress().step >= 1);
      await sleep(300 * random());
      handle.kill();
      const failed = await handle.done;
      expect(failed.state).toBe("failed");
      expect(failed.message).toMatch(/count as spent/);
      const drawn = stepsDrawn(place.dataFolder, runId);
      expect(drawn.length).toBeGreaterThan(0);
      expect(failed.stepsJournaled).toBeGreaterThanOrEqual(drawn.length);
      expect(failed.stepsJournaled - drawn.length).toBeLessThanOrEqual(1);
    }
    expect(readLedger(database, cohortId).verification).toMatchObject({
      intact: true,
      findings: [],
    });
  });

  it("the core: the trainer dies with it, and the next opening closes the run", async () => {
    slowly(3);
    const place = await openPlace();
    const random = seeded(12);
    for (let round = 0; round < 3; round += 1) {
      const runId = createPrivate(place, { epochs: 2000 });
      const core = startCore(place, runId);
      await until(() => stepsDrawn(place.dataFolder, runId).length > 0);
      await sleep(300 * random());
      core.kill("SIGKILL");
      await new Promise((resolve) => core.once("exit", resolve));
      const [closed] = recoverRuns(place.database);
      expect(closed).toMatchObject({ id: runId, state: "failed" });
      // The trainer is given time to do wrong.
      await sleep(500);
      const drawn = stepsDrawn(place.dataFolder, runId);
      expect(closed!.stepsJournaled).toBeGreaterThanOrEqual(drawn.length);
      expect(requireRun(place.database, runId).stepsJournaled).toBe(closed!.stepsJournaled);
    }
    expect(readLedger(place.database, place.cohortId).verification.intact).toBe(true);
  });
});

function startCore(place: Place, runId: string): ChildProcess {
  const core = fork(coreProcess, [place.store, place.dataFolder, runId, logisticTrainer], {
    execArgv: [],
  });
  onTestFinished(() => {
    core.kill("SIGKILL");
  });
  return core;
}

import { randomFillSync } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FrameWriter } from "../../../src/main/store/image-cache.ts";
import { makePlan } from "../../../src/main/training/recipe.ts";
import { runFolder } from "../../../src/main/training/run-host.ts";
import { startTrainer } from "../../../src/main/training/trainer-host.ts";
import type { TrainingSet } from "../../../src/main/training/training-set.ts";
import { seeded } from "../../support/films.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { setVariable } from "./place.ts";

vi.setConfig({ testTimeout: 240_000 });

const framePixels = 320;
const frameKibibytes = framePixels ** 2 / 1024;
const trainerFile = join(import.meta.dirname, "measured-trainer.ts");

/** So many frames of noise, one for each patient: four fifths to train on, a tenth each held out. */
async function makeSet(dataFolder: string, images: number): Promise<TrainingSet> {
  const writer = new FrameWriter(dataFolder, framePixels);
  const random = seeded(5);
  const shard: string[] = [];
  const positions: number[] = [];
  const checksums: number[] = [];
  for (let at = 0; at < images; at += 1) {
    const [place] = await writer.append([randomFillSync(new Uint8Array(framePixels ** 2))]);
    shard.push(place!.shard);
    positions.push(place!.position);
    checksums.push(place!.checksum);
  }
  await writer.close();
  const all = Uint32Array.from({ length: images }, (_, image) => image);
  const training = Math.round(0.8 * images);
  const validation = Math.round(0.9 * images);
  return {
    shards: [...new Set(shard)],
    framePixels,
    scheme: "sided",
    imageIds: Float64Array.from(all),
    shardOfImage: new Uint32Array(images),
    positionOfImage: Float64Array.from(positions),
    checksumOfImage: Float64Array.from(checksums),
    labels: Float32Array.from({ length: 8 * images }, () => Math.round(random())),
    unitOffsets: Uint32Array.from({ length: training + 1 }, (_, unit) => unit),
    unitImages: all.slice(0, training),
    validation: all.slice(training, validation),
    test: all.slice(validation),
  };
}

/** Trains privately for so many passes over so many images. @returns the trainer's highest memory, KiB */
async function peakOfRun(images: number, epochs: number): Promise<number> {
  const dataFolder = temporaryFolder();
  const set = await makeSet(dataFolder, images);
  const peakFile = join(dataFolder, "peak");
  setVariable("TEST_PEAK_FILE", peakFile);
  const folder = runFolder(dataFolder, "p-1");
  mkdirSync(folder, { recursive: true });
  const plan = makePlan({
    recipe: {
      ...smallRecipe,
      network: "resnet9-small",
      resolutionPixels: 32,
      expectedBatch: 40,
      epochs,
      augmentation: true,
      engine: "onnxruntime-cpu",
    },
    epsilon: 8,
    delta: null,
    units: set.unitOffsets.length - 1,
    positiveAtGrade: 2,
    pixelPipeline: "test",
  });
  let steps = 0;
  let scored = 0;
  const trainer = startTrainer(
    {
      runId: "p-1",
      kind: "private",
      plan,
      dataFolder,
      runFolder: folder,
      set,
      classWeights: null,
      initialSeed: "memory",
      stepsJournaled: 0,
      checkpoints: [],
      engine: "onnxruntime-cpu",
      checkpointSeconds: 3600,
      microbatch: 4,
      threads: 1,
    },
    (message, process) => {
      if (message.kind === "journal")
        process.send({ kind: "journaled", step: message.step, stopRequested: false });
      else if (message.kind === "step") steps += 1;
      else if (message.kind === "predictions") scored += message.imageIds.length;
    },
    trainerFile,
  );
  expect(await trainer.ended).toEqual({ state: "finished" });
  expect(steps).toBe(plan.steps);
  expect(scored).toBe(set.validation.length + set.test.length);
  return Number(readFileSync(peakFile, "utf8"));
}

describe.skipIf(process.platform !== "linux")("the memory of a trainer", () => {
  it("does not grow with the number of images in the cohort", async () => {
    const [few, many] = [300, 2400];
    // As many steps, so that only the cohort is larger. What the collector leaves for later makes
    // some 25 MB of difference between two runs alike; the frames that are added are 205 MB.
    const small = await peakOfRun(few, many / few);
    const large = await peakOfRun(many, 1);
    expect(small).toBeGreaterThan(0);
    expect(large - small).toBeLessThan(((many - few) * frameKibibytes) / 4);
  });
});

import { describe, expect, it } from "vitest";
import { keysOf, mirroredFindings } from "../../../src/shared/findings.ts";
import { ownScheme } from "../../../src/shared/own-labels.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import { FrameWriter } from "../../../src/main/store/image-cache.ts";
import { BatchReader } from "../../../src/main/training/batches.ts";
import { mirrorImage } from "../../../src/main/training/frames.ts";
import type { TrainingSet } from "../../../src/main/training/training-set.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const pixels = 16;
const units = 40;

/** Units with one film each: bright on the image's left (the patient's right), labels to match. */
async function sidedSet(dataFolder: string): Promise<TrainingSet> {
  const frame = Uint8Array.from({ length: pixels ** 2 }, (_, i) => (i % pixels < 4 ? 200 : 20));
  const writer = new FrameWriter(dataFolder, pixels);
  const locations = await writer.append(Array.from({ length: units }, () => frame));
  await writer.close();
  const labels: number[] = keysOf("sided").map((key) => (key.endsWith("_right") ? 1 : 0));
  // A missing label moves with its side.
  labels[keysOf("sided").indexOf("atelectasis_right")] = NaN;
  return {
    shards: [locations[0]!.shard],
    framePixels: pixels,
    scheme: "sided",
    imageIds: Float64Array.from({ length: units }, (_, i) => i + 1),
    shardOfImage: new Uint32Array(units),
    positionOfImage: Float64Array.from(locations, (location) => location.position),
    checksumOfImage: Float64Array.from(locations, (location) => location.checksum),
    labels: Float32Array.from(Array.from({ length: units }, () => labels).flat()),
    unitOffsets: Uint32Array.from({ length: units + 1 }, (_, i) => i),
    unitImages: Uint32Array.from({ length: units }, (_, i) => i),
    validation: new Uint32Array(),
    test: new Uint32Array(),
  };
}

describe("a mirrored contribution", () => {
  it("shows the other side in its image and in its labels, in about half of the units", async () => {
    const dataFolder = temporaryFolder();
    const set = await sidedSet(dataFolder);
    const reader = new BatchReader(dataFolder, set, pixels);
    const stream = reproducibleRandomStreams("mirror").views;
    const sample = { unitsWithImages: set.unitImages, images: set.unitImages };
    const { images, labels } = await reader.readBatch(sample, 1, {
      stream,
      move: false,
      mirror: true,
    });
    await reader.close();
    let mirrored = 0;
    for (let unit = 0; unit < units; unit += 1) {
      const row = images.subarray(unit * pixels ** 2, unit * pixels ** 2 + pixels);
      const leftIsBright = row[0]! > 0.5;
      expect(row[pixels - 1]! > 0.5).toBe(!leftIsBright);
      const own = labels.subarray(
        unit * keysOf("sided").length,
        (unit + 1) * keysOf("sided").length,
      );
      const positive = leftIsBright ? "_right" : "_left";
      keysOf("sided").forEach((key, index) => {
        if (key === `atelectasis${positive}`) expect(own[index]).toBeNaN();
        else expect(own[index]).toBe(key.endsWith(positive) ? 1 : 0);
      });
      if (!leftIsBright) mirrored += 1;
    }
    expect(mirrored).toBeGreaterThan(10);
    expect(mirrored).toBeLessThan(30);
  });

  it("of a film whose labels have no side carries the same labels", async () => {
    const dataFolder = temporaryFolder();
    const sided = await sidedSet(dataFolder);
    const labels = Float32Array.from(
      { length: units * keysOf("unsided").length },
      (_, i) => [1, 0, NaN, 1, 0][i % 5]!,
    );
    const set = { ...sided, scheme: "unsided" as const, labels };
    const reader = new BatchReader(dataFolder, set, pixels);
    const batch = await reader.readBatch(
      { unitsWithImages: set.unitImages, images: set.unitImages },
      1,
      {
        stream: reproducibleRandomStreams("mirror").views,
        move: false,
        mirror: true,
      },
    );
    await reader.close();
    expect(batch.labels).toEqual(labels);
    const mirrored = Array.from({ length: units }, (_, unit) => batch.images[unit * pixels ** 2]!);
    expect(new Set(mirrored.map((value) => value > 0.5)).size).toBe(2);
  });

  it("has no label of a side whose other is none of the cohort's", async () => {
    const dataFolder = temporaryFolder();
    const sided = await sidedSet(dataFolder);
    const scheme = ownScheme([
      { name: "Drain", side: "right" },
      { name: "Tube", side: "right" },
      { name: "Mass", side: null },
      { name: "Tube", side: "left" },
    ]);
    const labels = Float32Array.from({ length: units * 4 }, (_, i) => [1, 1, 1, 0][i % 4]!);
    const reader = new BatchReader(dataFolder, { ...sided, scheme, labels }, pixels);
    const { images, labels: batch } = await reader.readBatch(
      { unitsWithImages: sided.unitImages, images: sided.unitImages },
      1,
      { stream: reproducibleRandomStreams("mirror").views, move: false, mirror: true },
    );
    await reader.close();
    const kinds = new Set<boolean>();
    for (let unit = 0; unit < units; unit += 1) {
      const isMirrored = images[unit * pixels ** 2]! < 0.5;
      kinds.add(isMirrored);
      const own = [...batch.subarray(unit * 4, unit * 4 + 4)];
      expect(own).toEqual(isMirrored ? [NaN, 0, 1, 1] : [1, 1, 1, 0]);
    }
    expect(kinds.size).toBe(2);
  });

  it("is never made unless asked for", async () => {
    const dataFolder = temporaryFolder();
    const set = await sidedSet(dataFolder);
    const reader = new BatchReader(dataFolder, set, pixels);
    const stream = reproducibleRandomStreams("mirror").views;
    const sample = { unitsWithImages: set.unitImages, images: set.unitImages };
    const batch = await reader.readBatch(sample, 1, { stream, move: false, mirror: false });
    await reader.close();
    expect(batch.labels).toEqual(set.labels);
    for (let unit = 0; unit < units; unit += 1) {
      expect(batch.images[unit * pixels ** 2]).toBeGreaterThan(0.5);
    }
  });

  it("twice is the film itself, and every side has its counterpart", () => {
    const image = Float32Array.from({ length: 9 }, (_, i) => i);
    mirrorImage(image, 3);
    expect([...image]).toEqual([2, 1, 0, 5, 4, 3, 8, 7, 6]);
    mirrorImage(image, 3);
    expect([...image]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(mirroredFindings("sided").map((index) => keysOf("sided")[index])).toEqual([
      "cardiomegaly",
      "congestion",
      "pleural_effusion_left",
      "pleural_effusion_right",
      "pneumonic_infiltration_left",
      "pneumonic_infiltration_right",
      "atelectasis_left",
      "atelectasis_right",
    ]);
  });
});

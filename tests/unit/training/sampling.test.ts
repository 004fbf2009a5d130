import { describe, expect, it } from "vitest";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import { drawStep } from "../../../src/main/training/sampling.ts";
import type { TrainingSet } from "../../../src/main/training/training-set.ts";

/** Units with 1, 2, 3, 1, 2, 3, ... images; the labels of an image are its place in its unit. */
function setOf(units: number): TrainingSet {
  const sizes = Array.from({ length: units }, (_, unit) => 1 + (unit % 3));
  const unitOffsets = new Uint32Array(units + 1);
  sizes.forEach((size, unit) => {
    unitOffsets[unit + 1] = unitOffsets[unit]! + size;
  });
  const images = unitOffsets[units]!;
  const placeOf = sizes.flatMap((size) => Array.from({ length: size }, (_, place) => place));
  return {
    shards: [],
    framePixels: 1,
    scheme: "sided",
    imageIds: Float64Array.from({ length: images }, (_, i) => i),
    shardOfImage: new Uint32Array(images),
    positionOfImage: new Float64Array(images),
    checksumOfImage: new Float64Array(images),
    // The third image of a unit carries the labels of its first.
    labels: Float32Array.from(placeOf.flatMap((place) => new Array<number>(8).fill(place % 2))),
    unitOffsets,
    unitImages: Uint32Array.from({ length: images }, (_, i) => i),
    validation: new Uint32Array(0),
    test: new Uint32Array(0),
  };
}

describe("a step's sample", () => {
  const set = setOf(300);
  const rate = 0.07;
  const steps = 4000;

  it("takes each unit at the sampling rate, independently of the others", () => {
    const streams = reproducibleRandomStreams("sampling test");
    const taken = new Float64Array(300);
    let sum = 0;
    let squares = 0;
    for (let step = 0; step < steps; step += 1) {
      const { units } = drawStep(streams, set, rate, 1);
      for (const unit of units) taken[unit]! += 1;
      sum += units.length;
      squares += units.length ** 2;
    }
    const mean = sum / steps;
    const variance = squares / steps - mean ** 2;
    const binomial = 300 * rate * (1 - rate);
    // Five standard errors of the mean and of the variance.
    expect(Math.abs(mean - 300 * rate)).toBeLessThan(5 * Math.sqrt(binomial / steps));
    expect(Math.abs(variance / binomial - 1)).toBeLessThan(5 * Math.sqrt(2 / steps));
    const deviation = Math.sqrt(rate * (1 - rate) * steps);
    for (const count of taken) expect(Math.abs(count - rate * steps)).toBeLessThan(5 * deviation);
  });

  it("shows each image of a unit equally often", () => {
    const streams = reproducibleRandomStreams("views test");
    const shown = new Map<number, number>();
    for (let step = 0; step < 3000; step += 1) {
      const { units, images } = drawStep(streams, set, 1, 1);
      expect(units.length).toBe(300);
      const image = images[2]!;
      shown.set(image, (shown.get(image) ?? 0) + 1);
    }
    expect([...shown.keys()].sort()).toEqual([3, 4, 5]);
    for (const count of shown.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * 26);
  });

  it("can be empty", () => {
    const streams = reproducibleRandomStreams("empty test");
    const sizes = Array.from(
      { length: 200 },
      () => drawStep(streams, set, 1 / 300, 1).units.length,
    );
    expect(sizes).toContain(0);
  });

  it("gives the views of a unit the same labels", () => {
    const streams = reproducibleRandomStreams("alike test");
    const { units, images } = drawStep(streams, set, 1, 4);
    units.forEach((unit, index) => {
      const views = [...images.subarray(4 * index, 4 * index + 4)];
      expect(new Set(views.map((image) => set.labels[8 * image])).size).toBe(1);
      for (const image of views) {
        expect(image).toBeGreaterThanOrEqual(set.unitOffsets[unit]!);
        expect(image).toBeLessThan(set.unitOffsets[unit + 1]!);
      }
    });
  });
});

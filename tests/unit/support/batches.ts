import type { UnitBatch } from "../../../src/main/engine/engine.ts";
import type { NetworkDescription } from "../../../src/main/network/index.ts";
import { seededRandom } from "./random.ts";

export function randomBatch(
  network: NetworkDescription,
  shape: { units: number; views: number; resolutionPixels: number; seed: number },
): UnitBatch {
  const { units, views, resolutionPixels, seed } = shape;
  const random = seededRandom(seed);
  const pixels = units * views * resolutionPixels * resolutionPixels;
  return {
    units,
    views,
    images: Float32Array.from({ length: pixels }, random),
    labels: Float32Array.from({ length: units * network.labels }, () => (random() < 0.4 ? 1 : 0)),
  };
}

/** The images of one unit, one array for each view. */
export function viewsOf(batch: UnitBatch, unit: number): Float32Array[] {
  const size = batch.images.length / (batch.units * batch.views);
  return Array.from({ length: batch.views }, (_, view) => {
    const start = (unit * batch.views + view) * size;
    return batch.images.subarray(start, start + size);
  });
}

/** The labels of one unit. */
export function labelsOf(batch: UnitBatch, unit: number): Float32Array {
  const size = batch.labels.length / batch.units;
  return batch.labels.subarray(unit * size, (unit + 1) * size);
}

/** A batch of some units of another, in the given order. */
export function chosen(batch: UnitBatch, order: readonly number[]): UnitBatch {
  const imageSize = batch.images.length / batch.units;
  const labelSize = batch.labels.length / batch.units;
  const images = new Float32Array(order.length * imageSize);
  const labels = new Float32Array(order.length * labelSize);
  order.forEach((unit, at) => {
    images.set(batch.images.subarray(unit * imageSize, (unit + 1) * imageSize), at * imageSize);
    labels.set(batch.labels.subarray(unit * labelSize, (unit + 1) * labelSize), at * labelSize);
  });
  return { units: order.length, views: batch.views, images, labels };
}

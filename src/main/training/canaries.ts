import { randomBytes } from "node:crypto";
import { reproducibleRandomStreams } from "../privacy/random.ts";
import { labelCount, type TrainingSet } from "./training-set.ts";

/**
 * The canaries of one run: made-up patients of one film each, of whom each entered training or not
 * by the toss of a fair coin. Core and store know the coins; what scores the canaries does not.
 */
export interface CanaryDraw {
  /** Names the films: the same seed gives the same films. */
  readonly seed: string;
  /** The coins: whether each canary is in the training data. */
  readonly included: readonly boolean[];
}

/** Canaries as a trainer sees them beside the cohort's images. */
export interface CanaryFilms {
  /** The number of the first canary in the training set's numbering; the others follow. */
  readonly firstImage: number;
  readonly count: number;
  /** [count, framePixels, framePixels], as in the image cache. */
  readonly frames: Uint8Array;
}

/** Tosses the coins and draws the seed from the operating system's generator. */
export function drawCanaries(count: number): CanaryDraw {
  const tosses = randomBytes(count);
  return {
    seed: randomBytes(16).toString("hex"),
    included: Array.from(tosses, (byte) => (byte & 1) === 1),
  };
}

/**
 * The same training set with the included canaries as further units, after all patients. Every
 * canary gets a number among the images, so that each can be scored; those whose coin fell the
 * other way belong to no unit and no step can draw them. Held-out parts stay as they are.
 *
 * A canary is a unit like any other: sampled at the plan's rate, clipped to C, under the same
 * noise. The plan's units, sampling rate and divisor count patients only, as without canaries; see
 * docs/decisions/0008-canaries-beside-the-plan.md for why that leaves a patient's guarantee as it is.
 */
export function withCanaries(set: TrainingSet, draw: CanaryDraw): TrainingSet {
  const count = draw.included.length;
  if (count === 0) return set;
  const firstImage = set.imageIds.length;
  const area = set.framePixels ** 2;
  const frames = new Uint8Array(count * area);
  const labels = new Float32Array((firstImage + count) * labelCount);
  labels.set(set.labels);
  for (let canary = 0; canary < count; canary += 1) {
    const film = canaryFilm(draw.seed, canary, set.framePixels);
    frames.set(film.frame, canary * area);
    labels.set(film.labels, (firstImage + canary) * labelCount);
  }
  const joined = draw.included.flatMap((included, canary) =>
    included ? [firstImage + canary] : [],
  );
  const images = set.unitImages.length;
  return {
    ...set,
    labels,
    unitOffsets: Uint32Array.from([
      ...set.unitOffsets,
      ...joined.map((_image, index) => images + index + 1),
    ]),
    unitImages: Uint32Array.from([...set.unitImages, ...joined]),
    canaries: { firstImage, count, frames },
  };
}

/**
 * One canary: a film of a few broad gratings and discs, unlike any radiograph and unlike every
 * other canary, with labels tossed at random. It pulls the weights where no patient pulls them, and
 * again and again in the same direction, which is what makes its presence easy to find. Its detail
 * is coarse, so that it survives the reduction to the training resolution and the small movements
 * of the augmentation.
 *
 * @returns the frame, [framePixels, framePixels], and the labels, 0 or 1 each
 */
export function canaryFilm(
  seed: string,
  canary: number,
  framePixels: number,
): { readonly frame: Uint8Array; readonly labels: Float32Array } {
  const { views } = reproducibleRandomStreams(`canary ${seed} ${canary}`);
  const labels = Float32Array.from({ length: labelCount }, () => views.below(2));
  const gratings = Array.from({ length: 4 }, () => {
    const angle = Math.PI * views.uniform();
    const waves = 1 + 6 * views.uniform();
    return {
      alongX: 2 * Math.PI * waves * Math.cos(angle),
      alongY: 2 * Math.PI * waves * Math.sin(angle),
      phase: 2 * Math.PI * views.uniform(),
    };
  });
  const discs = Array.from({ length: 3 }, () => ({
    x: views.uniform(),
    y: views.uniform(),
    radius: 0.08 + 0.17 * views.uniform(),
    height: views.below(2) === 0 ? 2.5 : -2.5,
  }));
  const values = new Float64Array(framePixels ** 2);
  for (let row = 0; row < framePixels; row += 1) {
    for (let column = 0; column < framePixels; column += 1) {
      const x = (column + 0.5) / framePixels;
      const y = (row + 0.5) / framePixels;
      let value = 0;
      for (const { alongX, alongY, phase } of gratings) {
        value += Math.sin(alongX * x + alongY * y + phase);
      }
      for (const disc of discs) {
        if (Math.hypot(x - disc.x, y - disc.y) < disc.radius) value += disc.height;
      }
      values[row * framePixels + column] = value;
    }
  }
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const frame = Uint8Array.from(values, (value) =>
    Math.round((255 * (value - low)) / (high - low)),
  );
  return { frame, labels };
}

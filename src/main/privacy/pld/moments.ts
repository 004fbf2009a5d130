import { minimiseOverPositive } from "../numeric.ts";
import { largestSensitivity, type GaussianMixture } from "./mixture.ts";

/** The two directions of the add/remove relation. */
export type Direction = "remove" | "add";

/**
 * log E[exp(t x loss)] of one step, the loss taken in the given direction, by the trapezoidal rule
 * over the outcome. With L = P/Q it is log E_Q[L^(1 + t)] for "remove" and log E_Q[L^(-t)] for
 * "add". Used to place the window and the tilt; no bound rests on its last digits.
 */
export function logMomentOfLoss(mixture: GaussianMixture, direction: Direction, t: number): number {
  const power = direction === "remove" ? 1 + t : -t;
  const { weights, noiseMultiplier } = mixture;
  const variance = noiseMultiplier * noiseMultiplier;
  const shift = power * largestSensitivity(mixture);
  const from = Math.min(0, shift) - 10 * noiseMultiplier;
  const to = Math.max(0, shift) + 10 * noiseMultiplier;
  const count = Math.min(20_000, Math.ceil((to - from) / Math.min(noiseMultiplier / 3, variance)));
  const step = (to - from) / count;
  const values = new Float64Array(count + 1);
  const logWeights = weights.map(Math.log);
  let largest = -Infinity;
  for (let index = 0; index <= count; index += 1) {
    const z = from + index * step;
    let top = -Infinity;
    for (let j = 0; j < weights.length; j += 1) {
      top = Math.max(top, (logWeights[j] ?? NaN) + (j * (2 * z - j)) / (2 * variance));
    }
    let sum = 0;
    for (let j = 0; j < weights.length; j += 1) {
      sum += Math.exp((logWeights[j] ?? NaN) + (j * (2 * z - j)) / (2 * variance) - top);
    }
    const value = power * (top + Math.log(sum)) - (z * z) / (2 * variance);
    values[index] = value;
    if (value > largest) largest = value;
  }
  let total = 0;
  for (let index = 0; index <= count; index += 1) total += Math.exp((values[index] ?? 0) - largest);
  return largest + Math.log((total * step) / (noiseMultiplier * Math.sqrt(2 * Math.PI)));
}

/** The same for the sum of the losses of a whole composition. */
export function logMomentOfComposition(
  mixtures: readonly GaussianMixture[],
  direction: Direction,
  t: number,
): number {
  let sum = 0;
  for (const mixture of mixtures) sum += mixture.steps * logMomentOfLoss(mixture, direction, t);
  return sum;
}

/**
 * The tilt t that proves the smallest epsilon at delta by moments alone, with that epsilon:
 * Proposition 12 of arXiv 2004.00010 with order 1 + t. It lies close to the saddle point of delta.
 */
export function tiltForDelta(
  mixtures: readonly GaussianMixture[],
  direction: Direction,
  delta: number,
): { tilt: number; epsilon: number } {
  const best = minimiseOverPositive(
    (t) => (logMomentOfComposition(mixtures, direction, t) - Math.log(delta) + conversion(t)) / t,
    4,
    1e-6,
    1e6,
  );
  return { tilt: best.x, epsilon: best.value };
}

/** The tilt that proves the smallest delta at epsilon by moments alone, with the log of it. */
export function tiltForEpsilon(
  mixtures: readonly GaussianMixture[],
  direction: Direction,
  epsilon: number,
): { tilt: number; logDelta: number } {
  const best = minimiseOverPositive(
    (t) => logMomentOfComposition(mixtures, direction, t) - t * epsilon + conversion(t),
    4,
    1e-6,
    1e6,
  );
  return { tilt: best.x, logDelta: best.value };
}

/** log of max over x of exp(-t x)(1 - exp(-x)): t^t / (1 + t)^(1 + t). */
function conversion(t: number): number {
  return t * Math.log(t) - (1 + t) * Math.log1p(t);
}

/** How one direction of a composition is resolved by a circular transform. */
export interface Resolution {
  /** The smallest loss that is read. */
  readonly bottom: number;
  /** The length of the circle. */
  readonly width: number;
  /** The exponential tilt. */
  readonly tilt: number;
  /** The exponent of the Chernoff bound on what lies above the window. */
  readonly topExponent: number;
}

/**
 * Width and tilt for reading the composed loss S from `bottom` on, such that what wraps around the
 * circle stays under `tail`. Mass from below arrives multiplied by exp(-tilt x width), which is at
 * most `tail`. Mass from above bottom + width arrives multiplied by exp(tilt x width); it has a
 * probability under tail^2 by Chernoff's inequality with an exponent of at least twice the tilt,
 * so that a longer circle (the two directions share one) only lessens it.
 */
export function resolutionsOf(
  mixtures: readonly GaussianMixture[],
  bottom: Readonly<Record<Direction, number>>,
  tail: number,
): Record<Direction, Resolution> {
  const logTail = Math.log(tail);
  const widthAt = (direction: Direction, t: number): number =>
    (logMomentOfComposition(mixtures, direction, t) - 2 * logTail) / t - bottom[direction];
  const widthOf = (direction: Direction): { x: number; value: number } =>
    minimiseOverPositive((t) => widthAt(direction, t), 8, 1e-6, 1e6);
  const remove = widthOf("remove");
  const add = widthOf("add");
  const least = Math.max(remove.value, add.value) / 16;
  const resolution = (direction: Direction, found: { x: number; value: number }): Resolution => {
    const width = Math.max(found.value, (-2 * logTail) / found.x, least);
    const tilt = -logTail / width;
    let topExponent = found.x;
    // Where losses end below the bottom any large exponent proves it; a small one is enough, and
    // is not magnified by the grid.
    while (topExponent > 4 * tilt && widthAt(direction, topExponent / 2) <= width) topExponent /= 2;
    return { bottom: bottom[direction], width, tilt, topExponent };
  };
  return { remove: resolution("remove", remove), add: resolution("add", add) };
}

import {
  checkDelta,
  checkEpsilon,
  mergeMechanisms,
  type SubsampledGaussian,
} from "../mechanism.ts";
import { composeLosses, type ComposedLoss } from "./compose.ts";
import { mixtureOf, type GaussianMixture } from "./mixture.ts";
import { resolutionsOf, tiltForDelta, tiltForEpsilon, type Direction } from "./moments.ts";

/** The share of delta that may go to truncation, in each of its places. */
const TRUNCATED_SHARE = 1e-4;
/** By how much the grid may enlarge epsilon, relative. */
const GRID_SHARE = 5e-5;
const SHORTEST_WINDOW = 2 ** 14;
const LONGEST_WINDOW = 2 ** 20;

/**
 * Epsilon of a composition at delta by its privacy loss distribution; an upper bound, the larger
 * of both directions of the add/remove relation (Koskela, Jälkö, Honkela 2020, arXiv 1906.03049,
 * for the composition by Fourier transform; see `discretiseLoss` and `composeLosses`).
 *
 * @param contributions how many clipped contributions one unit can have in a step of those
 *   mechanisms that do not say so themselves (`imagesPerPatient`)
 */
export function epsilonByPld(
  mechanisms: readonly SubsampledGaussian[],
  delta: number,
  contributions = 1,
): number {
  checkDelta(delta);
  const mixtures = mixturesOf(mechanisms, contributions, delta);
  if (mixtures.length === 0) return 0;
  if (mixtures.some(({ noiseMultiplier }) => noiseMultiplier === 0)) return Infinity;
  const remove = tiltForDelta(mixtures, "remove", delta);
  const add = tiltForDelta(mixtures, "add", delta);
  // The moments' epsilon is too large by about the log of a small number over the tilt.
  const lowest = {
    remove: Math.max(0, remove.epsilon - 3 / remove.tilt),
    add: Math.max(0, add.epsilon - 3 / add.tilt),
  };
  let rough = Math.max(remove.epsilon, add.epsilon);
  // Where the moments alone prove epsilon 0, nothing is left to resolve.
  if (rough <= 0) return 0;
  for (let attempt = 1; ; attempt += 1) {
    const composed = resolve(mixtures, lowest, rough, delta);
    const removed = epsilonOfLoss(composed.remove, delta);
    const added = epsilonOfLoss(composed.add, delta);
    if (removed === null || added === null) {
      // Moments can be far off where a step hardly ever takes the unit: read from 0 on instead.
      lowest.remove = 0;
      lowest.add = 0;
    } else {
      const epsilon = Math.max(removed, added);
      if (epsilon > rough / 2 || attempt === 3) return epsilon;
      rough = Math.max(epsilon, rough / 100);
    }
  }
}

/** Delta of a composition at epsilon by its privacy loss distribution; an upper bound. */
export function deltaByPld(
  mechanisms: readonly SubsampledGaussian[],
  epsilon: number,
  contributions = 1,
): number {
  checkEpsilon(epsilon);
  if (epsilon === Infinity) return 0;
  const exact = mixturesOf(mechanisms, contributions, 1e-300);
  if (exact.length === 0) return 0;
  if (exact.some(({ noiseMultiplier }) => noiseMultiplier === 0)) return 1;
  const remove = tiltForEpsilon(exact, "remove", epsilon);
  const add = tiltForEpsilon(exact, "add", epsilon);
  const rough = Math.exp(Math.max(remove.logDelta, add.logDelta));
  if (rough < 1e-290) return rough;
  for (let scale = 0.01 * Math.min(1, rough), attempt = 1; ; attempt += 1) {
    const mixtures = mixturesOf(mechanisms, contributions, scale);
    const composed = resolve(mixtures, { remove: epsilon, add: epsilon }, epsilon, scale);
    const removed = deltaOfLoss(composed.remove, epsilon);
    const found = Math.max(removed, deltaOfLoss(composed.add, epsilon));
    // What was truncated is a share of `scale`: once more where delta itself is far smaller.
    if (found > scale || attempt === 4) return found;
    scale = Math.max(0.1 * found, 1e-290);
  }
}

function mixturesOf(
  mechanisms: readonly SubsampledGaussian[],
  contributions: number,
  delta: number,
): GaussianMixture[] {
  const merged = mergeMechanisms(mechanisms);
  const steps = totalSteps(merged);
  return merged.map((mechanism) =>
    mixtureOf(
      mechanism.samplingRate,
      mechanism.noiseMultiplier,
      mechanism.steps,
      mechanism.imagesPerPatient ?? contributions,
      (delta * TRUNCATED_SHARE) / steps,
    ),
  );
}

function totalSteps(parts: readonly { readonly steps: number }[]): number {
  return parts.reduce((sum, { steps }) => sum + steps, 0);
}

/**
 * Chooses window and grid for both directions, and composes.
 *
 * @param lowest the smallest losses that must be resolved
 * @param rough about the epsilon sought, which sets the scale of the grid's error
 */
function resolve(
  mixtures: readonly GaussianMixture[],
  lowest: Readonly<Record<Direction, number>>,
  rough: number,
  delta: number,
): Record<Direction, ComposedLoss> {
  const steps = totalSteps(mixtures);
  const tail = delta * TRUNCATED_SHARE;
  const { remove, add } = resolutionsOf(mixtures, lowest, tail);
  // A loss anywhere in a cell gains about step^2 / 6 of variance, which raises the log moment at
  // the tilt t by steps x step^2 x t (t + 1) / 12, and epsilon by that over t. The direction with
  // the smaller epsilon may err by what it lies below.
  const pointsFor = (tilt: number, allowed: number): number =>
    Math.max(remove.width, add.width) * Math.sqrt((steps * (tilt + 1)) / (12 * allowed));
  const largest = Math.max(lowest.remove, lowest.add);
  const allowed = GRID_SHARE * rough;
  const wanted = Math.max(
    pointsFor(remove.tilt, allowed + 0.1 * (largest - lowest.remove)),
    pointsFor(add.tilt, allowed + 0.1 * (largest - lowest.add)),
  );
  const length = Math.min(
    LONGEST_WINDOW,
    Math.max(SHORTEST_WINDOW, 2 ** Math.round(Math.log2(wanted))),
  );
  return composeLosses(mixtures, { remove, add }, length, tail / steps);
}

/**
 * The smallest epsilon with delta(epsilon) at most delta, where delta(epsilon) is the sum of
 * p(x) (1 - exp(epsilon - x)) over the losses x above epsilon: summed from the top until it
 * reaches delta, then solved exactly between two grid points. 0 where no loss above 0 is needed,
 * null where the answer lies below a window that starts above 0.
 */
function epsilonOfLoss(loss: ComposedLoss, delta: number): number | null {
  const { step, first, tilted } = loss;
  if (loss.beyond >= delta) return Infinity;
  const target = (delta - loss.beyond) / scaleAtBottom(loss);
  if (!Number.isFinite(target)) return Infinity;
  const decay = Math.exp(-step);
  // With the scale taken out: the sum of p(x), and of p(x) exp(point - x).
  let sum = 0;
  let discounted = 0;
  for (let point = first + tilted.length - 1; point > first; point -= 1) {
    const mass = massAt(loss, point);
    sum += mass;
    discounted = mass + discounted * decay;
    if (sum - discounted * decay >= target) {
      return Math.max(0, point * step + Math.log((sum - target) / discounted));
    }
    if (point <= 0) return 0;
  }
  return first > 0 ? null : 0;
}

function deltaOfLoss(loss: ComposedLoss, epsilon: number): number {
  const { step, first, tilted } = loss;
  let sum = 0;
  for (let point = first + tilted.length - 1; point >= first; point -= 1) {
    const distance = point * step - epsilon;
    if (distance <= 0) break;
    sum += massAt(loss, point) * -Math.expm1(-distance);
  }
  return Math.min(1, sum * scaleAtBottom(loss) + loss.beyond);
}

/** The factor by which `massAt` is too small: what tilting did to the window's first point. */
function scaleAtBottom({ logScale, tilt, first, step }: ComposedLoss): number {
  return Math.exp(logScale - tilt * first * step);
}

/**
 * The probability of a grid point over `scaleAtBottom`, with its rounding error added so that it
 * is never too small.
 */
function massAt(loss: ComposedLoss, point: number): number {
  const { tilted, rounding, tilt, step, first } = loss;
  const value = Math.max(0, tilted[point & (tilted.length - 1)] ?? 0) + rounding;
  return value * Math.exp(-tilt * step * (point - first));
}

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
const TRUNCATED_SHARE = 1e-5;
/** By how much the grid may enlarge epsilon, relative. */
const GRID_SHARE = 5e-5;
const SHORTEST_WINDOW = 2 ** 12;
const LONGEST_WINDOW = 2 ** 20;

/**
 * Epsilon of a composition at delta by its privacy loss distribution; an upper bound, the larger
 * of both directions of the add/remove relation (Koskela, Jälkö, Honkela 2020, arXiv 1906.03049,
 * for the composition by Fourier transform; see `discretiseLoss` and `composeLosses`).
 *
 * @param contributions how many clipped contributions one unit can have in a step, each sampled on
 *   its own: 1 unless images are sampled and a patient has several
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
  // Where the moments alone prove epsilon 0, nothing is left to resolve.
  const rough = Math.max(remove.epsilon, add.epsilon);
  if (rough <= 0) return 0;
  // The moments' epsilon is too large by about the log of a small number over the tilt.
  const lowest = {
    remove: Math.max(0, remove.epsilon - 6 / remove.tilt),
    add: Math.max(0, add.epsilon - 6 / add.tilt),
  };
  const read = (): number | null => {
    const composed = resolve(mixtures, lowest, rough, delta);
    const removed = epsilonOfLoss(composed.remove, delta, remove.epsilon);
    const added = epsilonOfLoss(composed.add, delta, add.epsilon);
    return removed === null || added === null ? null : Math.max(removed, added);
  };
  const epsilon = read();
  if (epsilon !== null) return epsilon;
  lowest.remove = 0;
  lowest.add = 0;
  return read() ?? 0;
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
  const scale = Math.min(1, rough) * 1e-2;
  const mixtures = mixturesOf(mechanisms, contributions, scale);
  const composed = resolve(mixtures, { remove: epsilon, add: epsilon }, epsilon, scale);
  return Math.max(deltaOfLoss(composed.remove, epsilon), deltaOfLoss(composed.add, epsilon));
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
      contributions,
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
 * null where the answer lies below the window.
 *
 * @param reference a loss near the answer, by which the sums are scaled
 */
function epsilonOfLoss(loss: ComposedLoss, delta: number, reference: number): number | null {
  const { step, first, tilt } = loss;
  if (loss.beyond >= delta) return Infinity;
  const length = loss.tilted.length;
  const target = (delta - loss.beyond) * Math.exp(tilt * reference - loss.logScale);
  let sum = 0;
  let discounted = 0;
  for (let point = first + length - 1; point > first; point -= 1) {
    const distance = point * step - reference;
    const mass = tiltedMass(loss, point) * Math.exp(-tilt * distance);
    sum += mass;
    discounted += mass * Math.exp(-distance);
    if (sum - discounted * Math.exp(distance - step) >= target) {
      return Math.max(0, reference + Math.log((sum - target) / discounted));
    }
    if (distance + reference <= 0) return 0;
  }
  return null;
}

function deltaOfLoss(loss: ComposedLoss, epsilon: number): number {
  const { step, first, tilt, logScale } = loss;
  let sum = 0;
  for (let point = first + loss.tilted.length - 1; point >= first; point -= 1) {
    const distance = point * step - epsilon;
    if (distance <= 0) break;
    sum += tiltedMass(loss, point) * Math.exp(-tilt * distance) * -Math.expm1(-distance);
  }
  return Math.min(1, sum * Math.exp(logScale - tilt * epsilon) + loss.beyond);
}

/** The tilted probability of a grid point with its rounding error added, so never too small. */
function tiltedMass({ tilted, rounding }: ComposedLoss, point: number): number {
  return Math.max(0, tilted[point & (tilted.length - 1)] ?? 0) + rounding;
}

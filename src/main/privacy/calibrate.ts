import { UserError } from "../../shared/errors.ts";
import { epsilonOf, type Accountant } from "./accountant.ts";
import {
  checkDelta,
  checkEpsilon,
  checkSamplingRate,
  checkSteps,
  type SubsampledGaussian,
} from "./mechanism.ts";

/** How close to the target, from below, a solved epsilon comes (relative). */
const EPSILON_TOLERANCE = 1e-5;
const SMALLEST_NOISE_MULTIPLIER = 1e-3;
const LARGEST_NOISE_MULTIPLIER = 1e12;
const MOST_STEPS = 1e9;

/** A noise multiplier solved from an epsilon, with the epsilon that it really gives. */
export interface CalibratedNoise {
  readonly noiseMultiplier: number;
  /** At most the target, and within 1e-5 of it wherever noise decides it. */
  readonly epsilon: number;
}

/** What is known when the noise is sought. */
export interface NoiseTarget {
  /** The epsilon not to be exceeded. */
  readonly epsilon: number;
  readonly delta: number;
  readonly samplingRate: number;
  readonly steps: number;
  /** What the same units have already spent; the target then bounds everything together. */
  readonly alreadySpent?: readonly SubsampledGaussian[];
  /** A first guess at the noise multiplier, which saves evaluations. */
  readonly guess?: number;
}

/**
 * The smallest noise multiplier whose epsilon does not exceed the target (up to 1e-5 of it; never
 * above it). A run that takes no unit or makes no step needs none: 0 with epsilon as spent.
 *
 * @throws UserError of kind "input" for a value outside its range, of kind "conflict" where what
 *   is already spent leaves nothing, or where no noise reaches the target
 */
export function noiseMultiplierFor(
  target: NoiseTarget,
  accountant: Accountant = "best",
): CalibratedNoise {
  const { epsilon: limit, delta, samplingRate, steps, alreadySpent = [] } = target;
  checkEpsilon(limit);
  checkDelta(delta);
  checkSamplingRate(samplingRate);
  checkSteps(steps);
  const epsilonAt = (noiseMultiplier: number): number =>
    epsilonOf([...alreadySpent, { samplingRate, noiseMultiplier, steps }], delta, accountant)
      .epsilon;

  const spent = alreadySpent.length > 0 ? epsilonOf(alreadySpent, delta, accountant).epsilon : 0;
  if (spent > limit) {
    throw new UserError(
      "conflict",
      `Earlier runs have already spent epsilon ${spent.toPrecision(4)}, more than the ` +
        `${String(limit)} asked for. Choose a larger budget, or leave this cohort untouched.`,
    );
  }
  if (steps === 0 || samplingRate === 0 || limit === Infinity) {
    return { noiseMultiplier: 0, epsilon: epsilonAt(0) };
  }

  // The cheap accountant first: its answer is a close guess at the answer of the dear one.
  const guess =
    target.guess ?? (accountant === "rdp" ? 1 : noiseMultiplierFor(target, "rdp").noiseMultiplier);
  let { lower, upper } = bracket(epsilonAt, limit, guess);
  let sinceHalved = 0;
  while (
    lower !== null &&
    upper.epsilon < limit * (1 - EPSILON_TOLERANCE) &&
    upper.noiseMultiplier / lower.noiseMultiplier > 1 + 1e-9
  ) {
    // False position on log epsilon over log sigma, which is nearly a line, aimed just below the
    // limit; every third time the middle, so that the bracket shrinks whatever the curve does.
    const left = Math.log(lower.noiseMultiplier);
    const right = Math.log(upper.noiseMultiplier);
    const share = sinceHalved < 2 ? falsePosition(lower.epsilon, upper.epsilon, limit) : 0.5;
    sinceHalved = sinceHalved < 2 ? sinceHalved + 1 : 0;
    const noiseMultiplier = Math.exp(left + share * (right - left));
    const epsilon = epsilonAt(noiseMultiplier);
    if (epsilon <= limit) upper = { noiseMultiplier, epsilon };
    else lower = { noiseMultiplier, epsilon };
  }
  return upper;
}

/** Where between two points the curve meets the aim, as a share strictly inside (0, 1). */
function falsePosition(above: number, below: number, limit: number): number {
  const aim = Math.log(limit * (1 - EPSILON_TOLERANCE / 2));
  if (!Number.isFinite(above) || below <= 0) return 0.5;
  const share = (Math.log(above) - aim) / (Math.log(above) - Math.log(below));
  return Math.min(0.999, Math.max(0.001, share));
}

/** Noise multipliers on both sides of the limit; `lower` is null at the smallest one tried. */
function bracket(
  epsilonAt: (noiseMultiplier: number) => number,
  limit: number,
  guess: number,
): { lower: CalibratedNoise | null; upper: CalibratedNoise } {
  let factor = 1.3;
  let noiseMultiplier = guess;
  let epsilon = epsilonAt(noiseMultiplier);
  let point: CalibratedNoise = { noiseMultiplier, epsilon };
  while (epsilon > limit) {
    const lower = point;
    noiseMultiplier *= factor;
    if (noiseMultiplier > LARGEST_NOISE_MULTIPLIER) {
      throw new UserError(
        "conflict",
        `No amount of noise reaches epsilon ${String(limit)} at this delta with what was ` +
          `already spent. Choose a larger epsilon or a larger delta.`,
      );
    }
    epsilon = epsilonAt(noiseMultiplier);
    point = { noiseMultiplier, epsilon };
    if (epsilon <= limit) return { lower, upper: point };
    factor *= factor;
  }
  while (noiseMultiplier > SMALLEST_NOISE_MULTIPLIER) {
    const upper = point;
    noiseMultiplier = Math.max(noiseMultiplier / factor, SMALLEST_NOISE_MULTIPLIER);
    epsilon = epsilonAt(noiseMultiplier);
    point = { noiseMultiplier, epsilon };
    if (epsilon > limit) return { lower: point, upper };
    factor *= factor;
  }
  return { lower: null, upper: point };
}

/** What is known when the number of steps is sought. */
export interface StepsTarget {
  /** The epsilon not to be exceeded. */
  readonly epsilon: number;
  readonly delta: number;
  readonly samplingRate: number;
  readonly noiseMultiplier: number;
  /** What the same units have already spent; the target then bounds everything together. */
  readonly alreadySpent?: readonly SubsampledGaussian[];
  /** The most steps of interest; a billion where it is left out. */
  readonly atMost?: number;
}

/**
 * The largest number of steps, up to `atMost`, whose epsilon does not exceed the target; 0 where
 * not even one does.
 *
 * @throws UserError of kind "input" for a value outside its range
 */
export function stepsFor(target: StepsTarget, accountant: Accountant = "best"): number {
  const { epsilon: limit, delta, samplingRate, noiseMultiplier, alreadySpent = [] } = target;
  const atMost = target.atMost ?? MOST_STEPS;
  checkEpsilon(limit);
  checkSteps(atMost);
  const fits = (steps: number): boolean =>
    epsilonOf([...alreadySpent, { samplingRate, noiseMultiplier, steps }], delta, accountant)
      .epsilon <= limit;

  if (fits(atMost)) return atMost;
  if (!fits(1)) return 0;
  let fitting = 1;
  let tooMany = atMost;
  for (let probe = 16; probe < tooMany; probe *= 16) {
    if (fits(probe)) fitting = probe;
    else tooMany = probe;
  }
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (fits(middle)) fitting = middle;
    else tooMany = middle;
  }
  return fitting;
}

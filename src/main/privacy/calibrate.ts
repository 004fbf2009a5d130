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
const EPSILON_TOLERANCE = 2e-5;
const SMALLEST_NOISE_MULTIPLIER = 1e-3;
const LARGEST_NOISE_MULTIPLIER = 1e12;
const MOST_STEPS = 1e9;

/** A noise multiplier solved from an epsilon, with the epsilon that it really gives. */
export interface CalibratedNoise {
  readonly noiseMultiplier: number;
  /** At most the target, and within 2e-5 of it wherever noise decides it. */
  readonly epsilon: number;
}

/** What is known when the noise is sought. */
export interface NoiseTarget {
  /** The epsilon not to be exceeded. */
  readonly epsilon: number;
  readonly delta: number;
  readonly samplingRate: number;
  readonly steps: number;
  /** As in `SubsampledGaussian`. */
  readonly imagesPerPatient?: number;
  /** What the same units have already spent; the target then bounds everything together. */
  readonly alreadySpent?: readonly SubsampledGaussian[];
}

/**
 * The smallest noise multiplier whose epsilon does not exceed the target (up to 2e-5 of it; never
 * above it). A run that takes no unit or makes no step needs none: 0 with epsilon as spent.
 *
 * @throws UserError of kind "input" for a value outside its range, of kind "conflict" where what
 *   is already spent leaves nothing, or where no noise reaches the target
 */
export function noiseMultiplierFor(
  target: NoiseTarget,
  accountant: Accountant = "best",
): CalibratedNoise {
  checkTarget(target, accountant);
  const { epsilon: limit, samplingRate, steps, imagesPerPatient = 1 } = target;
  if (steps === 0 || samplingRate === 0 || limit === Infinity) {
    return { noiseMultiplier: 0, epsilon: epsilonWith(target, 0, accountant) };
  }
  if (accountant === "best" && needsPld(target)) {
    return search((sigma) => epsilonWith(target, sigma, "pld"), limit, imagesPerPatient);
  }
  const byRdp = search((sigma) => epsilonWith(target, sigma, "rdp"), limit, 1);
  if (accountant === "rdp") return byRdp;
  // The cheap accountant's answer is a close guess at the answer of the dear one, and "best" may
  // take the smaller of the two, since each proves its own.
  const byPld = search((sigma) => epsilonWith(target, sigma, "pld"), limit, byRdp.noiseMultiplier);
  const smaller = byRdp.noiseMultiplier < byPld.noiseMultiplier ? byRdp : byPld;
  return accountant === "pld" ? byPld : smaller;
}

/** True where a patient with several images is involved, of whom the RDP accountant knows nothing. */
function needsPld(target: Pick<NoiseTarget, "imagesPerPatient" | "alreadySpent">): boolean {
  const images = (target.alreadySpent ?? []).map((one) => one.imagesPerPatient ?? 1);
  return Math.max(target.imagesPerPatient ?? 1, ...images) > 1;
}

function checkTarget(target: NoiseTarget, accountant: Accountant): void {
  const { epsilon: limit, delta, samplingRate, steps, alreadySpent = [] } = target;
  checkEpsilon(limit);
  checkDelta(delta);
  checkSamplingRate(samplingRate);
  checkSteps(steps);
  if (alreadySpent.length === 0) return;
  const spent = epsilonOf(alreadySpent, delta, accountant).epsilon;
  if (spent > limit) {
    throw new UserError(
      "conflict",
      `Earlier runs have already spent epsilon ${spent.toPrecision(4)}, more than the ` +
        `${String(limit)} asked for. Choose a larger budget, or leave this cohort untouched.`,
    );
  }
}

function epsilonWith(target: NoiseTarget, noiseMultiplier: number, accountant: Accountant): number {
  const { delta, samplingRate, steps, imagesPerPatient = 1, alreadySpent = [] } = target;
  const run = { samplingRate, noiseMultiplier, steps, imagesPerPatient };
  return epsilonOf([...alreadySpent, run], delta, accountant).epsilon;
}

/**
 * The smallest sigma, up to the tolerance, with epsilon(sigma) at most `limit`; epsilon falls with
 * sigma. Secant steps on log epsilon over log sigma, which is nearly a line, aimed inside the
 * tolerance, within a bracket that is halved whenever a step leaves it or three have not done.
 */
function search(
  epsilonAt: (noiseMultiplier: number) => number,
  limit: number,
  guess: number,
): CalibratedNoise {
  const logAim = Math.log(limit * (1 - EPSILON_TOLERANCE / 2));
  let lower: SearchPoint | null = null;
  let upper: SearchPoint | null = null;
  let previous: SearchPoint | null = null;
  let logSigma = Math.log(guess);
  let stride = Math.log(1.5);
  for (let evaluation = 1; ; evaluation += 1) {
    const noiseMultiplier = Math.exp(logSigma);
    const epsilon = epsilonAt(noiseMultiplier);
    const point = { noiseMultiplier, epsilon, logSigma, excess: Math.log(epsilon) - logAim };
    if (epsilon <= limit) upper = point;
    else lower = point;
    if (upper && epsilon <= limit && epsilon >= limit * (1 - EPSILON_TOLERANCE)) return upper;
    if (upper && noiseMultiplier <= SMALLEST_NOISE_MULTIPLIER) return upper;
    if (lower && upper && upper.logSigma - lower.logSigma < 1e-9) return upper;
    if (noiseMultiplier > LARGEST_NOISE_MULTIPLIER) {
      throw new UserError(
        "conflict",
        `No amount of noise reaches epsilon ${String(limit)} at this delta with what was ` +
          `already spent. Choose a larger epsilon or a larger delta.`,
      );
    }
    let next = secant(point, previous);
    if (lower && upper) {
      const width = upper.logSigma - lower.logSigma;
      const inside = next > lower.logSigma && next < upper.logSigma;
      if (!inside || evaluation % 4 === 0) next = lower.logSigma + width / 2;
    } else {
      // Until both sides are known, go the right way, and no further than twice as far as before.
      const move = next - logSigma;
      const forward = lower ? Math.max(move, 1e-4) : Math.min(move, -1e-4);
      next = logSigma + Math.sign(forward) * Math.min(Math.abs(forward), stride);
      stride *= 2;
    }
    previous = point;
    logSigma = Math.max(next, Math.log(SMALLEST_NOISE_MULTIPLIER));
  }
}

interface SearchPoint extends CalibratedNoise {
  readonly logSigma: number;
  /** log of epsilon over what is aimed at: 0 at the solution. */
  readonly excess: number;
}

/** Where the line through two points meets 0; with one, or a flat or endless line, a guess. */
function secant(point: SearchPoint, previous: SearchPoint | null): number {
  const slope = previous
    ? (point.excess - previous.excess) / (point.logSigma - previous.logSigma)
    : -1.3;
  if (!(slope < -1e-3) || !Number.isFinite(point.excess)) {
    return point.logSigma + (point.excess > 0 ? Infinity : -Infinity);
  }
  return point.logSigma - point.excess / slope;
}

/** What is known when the number of steps is sought. */
export interface StepsTarget {
  /** The epsilon not to be exceeded. */
  readonly epsilon: number;
  readonly delta: number;
  readonly samplingRate: number;
  readonly noiseMultiplier: number;
  /** As in `SubsampledGaussian`. */
  readonly imagesPerPatient?: number;
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
  const { imagesPerPatient = 1 } = target;
  const atMost = target.atMost ?? MOST_STEPS;
  checkEpsilon(limit);
  checkSteps(atMost);
  const stepsBy = (single: "rdp" | "pld", guess: number): number =>
    searchSteps(
      (steps) => {
        const run = { samplingRate, noiseMultiplier, steps, imagesPerPatient };
        return epsilonOf([...alreadySpent, run], delta, single).epsilon;
      },
      limit,
      atMost,
      guess,
    );
  if (accountant === "best" && needsPld(target)) return stepsBy("pld", 1000);
  const byRdp = stepsBy("rdp", 1000);
  if (accountant === "rdp") return byRdp;
  const byPld = stepsBy("pld", Math.max(1, byRdp));
  return accountant === "pld" ? byPld : Math.max(byRdp, byPld);
}

/**
 * The largest whole number of steps in 0 ... atMost with epsilon(steps) at most `limit`; epsilon
 * rises with steps. False position on log epsilon over log steps between a number that fits and
 * one that does not, and the middle every third time.
 */
function searchSteps(
  epsilonAt: (steps: number) => number,
  limit: number,
  atMost: number,
  guess: number,
): number {
  let fitting = { steps: 0, excess: -Infinity };
  let tooMany = { steps: atMost + 1, excess: Infinity };
  let probe = Math.min(guess, atMost);
  for (let evaluation = 1; tooMany.steps - fitting.steps > 1; evaluation += 1) {
    const excess = Math.log(epsilonAt(probe) / limit);
    if (excess <= 0) fitting = { steps: probe, excess };
    else tooMany = { steps: probe, excess };
    const low = Math.log(fitting.steps);
    const high = Math.log(tooMany.steps);
    let next = Math.exp(low + (high - low) / 2);
    if (tooMany.steps > atMost) {
      next = fitting.steps * 1.2 ** evaluation;
    } else if (fitting.steps === 0) {
      next = tooMany.steps / 1.2 ** evaluation;
    } else if (evaluation % 3 !== 0 && Number.isFinite(fitting.excess - tooMany.excess)) {
      const share = fitting.excess / (fitting.excess - tooMany.excess);
      next = Math.exp(low + share * (high - low));
    }
    probe = Math.min(tooMany.steps - 1, Math.max(fitting.steps + 1, Math.round(next)));
  }
  return fitting.steps;
}

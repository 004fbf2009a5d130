import { UserError } from "../../shared/errors.ts";

/**
 * What was run, or is about to be run, in the accountant's terms: `steps` times, every privacy
 * unit was taken with probability `samplingRate` independently of all others, the contribution of
 * each was clipped to norm C, and Gaussian noise of standard deviation `noiseMultiplier` x C was
 * added to the sum. Neighbouring relation: one unit added or removed.
 */
export interface SubsampledGaussian {
  /** q: the probability with which one unit enters one step, in [0, 1]. */
  readonly samplingRate: number;
  /** sigma: the standard deviation of the noise in units of the clipping norm, at least 0. */
  readonly noiseMultiplier: number;
  /** The number of steps: a whole number, at least 0. */
  readonly steps: number;
  /**
   * How many clipped contributions the protected unit can have in one step, each sampled on its
   * own with probability q: 1 where left out. More than 1 for a patient with several images where
   * images are sampled. Mechanisms of one composition may differ in it.
   */
  readonly imagesPerPatient?: number;
}

/** Throws a UserError that names the first value of `mechanism` that no accountant can use. */
export function checkMechanism(mechanism: SubsampledGaussian): void {
  const { samplingRate, noiseMultiplier, steps } = mechanism;
  checkSamplingRate(samplingRate);
  if (!(noiseMultiplier >= 0)) {
    throw new UserError(
      "input",
      `The noise multiplier must be 0 or more, but it is ${String(noiseMultiplier)}.`,
    );
  }
  checkSteps(steps);
  checkImagesPerPatient(mechanism.imagesPerPatient ?? 1);
}

/** Throws a UserError unless the number of a patient's images is a whole number above 0. */
export function checkImagesPerPatient(images: number): void {
  if (!Number.isSafeInteger(images) || images < 1) {
    throw new UserError(
      "input",
      `The images per patient must be a whole number of 1 or more, but it is ${String(images)}.`,
    );
  }
}

/** Throws a UserError unless q lies in [0, 1]. */
export function checkSamplingRate(samplingRate: number): void {
  if (!(samplingRate >= 0 && samplingRate <= 1)) {
    throw new UserError(
      "input",
      `The sampling rate must lie between 0 and 1, but it is ${String(samplingRate)}.`,
    );
  }
}

/** Throws a UserError unless the number of steps is a whole number that is not negative. */
export function checkSteps(steps: number): void {
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw new UserError(
      "input",
      `The number of steps must be a whole number of 0 or more, but it is ${String(steps)}.`,
    );
  }
}

/** Throws a UserError unless delta lies strictly between 0 and 1. */
export function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) {
    throw new UserError("input", `Delta must lie between 0 and 1, but it is ${String(delta)}.`);
  }
}

/** Throws a UserError unless epsilon is a number above 0; infinity means "no privacy" and passes. */
export function checkEpsilon(epsilon: number): void {
  if (!(epsilon > 0)) {
    throw new UserError("input", `Epsilon must be greater than 0, but it is ${String(epsilon)}.`);
  }
}

/** True where the mechanism tells nothing about any unit: it never ran, or never took a unit. */
export function isSilent(mechanism: SubsampledGaussian): boolean {
  return mechanism.steps === 0 || mechanism.samplingRate === 0;
}

/**
 * The same composition with equal (q, sigma, images per patient) merged and silent mechanisms left
 * out, so that a ledger of a thousand runs of one recipe costs the accountant one evaluation.
 */
export function mergeMechanisms(mechanisms: readonly SubsampledGaussian[]): SubsampledGaussian[] {
  const merged = new Map<string, SubsampledGaussian>();
  for (const mechanism of mechanisms) {
    checkMechanism(mechanism);
    if (isSilent(mechanism)) continue;
    const { samplingRate, noiseMultiplier, imagesPerPatient = 1 } = mechanism;
    const key = `${samplingRate} ${noiseMultiplier} ${imagesPerPatient}`;
    const earlier = merged.get(key);
    merged.set(key, { ...mechanism, steps: mechanism.steps + (earlier?.steps ?? 0) });
  }
  return [...merged.values()];
}

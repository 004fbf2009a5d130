import { UserError } from "../../shared/errors.ts";

/**
 * The grid of the hardened mode. A unit's clipped contribution becomes a vector of whole numbers,
 * in steps of C / 2^26 and rounded towards zero, whose length is checked in whole numbers; whole
 * numbers are added without rounding. So whatever an engine computes, and in whatever order, one
 * unit moves the sum by at most 2^26 grid steps: no allowance for floating-point sums is needed.
 */

/** C in grid steps. Its square is 2^52, so that a sum of squares up to it is exact in doubles. */
export const clippingNormOnGrid = 2 ** 26;

const largestSquaredLength = clippingNormOnGrid ** 2;
const largestNoiseMultiplier = 2 ** 19;
const smallestNoiseMultiplier = 2 ** -20;

/**
 * Adds one unit's clipped contribution to the sum.
 *
 * @param sum whole numbers of grid steps, changed in place
 * @param contribution [sum.length], at most about C long; what is longer is shortened to C
 * @returns false where the contribution is not finite: then nothing was added
 */
export function addOnGrid(
  sum: Float64Array,
  contribution: Float32Array,
  clippingNorm: number,
): boolean {
  let scale = clippingNormOnGrid / clippingNorm;
  for (;;) {
    const squaredLength = squaredLengthOnGrid(contribution, scale);
    if (!Number.isFinite(squaredLength)) return false;
    if (squaredLength <= largestSquaredLength) break;
    scale *= (clippingNormOnGrid / Math.sqrt(squaredLength)) * (1 - 2 ** -20);
  }
  for (let i = 0; i < sum.length; i += 1) {
    sum[i] = (sum[i] ?? 0) + Math.trunc((contribution[i] ?? 0) * scale);
  }
  return true;
}

/**
 * Exact up to 2^53; what is longer may be rounded, but never to below 2^53, since rounding keeps
 * the order of numbers.
 */
function squaredLengthOnGrid(contribution: Float32Array, scale: number): number {
  let sum = 0;
  for (const value of contribution) {
    const steps = Math.trunc(value * scale);
    sum += steps * steps;
  }
  return sum;
}

/**
 * The scale s of the discrete Gaussian on the grid for a noise multiplier: sigma 2^26, rounded up
 * and one more. With s^2 >= (sigma 2^26)^2 + 16 the discrete mechanism gives away no more than the
 * Gaussian one with sigma (docs/decisions/0011-discrete-gaussian.md), so the plan's accounting
 * holds for it as it stands.
 *
 * @throws UserError "input" for a noise multiplier for which that is not so.
 */
export function noiseScaleOnGrid(noiseMultiplier: number): number {
  if (!(noiseMultiplier >= smallestNoiseMultiplier && noiseMultiplier <= largestNoiseMultiplier)) {
    throw new UserError(
      "input",
      `The discrete Gaussian takes noise multipliers from 2^-20 to 2^19; ${noiseMultiplier} is ` +
        "outside. Choose the Gaussian noise or another epsilon.",
    );
  }
  return Math.ceil(noiseMultiplier * clippingNormOnGrid) + 1;
}

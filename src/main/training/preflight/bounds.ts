import type { PreflightCheck } from "../../../shared/preflight.ts";

/**
 * Bounds that a sound trainer passes but for a chance of about one in a billion a check, so that
 * no run is stopped in vain.
 */

/** How many standard deviations a sound measurement may lie off. */
export const deviations = 7;

const logFalseAlarm = Math.log(1e10);

/** A measurement with the bounds that it must keep; what is not a number passes none. */
export function check(
  title: string,
  measured: number,
  bounds: { readonly least?: number; readonly most?: number },
): PreflightCheck {
  const { least = null, most = null } = bounds;
  return {
    title,
    measured: Number.isFinite(measured) ? measured : null,
    least,
    most,
    passed:
      Number.isFinite(measured) &&
      (least === null || measured >= least) &&
      (most === null || measured <= most),
  };
}

/**
 * Bounds on a chi-square with so many degrees of freedom over its expectation, by the cube root
 * of Wilson and Hilferty (1931). `excess` is the excess kurtosis of the terms where they are not
 * squares of normal numbers: the distribution is then matched in mean and variance.
 */
export function chiSquareBounds(
  degrees: number,
  excess = 0,
): { readonly least: number; readonly most: number } {
  const effective = degrees / Math.max(1, 1 + excess / 2);
  const spread = deviations * Math.sqrt(2 / (9 * effective));
  const centre = 1 - 2 / (9 * effective);
  return { least: Math.max(0, centre - spread) ** 3, most: (centre + spread) ** 3 };
}

/**
 * Bounds on a count over its expectation, by the Chernoff bound of the Poisson distribution,
 * which holds for sums of independent coins too (Hoeffding 1963, Theorem 1).
 *
 * @param dispersion variance over expectation, where the counted events depend on each other
 */
export function countBounds(
  expected: number,
  dispersion = 1,
): { readonly least: number; readonly most: number } {
  const effective = expected / Math.max(1, dispersion);
  const rate = (ratio: number): number =>
    effective * (ratio === 0 ? 1 : ratio * Math.log(ratio) - ratio + 1);
  const solve = (inside: number, outside: number): number => {
    let [low, high] = [inside, outside];
    for (let halving = 0; halving < 60; halving += 1) {
      const middle = (low + high) / 2;
      if (rate(middle) < logFalseAlarm) low = middle;
      else high = middle;
    }
    return high;
  };
  const most = 2 + (4 * logFalseAlarm) / effective;
  return { least: rate(0) < logFalseAlarm ? 0 : solve(1, 0), most: solve(1, most) };
}

import type { Correlation } from "../../shared/comparison.ts";

/** Outcomes of thresholded predictions in a group: counts, or sums of weights. */
export interface Outcomes {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

function total(group: Outcomes): number {
  return group.truePositives + group.falsePositives + group.falseNegatives + group.trueNegatives;
}

/** Undefined is NaN within the evaluation's arithmetic, and null in its results. */
function ratio(numerator: number, denominator: number): number {
  return denominator > 0 ? numerator / denominator : NaN;
}

/** Share of right predictions; NaN in an empty group. */
export function accuracyOf(group: Outcomes): number {
  return ratio(group.truePositives + group.trueNegatives, total(group));
}

/** Share of positives found; NaN without positives. */
export function sensitivityOf(group: Outcomes): number {
  return ratio(group.truePositives, group.truePositives + group.falseNegatives);
}

/** Share of negatives left alone; NaN without negatives. */
export function specificityOf(group: Outcomes): number {
  return ratio(group.trueNegatives, group.trueNegatives + group.falsePositives);
}

/** Share of positive predictions; NaN in an empty group. */
export function positiveRateOf(group: Outcomes): number {
  return ratio(group.truePositives + group.falsePositives, total(group));
}

/**
 * The study's "statistical parity difference" (data/age_sex_fairness.py of its published code),
 * which is a difference of accuracies: the group's accuracy minus the size-weighted mean accuracy
 * of the others. With the other sex as the only other group it is female minus male.
 */
export function accuracyParityDifference(group: Outcomes, others: readonly Outcomes[]): number {
  let weighted = 0;
  let size = 0;
  for (const other of others) {
    const n = total(other);
    if (n === 0) continue;
    weighted += n * accuracyOf(other);
    size += n;
  }
  return accuracyOf(group) - ratio(weighted, size);
}

/**
 * Statistical parity difference as the literature on fairness defines it (Dwork et al. 2012): the
 * group's rate of positive predictions minus that of all others together.
 */
export function statisticalParityDifference(group: Outcomes, others: readonly Outcomes[]): number {
  return positiveRateOf(group) - positiveRateOf(pooled(others));
}

/**
 * Equal opportunity difference (Hardt, Price and Srebro 2016): the group's sensitivity minus that
 * of all others together.
 */
export function equalOpportunityDifference(group: Outcomes, others: readonly Outcomes[]): number {
  return sensitivityOf(group) - sensitivityOf(pooled(others));
}

function pooled(groups: readonly Outcomes[]): Outcomes {
  const sum = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (const group of groups) {
    sum.truePositives += group.truePositives;
    sum.falsePositives += group.falsePositives;
    sum.falseNegatives += group.falseNegatives;
    sum.trueNegatives += group.trueNegatives;
  }
  return sum;
}

/**
 * Pearson's r with its two-sided p value from Student's t with n - 2 degrees of freedom, as in
 * scipy.stats.pearsonr. Null for fewer than three pairs or where one side does not vary.
 */
export function pearson(x: readonly number[], y: readonly number[]): Correlation | null {
  const n = Math.min(x.length, y.length);
  if (n < 3 || x.length !== y.length) return null;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / n;
  const meanX = mean(x);
  const meanY = mean(y);
  let sxy = 0;
  let sxx = 0;
  let syy = 0;
  x.forEach((value, index) => {
    const dx = value - meanX;
    const dy = (y[index] ?? NaN) - meanY;
    sxy += dx * dy;
    sxx += dx * dx;
    syy += dy * dy;
  });
  if (!(sxx > 0) || !(syy > 0)) return null;
  const r = Math.max(-1, Math.min(1, sxy / Math.sqrt(sxx * syy)));
  if (!Number.isFinite(r)) return null;
  // P(|T| > t) = I_{df / (df + t^2)}(df / 2, 1 / 2), and df / (df + t^2) = 1 - r^2 here.
  return { r, p: incompleteBeta(1 - r * r, (n - 2) / 2, 0.5), n };
}

/**
 * The regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22),
 * evaluated with the modified Lentz method; relative error below 1e-12 for a, b up to thousands.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only below the mean; beyond it the symmetric form does.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) - (logGamma(a) + logGamma(b) - logGamma(a + b)),
  );
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; m <= 1000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d, tiny);
    c = nonZero(1 + even / c, tiny);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d, tiny);
    c = nonZero(1 + odd / c, tiny);
    const change = d * c;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return (front * fraction) / a;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** log Gamma for positive arguments: recurrence up to 12, then Stirling's series (DLMF 5.11.1). */
function logGamma(z: number): number {
  let shift = 0;
  let x = z;
  while (x < 12) {
    shift += Math.log(x);
    x += 1;
  }
  const inverse = 1 / x;
  const square = inverse * inverse;
  const series =
    inverse *
    (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

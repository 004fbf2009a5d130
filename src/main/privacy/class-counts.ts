import { UserError } from "../../shared/errors.ts";
import { createDiscreteGaussian } from "./discrete-gaussian.ts";
import type { SubsampledGaussian } from "./mechanism.ts";
import type { RandomStream } from "./random.ts";

/**
 * A private histogram of labels: how many privacy units have each finding, and how many are known
 * not to have it.
 *
 * **Sensitivity.** A unit, however many images it has, is reduced to one answer for each of the L
 * labels: present in any of its images, absent in all that say, or unknown. It adds 1 to one of the
 * two counts of a label, or to neither; so it moves the vector of 2 L counts by at most sqrt(L) in
 * the L2 norm, whether it is added or removed, and no clipping of numbers is needed.
 *
 * **Mechanism.** The Gaussian mechanism with noise multiplier z is noise of z sqrt(L) on each count
 * (Dwork and Roth 2014, Appendix A; its exact privacy by Balle and Wang 2018, arXiv 1805.06530):
 * the accountant's Gaussian with q = 1 and one step. The noise is the discrete Gaussian (Canonne,
 * Kamath, Steinke 2020, arXiv 2004.00010) on the whole numbers, whose scale s satisfies
 * s^2 - 16 >= z^2 L: then it is the continuous Gaussian of multiplier z or more, rounded without
 * looking, up to a factor of 1 + 1e-122 (docs/decisions/0011-discrete-gaussian.md).
 */
export interface LabelCounts {
  /** [labels]: units with the finding. */
  readonly positive: readonly number[];
  /** [labels]: units known to be without it. */
  readonly negative: readonly number[];
}

/** Answers of a unit: 1 present, 0 absent, NaN unknown. */
export type UnitAnswers = ArrayLike<number>;

/** The private histogram in the accountant's terms. */
export function classCountsMechanism(noiseMultiplier: number): SubsampledGaussian {
  return { samplingRate: 1, noiseMultiplier, steps: 1 };
}

/**
 * One answer for each label from the labels of a unit's images: 1 where any image has it, else 0
 * where any says that it has not, else NaN.
 *
 * @param labels the labels of each image, [labels] each: 1, 0 or NaN
 */
export function answersOf(labels: readonly ArrayLike<number>[], labelCount: number): Float64Array {
  return Float64Array.from({ length: labelCount }, (_, label) => {
    const known = labels.map((image) => image[label] ?? NaN).filter((value) => value === value);
    return known.length === 0 ? NaN : known.some((value) => value === 1) ? 1 : 0;
  });
}

/** The exact counts: to be seen by nobody before noise is added, but for a reference run's. */
export function countLabels(units: Iterable<UnitAnswers>, labelCount: number): LabelCounts {
  const positive = new Array<number>(labelCount).fill(0);
  const negative = new Array<number>(labelCount).fill(0);
  for (const answers of units) {
    for (let label = 0; label < labelCount; label += 1) {
      if (answers[label] === 1) positive[label] = (positive[label] ?? 0) + 1;
      else if (answers[label] === 0) negative[label] = (negative[label] ?? 0) + 1;
    }
  }
  return { positive, negative };
}

/** s: the scale of the discrete Gaussian on each of so many labels' counts. */
export function classCountsNoiseScale(noiseMultiplier: number, labelCount: number): number {
  if (!(noiseMultiplier > 0) || !Number.isFinite(noiseMultiplier)) {
    throw new UserError(
      "input",
      `The noise multiplier must be a number above 0, but it is ${String(noiseMultiplier)}.`,
    );
  }
  // One more than the rounded root, so that no rounding of the root can take from it.
  return Math.ceil(Math.sqrt(noiseMultiplier ** 2 * labelCount + 16)) + 1;
}

/** The counts with noise on each; may be negative. Draws: call it once the counts are spent. */
export function noisyLabelCounts(
  counts: LabelCounts,
  noiseMultiplier: number,
  stream: RandomStream,
): LabelCounts {
  const labelCount = counts.positive.length;
  const noise = new Float64Array(2 * labelCount);
  const scale = classCountsNoiseScale(noiseMultiplier, labelCount);
  createDiscreteGaussian(scale).fill(stream, noise);
  return {
    positive: counts.positive.map((count, label) => count + (noise[label] ?? NaN)),
    negative: counts.negative.map((count, label) => count + (noise[labelCount + label] ?? NaN)),
  };
}

/** No label's positives weigh more than this, or less than one over it. */
export const largestClassWeight = 10;

/**
 * What the positives of each label weigh in the loss: units without the finding over units with it,
 * within 1/10 and 10. A count below the noise's deviation says nothing and is taken as that, so that
 * a small cohort's weights go to 1. Computed from noisy counts alone, so it costs no privacy.
 *
 * @param noiseScale of `classCountsNoiseScale`; 0 for exact counts
 */
export function classWeightsFrom(counts: LabelCounts, noiseScale: number): number[] {
  const least = Math.max(1, noiseScale);
  return counts.positive.map((positive, label) => {
    const ratio = Math.max(counts.negative[label] ?? 0, least) / Math.max(positive, least);
    return Math.min(largestClassWeight, Math.max(1 / largestClassWeight, ratio));
  });
}

import type { FindingKey } from "./findings.ts";
import type { TrainingPlan } from "./plan.ts";
import type { Sex } from "./subgroups.ts";

/** An estimate with its patient-clustered bootstrap interval; null where it is undefined. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface RocPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

/** One label of one run on the held-out test patients. */
export interface LabelResult {
  readonly finding: FindingKey;
  readonly positives: number;
  readonly negatives: number;
  readonly auroc: Interval | null;
  /** Threshold on the score, fitted by Youden's index on the validation patients. */
  readonly threshold: number | null;
  readonly accuracy: Interval | null;
  readonly sensitivity: Interval | null;
  readonly specificity: Interval | null;
  readonly roc: readonly RocPoint[];
}

/** One label of one run in one subgroup. */
export interface SubgroupResult {
  /** "sex", "age", "comorbidity", or a free subgroup (subgroups.ts). */
  readonly attribute: string;
  /** "Female", "60–69", ... */
  readonly group: string;
  readonly finding: FindingKey;
  readonly patients: number;
  readonly positives: number;
  readonly negatives: number;
  readonly auroc: Interval | null;
  readonly accuracy: Interval | null;
}

/**
 * Fairness of one run in one subgroup: means over the labels that the group and the others both
 * have enough patients with and without the finding for.
 */
export interface FairnessResult {
  readonly attribute: string;
  readonly group: string;
  readonly patients: number;
  readonly images: number;
  /** How many labels the means below are taken over; the others fall under the minimum cell. */
  readonly labels: number;
  /** Mean over labels of the AUROC within the group. */
  readonly macroAuroc: Interval | null;
  /**
   * The study's "statistical parity difference": accuracy of the group minus the size-weighted
   * mean accuracy of the others, in accuracy units (not percent); for sex, female minus male.
   */
  readonly accuracyParityDifference: Interval | null;
  /** Textbook: rate of positive predictions in the group minus that in all others. */
  readonly statisticalParityDifference: Interval | null;
  /** Sensitivity in the group minus that in all others. */
  readonly equalOpportunityDifference: Interval | null;
}

export interface RunEvaluation {
  readonly runId: string;
  readonly kind: "private" | "reference";
  readonly plan: TrainingPlan;
  readonly stepsDone: number;
  /** Epsilon of the steps done; null in a reference run. */
  readonly epsilon: number | null;
  readonly testPatients: number;
  readonly testImages: number;
  /** The patients and images on which the thresholds were fitted. */
  readonly validationPatients: number;
  readonly validationImages: number;
  /** The labels that macroAuroc is the mean of: those that enough patients have, and enough lack. */
  readonly macroLabels: readonly FindingKey[];
  readonly macroAuroc: Interval | null;
  readonly labels: readonly LabelResult[];
  readonly subgroups: readonly SubgroupResult[];
  readonly fairness: readonly FairnessResult[];
}

/** Pearson's r with its two-sided p value (Student's t with n - 2 degrees of freedom). */
export interface Correlation {
  readonly r: number;
  readonly p: number;
  readonly n: number;
}

/** A private run beside its reference run on the same held-out patients. */
export interface Comparison {
  readonly privateRun: RunEvaluation | null;
  readonly referenceRun: RunEvaluation | null;
  /** Reference minus private, paired over the same bootstrap samples. */
  readonly difference: {
    readonly macroAuroc: Interval | null;
    readonly labels: readonly { readonly finding: FindingKey; readonly auroc: Interval | null }[];
    readonly subgroups: readonly {
      readonly attribute: string;
      readonly group: string;
      readonly finding: FindingKey;
      readonly auroc: Interval | null;
    }[];
    readonly fairness: readonly {
      readonly attribute: string;
      readonly group: string;
      readonly macroAuroc: Interval | null;
    }[];
    /** The study's question over labels: does the loss follow how hard or how rare a label is? */
    readonly dropAgainstReferenceAuroc: Correlation | null;
    readonly dropAgainstPositives: Correlation | null;
  } | null;
  readonly bootstrapSamples: number;
  readonly confidence: number;
  /** Where fewer patients have a finding, or lack it, than this, groups are counted but not computed. */
  readonly minimumCell: number;
}

/** A count as it may be shown or printed: small cells could point at a person. */
export function shownCount(count: number, minimumCell: number): string {
  return count < minimumCell ? `fewer than ${String(minimumCell)}` : count.toLocaleString("en-US");
}

/** One held-out image as the evaluation reads it. */
export interface ScoredImage {
  readonly imageId: number;
  readonly patientId: number;
  readonly sex: Sex | null;
  readonly ageYears: number | null;
  readonly comorbidityCount: number | null;
  /** The image's value in each free subgroup that has one, by the column's name. */
  readonly subgroups: Readonly<Record<string, string>>;
  readonly part: "validation" | "test";
  /** 1, 0 or null where the label is missing, in the order of the cohort's labels. */
  readonly truth: readonly (0 | 1 | null)[];
  /** Probability for each label, in the same order. */
  readonly scores: readonly number[];
}

import { findingSchemes, type Grade } from "../../shared/findings.ts";

/** The study's eight labels in the order of labels.csv. R is the patient's right: the image's left. */
export const FINDING_LABELS = findingSchemes.sided.keys;

export type FindingLabel = (typeof FINDING_LABELS)[number];

export type { Grade };

export type Findings = Record<FindingLabel, Grade>;

export const NO_FINDINGS: Readonly<Findings> = {
  cardiomegaly: 0,
  congestion: 0,
  pleural_effusion_right: 0,
  pleural_effusion_left: 0,
  pneumonic_infiltration_right: 0,
  pneumonic_infiltration_left: 0,
  atelectasis_right: 0,
  atelectasis_left: 0,
};

export function clampGrade(value: number): Grade {
  const rounded = Math.round(value);
  if (rounded <= 0) return 0;
  if (rounded === 1) return 1;
  if (rounded === 2) return 2;
  return rounded === 3 ? 3 : 4;
}

/** Where each finding's signs lie inside its grade, -1 to 1. */
export type Variation = Record<FindingLabel, number>;

/**
 * A sign's measure for a grade. `steps` holds the measure of grades 0 to 4; a variation of 1 goes
 * more than half way to the next grade, so that neighbouring grades overlap between patients as
 * they do between readers. Rises with the grade for any one variation where `steps` rise.
 */
export function gradedMeasure(steps: readonly number[], grade: Grade, variation: number): number {
  const here = steps[grade] ?? 0;
  if (grade === 0) return here;
  const before = steps[grade - 1] ?? 0;
  const after = grade === 4 ? here + 0.5 * (here - before) : (steps[grade + 1] ?? here);
  return here + 0.55 * variation * (variation > 0 ? after - here : here - before);
}

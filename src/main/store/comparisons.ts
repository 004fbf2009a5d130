import type { Comparison, ScoredImage } from "../../shared/comparison.ts";
import { keysOf, type FindingKey } from "../../shared/findings.ts";
import type { Sex } from "../../shared/subgroups.ts";
import { now, type Database } from "./database.ts";
import { schemeOfRun } from "./schemes.ts";

/**
 * The held-out images that a run has scored, with the labels as they stand now.
 *
 * @param positiveAtGrade the grade from which a finding counts as positive, as in the run's plan
 */
export function scoredImages(
  database: Database,
  runId: string,
  positiveAtGrade: number,
): ScoredImage[] {
  const keys = keysOf(schemeOfRun(database, runId));
  const rows = database
    .prepare(
      `SELECT prediction.image_id AS imageId, image.patient_id AS patientId, patient.sex,
         image.age_years AS ageYears, prediction.part, prediction.scores,
         (SELECT CAST(value AS INTEGER) FROM attribute WHERE attribute.patient_id = patient.id
           AND attribute.name = 'comorbidity_count') AS comorbidityCount,
         (SELECT json_group_object(name, value) FROM image_subgroup
           WHERE image_subgroup.image_id = image.id) AS subgroups,
         (SELECT json_group_object(finding, grade) FROM consensus
           WHERE consensus.image_id = image.id) AS grades
       FROM prediction
       JOIN image ON image.id = prediction.image_id
       JOIN patient ON patient.id = image.patient_id
       WHERE run_id = ? ORDER BY prediction.image_id`,
    )
    .all(runId) as {
    imageId: number;
    patientId: number;
    sex: Sex | null;
    ageYears: number | null;
    comorbidityCount: number | null;
    subgroups: string;
    part: "validation" | "test";
    scores: Buffer;
    grades: string;
  }[];
  return rows.map(({ scores, grades, subgroups, ...row }) => {
    const graded = JSON.parse(grades) as Record<FindingKey, number>;
    return {
      ...row,
      subgroups: JSON.parse(subgroups) as Record<string, string>,
      truth: keys.map((finding) => {
        const grade = graded[finding];
        return grade === undefined ? null : grade >= positiveAtGrade ? 1 : 0;
      }),
      scores: keys.map((_, label) => scores.readFloatLE(4 * label)),
    };
  });
}

/** Keeps a comparison, so that opening it again needs no second bootstrap. */
export function keepComparison(
  database: Database,
  privateRunId: string | null,
  referenceRunId: string | null,
  comparison: Comparison,
): void {
  database
    .prepare(
      `INSERT INTO comparison (private_run_id, reference_run_id, body, recorded_at)
       VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body, recorded_at = excluded.recorded_at`,
    )
    .run(privateRunId ?? "", referenceRunId ?? "", JSON.stringify(comparison), now());
}

export function keptComparison(
  database: Database,
  privateRunId: string | null,
  referenceRunId: string | null,
): Comparison | null {
  const body = database
    .prepare("SELECT body FROM comparison WHERE private_run_id = ? AND reference_run_id = ?")
    .pluck()
    .get(privateRunId ?? "", referenceRunId ?? "") as string | undefined;
  return body === undefined ? null : (JSON.parse(body) as Comparison);
}

/** Forgets the comparisons of a cohort's runs, since its labels have changed. */
export function forgetComparisons(database: Database, cohortId: number): void {
  database
    .prepare(
      `DELETE FROM comparison
       WHERE private_run_id IN (SELECT id FROM run WHERE cohort_id = @cohortId)
          OR reference_run_id IN (SELECT id FROM run WHERE cohort_id = @cohortId)`,
    )
    .run({ cohortId });
}

import type {
  CohortOverview,
  CohortSummary,
  CountByValue,
  SplitPart,
  SplitSummary,
} from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { findingKeys, grades, type FindingKey } from "../../shared/findings.ts";
import { ageBins } from "../../shared/subgroups.ts";
import { now, transaction, type Database } from "./database.ts";
import { currentSplit } from "./splits.ts";

export interface NewCohort {
  readonly name: string;
  readonly framePixels: number;
  readonly pixelPipeline: string;
  readonly positiveAtGrade: number;
}

/**
 * Creates an empty cohort.
 *
 * @throws UserError "conflict" where the name is taken.
 */
export function createCohort(database: Database, cohort: NewCohort): CohortSummary {
  const id = transaction(database, () => {
    refuseTakenName(database, cohort.name, null);
    return database
      .prepare(
        `INSERT INTO cohort (name, created_at, frame_pixels, pixel_pipeline, positive_at_grade,
           issuer_in_pseudonym)
         VALUES (?, ?, ?, ?, ?, 1)`,
      )
      .run(cohort.name, now(), cohort.framePixels, cohort.pixelPipeline, cohort.positiveAtGrade)
      .lastInsertRowid;
  });
  return cohortSummary(database, Number(id));
}

/** @throws UserError "conflict" where the name is taken, "not-found" where there is no such cohort. */
export function renameCohort(database: Database, cohortId: number, name: string): CohortSummary {
  transaction(database, () => {
    refuseTakenName(database, name, cohortId);
    database.prepare("UPDATE cohort SET name = ? WHERE id = ?").run(name, cohortId);
  });
  return cohortSummary(database, cohortId);
}

function refuseTakenName(database: Database, name: string, except: number | null): void {
  const taken = database.prepare("SELECT id FROM cohort WHERE name = ?").get(name) as
    { id: number } | undefined;
  if (taken !== undefined && taken.id !== except) {
    throw new UserError(
      "conflict",
      `A cohort named "${name}" exists already. Choose another name, or open that cohort.`,
    );
  }
}

/** The cohort of that name, or null. */
export function findCohort(database: Database, name: string): CohortSummary | null {
  const row = database.prepare("SELECT id FROM cohort WHERE name = ?").get(name) as
    { id: number } | undefined;
  return row === undefined ? null : cohortSummary(database, row.id);
}

export function listCohorts(database: Database): CohortSummary[] {
  const ids = database.prepare("SELECT id FROM cohort ORDER BY name").pluck().all() as number[];
  return ids.map((id) => cohortSummary(database, id));
}

/** @throws UserError "not-found". */
export function cohortSummary(database: Database, cohortId: number): CohortSummary {
  const row = database
    .prepare(
      `SELECT id, name, created_at AS createdAt, frame_pixels AS framePixels,
         pixel_pipeline AS pixelPipeline, positive_at_grade AS positiveAtGrade,
         (SELECT count(DISTINCT patient_id) FROM image WHERE cohort_id = cohort.id) AS patients,
         (SELECT count(*) FROM image WHERE cohort_id = cohort.id) AS images,
         (SELECT count(*) FROM image WHERE cohort_id = cohort.id AND status = 'included')
           AS included,
         (SELECT count(*) FROM image WHERE cohort_id = cohort.id AND status = 'set-aside')
           AS setAside,
         (SELECT count(*) FROM source_file WHERE cohort_id = cohort.id
           AND outcome = 'quarantined') AS quarantined,
         (SELECT count(*) FROM image WHERE cohort_id = cohort.id
           AND EXISTS (SELECT 1 FROM consensus WHERE image_id = image.id)) AS labelled,
         (SELECT count(*) FROM run WHERE cohort_id = cohort.id) AS runs
       FROM cohort WHERE id = ?`,
    )
    .get(cohortId) as CohortSummary | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no cohort with the number ${cohortId}.`);
  }
  return row;
}

/** Counts by status, sex, age, view, co-morbidity, label and split. */
export function cohortOverview(database: Database, cohortId: number): CohortOverview {
  const summary = cohortSummary(database, cohortId);
  const counted = (value: string, includedOnly = true): CountByValue[] =>
    database
      .prepare(
        `SELECT ${value} AS value, count(*) AS images,
           count(DISTINCT image.patient_id) AS patients
         FROM image JOIN patient ON patient.id = image.patient_id
         WHERE image.cohort_id = ? ${includedOnly ? "AND image.status = 'included'" : ""}
         GROUP BY 1 ORDER BY min(image.age_years), 1`,
      )
      .all(cohortId) as CountByValue[];
  const ageCase = ageBins
    .map(
      (bin) =>
        `WHEN image.age_years >= ${bin.from} AND image.age_years < ${bin.to} THEN '${bin.title}'`,
    )
    .join(" ");
  return {
    summary,
    byStatus: database
      .prepare(
        `SELECT CASE status WHEN 'included' THEN 'included'
             ELSE coalesce(status_reason, 'set aside') END AS value,
           count(*) AS images, count(DISTINCT patient_id) AS patients
         FROM image WHERE cohort_id = ? GROUP BY 1 ORDER BY 2 DESC`,
      )
      .all(cohortId) as CountByValue[],
    bySex: sortedByValue(counted("coalesce(patient.sex, 'unknown')")),
    byAge: counted(`CASE ${ageCase} ELSE 'unknown' END`),
    byViewPosition: sortedByValue(counted("coalesce(nullif(image.view_position, ''), 'unknown')")),
    byComorbidity: database
      .prepare(
        `SELECT coalesce(CAST(CAST(attribute.value AS INTEGER) AS TEXT), 'unknown') AS value,
           count(*) AS images, count(DISTINCT image.patient_id) AS patients
         FROM image LEFT JOIN attribute ON attribute.patient_id = image.patient_id
           AND attribute.name = 'comorbidity_count'
         WHERE image.cohort_id = ? AND image.status = 'included'
         GROUP BY 1 ORDER BY attribute.value`,
      )
      .all(cohortId) as CountByValue[],
    byImagesPerPatient: database
      .prepare(
        `SELECT CAST(each AS TEXT) AS value, sum(each) AS images, count(*) AS patients
         FROM (SELECT count(*) AS each FROM image
           WHERE cohort_id = ? AND status = 'included' GROUP BY patient_id)
         GROUP BY each ORDER BY each`,
      )
      .all(cohortId) as CountByValue[],
    labels: labelCounts(database, cohortId, summary),
    split: splitSummary(database, cohortId),
  };
}

function sortedByValue(counts: CountByValue[]): CountByValue[] {
  return counts.toSorted((a, b) => a.value.localeCompare(b.value));
}

function labelCounts(
  database: Database,
  cohortId: number,
  summary: CohortSummary,
): CohortOverview["labels"] {
  const rows = database
    .prepare(
      `SELECT finding, grade, count(*) AS images FROM consensus
       JOIN image ON image.id = consensus.image_id
       WHERE image.cohort_id = ? AND image.status = 'included' GROUP BY finding, grade`,
    )
    .all(cohortId) as { finding: string; grade: number; images: number }[];
  return findingKeys.map((finding) => {
    const byGrade = grades.map(
      (grade) => rows.find((row) => row.finding === finding && row.grade === grade)?.images ?? 0,
    );
    const positive = sum(byGrade.slice(summary.positiveAtGrade));
    const negative = sum(byGrade.slice(0, summary.positiveAtGrade));
    return {
      finding,
      positive,
      negative,
      missing: summary.included - positive - negative,
      grades: byGrade,
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const parts: readonly SplitPart[] = ["train", "validation", "test"];

/** The cohort's split with its counts, or null where none has been made. */
export function splitSummary(database: Database, cohortId: number): SplitSummary | null {
  const split = currentSplit(database, cohortId);
  if (split === null) return null;
  const counts = database
    .prepare(
      `SELECT part, count(DISTINCT image.patient_id) AS patients, count(*) AS images
       FROM split_member JOIN image ON image.patient_id = split_member.patient_id
       WHERE split_id = ? AND image.status = 'included' GROUP BY part`,
    )
    .all(split.id) as { part: SplitPart; patients: number; images: number }[];
  const positives = database
    .prepare(
      `SELECT part, finding, count(*) AS images
       FROM split_member JOIN image ON image.patient_id = split_member.patient_id
       JOIN consensus ON consensus.image_id = image.id
       JOIN cohort ON cohort.id = image.cohort_id
       WHERE split_id = ? AND image.status = 'included' AND grade >= cohort.positive_at_grade
       GROUP BY part, finding`,
    )
    .all(split.id) as { part: SplitPart; finding: FindingKey; images: number }[];
  return {
    id: split.id,
    createdAt: split.createdAt,
    locked: split.lockedAt !== null,
    fractions: {
      train: split.trainFraction,
      validation: split.validationFraction,
      test: split.testFraction,
    },
    parts: parts.map((part) => {
      const count = counts.find((row) => row.part === part);
      const positivesOf = (finding: FindingKey): number =>
        positives.find((row) => row.part === part && row.finding === finding)?.images ?? 0;
      return {
        part,
        patients: count?.patients ?? 0,
        images: count?.images ?? 0,
        positives: Object.fromEntries(
          findingKeys.map((finding) => [finding, positivesOf(finding)]),
        ) as Record<FindingKey, number>,
      };
    }),
  };
}

import type {
  CohortOverview,
  CohortSummary,
  CountByValue,
  SplitPart,
  SplitSummary,
  SubgroupCounts,
} from "../../shared/domain.ts";
import { findingKeys, grades, keysOf, type FindingKey } from "../../shared/findings.ts";
import { ageBins } from "../../shared/subgroups.ts";
import { cohortSummary } from "./cohorts.ts";
import type { Database } from "./database.ts";
import { countedOnce } from "./film-revision.ts";
import { currentSplit } from "./splits.ts";

/** Counts by status, sex, age, view, co-morbidity, label and split. */
export function cohortOverview(database: Database, cohortId: number): CohortOverview {
  const summary = cohortSummary(database, cohortId);
  const counts = countedOnce(database, cohortId, "overview", () =>
    overviewCounts(database, cohortId, summary),
  );
  return { summary, ...counts, split: splitSummary(database, cohortId) };
}

function overviewCounts(
  database: Database,
  cohortId: number,
  summary: CohortSummary,
): Omit<CohortOverview, "summary" | "split"> {
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
    bySubgroup: subgroupCounts(database, cohortId),
    byImagesPerPatient: database
      .prepare(
        `SELECT CAST(each AS TEXT) AS value, sum(each) AS images, count(*) AS patients
         FROM (SELECT count(*) AS each FROM image
           WHERE cohort_id = ? AND status = 'included' GROUP BY patient_id)
         GROUP BY each ORDER BY each`,
      )
      .all(cohortId) as CountByValue[],
    labels: labelCounts(database, cohortId, summary),
  };
}

function subgroupCounts(database: Database, cohortId: number): SubgroupCounts[] {
  const rows = database
    .prepare(
      `SELECT name, image_subgroup.value, count(*) AS images,
         count(DISTINCT image.patient_id) AS patients
       FROM image_subgroup JOIN image ON image.id = image_subgroup.image_id
       WHERE image.cohort_id = ? AND image.status = 'included'
       GROUP BY name, image_subgroup.value`,
    )
    .all(cohortId) as (CountByValue & { readonly name: string })[];
  return [...Map.groupBy(rows, ({ name }) => name)]
    .map(([name, values]) => ({
      name,
      values: values
        .map(({ value, images, patients }) => ({ value, images, patients }))
        .toSorted((a, b) => a.value.localeCompare(b.value, "en", { numeric: true })),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"));
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
  return keysOf(summary.scheme).map((finding) => {
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
  const { counts, positives } = countedOnce(database, cohortId, `split ${split.id}`, () =>
    splitCounts(database, split.id),
  );
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

interface SplitCounts {
  readonly counts: readonly { part: SplitPart; patients: number; images: number }[];
  readonly positives: readonly { part: SplitPart; finding: FindingKey; images: number }[];
}

function splitCounts(database: Database, splitId: number): SplitCounts {
  return {
    counts: database
      .prepare(
        `SELECT part, count(DISTINCT image.patient_id) AS patients, count(*) AS images
         FROM split_member JOIN image ON image.patient_id = split_member.patient_id
         WHERE split_id = ? AND image.status = 'included' GROUP BY part`,
      )
      .all(splitId) as SplitCounts["counts"],
    positives: database
      .prepare(
        `SELECT part, finding, count(*) AS images
         FROM split_member JOIN image ON image.patient_id = split_member.patient_id
         JOIN consensus ON consensus.image_id = image.id
         JOIN cohort ON cohort.id = image.cohort_id
         WHERE split_id = ? AND image.status = 'included' AND grade >= cohort.positive_at_grade
         GROUP BY part, finding`,
      )
      .all(splitId) as SplitCounts["positives"],
  };
}

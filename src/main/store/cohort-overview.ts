import type {
  CohortOverview,
  CohortSummary,
  CountByValue,
  SplitPart,
  SplitSummary,
  SubgroupCounts,
} from "../../shared/domain.ts";
import { findingKeys, grades, keysOf, type FindingKey } from "../../shared/findings.ts";
import { ageBinOf, ageBins } from "../../shared/subgroups.ts";
import { cohortSummary } from "./cohorts.ts";
import type { Database } from "./database.ts";
import type { FilmColumns } from "./film-columns.ts";
import { countFilms, countIncluded } from "./film-counts.ts";
import { filmColumns, prepareFilmIndex } from "./film-index.ts";
import { countedOnce, isCounted } from "./film-revision.ts";
import { currentSplit } from "./splits.ts";

/** Counts by status, sex, age, view, co-morbidity, label and split. */
export function cohortOverview(database: Database, cohortId: number): CohortOverview {
  const summary = cohortSummary(database, cohortId);
  const counts = countedOnce(database, cohortId, "overview", () =>
    overviewCounts(database, cohortId, summary),
  );
  return { summary, ...counts, split: splitSummary(database, cohortId) };
}

/**
 * The same, where it has to be counted first without holding the process up. What films and their
 * table are asked next is made ready too.
 */
export async function cohortOverviewSoon(
  database: Database,
  cohortId: number,
): Promise<CohortOverview> {
  const ready = prepareFilmIndex(database, cohortId);
  if (!isCounted(database, cohortId, "overview")) await ready;
  // A failure meets the next question too, which tells it.
  else ready.catch(() => undefined);
  return cohortOverview(database, cohortId);
}

function overviewCounts(
  database: Database,
  cohortId: number,
  summary: CohortSummary,
): Omit<CohortOverview, "summary" | "split"> {
  const columns = filmColumns(database, cohortId);
  const { ranks, texts, comorbidities } = columns;
  const named = (column: "sex" | "viewPosition") => (place: number) =>
    texts[column][(ranks[column][place] ?? 0) - 1] || "unknown";
  const comorbidityOf = (place: number): number | null => {
    const count = comorbidities[(ranks.patient[place] ?? 0) - 1] ?? Number.NaN;
    return Number.isNaN(count) ? null : Math.trunc(count);
  };
  const comorbidity = countIncluded(columns, (place) => String(comorbidityOf(place) ?? "unknown"));
  return {
    byStatus: statusCounts(database, cohortId, columns),
    bySex: sortedByValue(countIncluded(columns, named("sex"))),
    byAge: ageCounts(columns),
    byViewPosition: sortedByValue(countIncluded(columns, named("viewPosition"))),
    byComorbidity: comorbidity.toSorted(
      (a, b) => (numberOf(a.value) ?? -1) - (numberOf(b.value) ?? -1),
    ),
    bySubgroup: subgroupCounts(database, cohortId),
    byImagesPerPatient: imagesPerPatient(columns),
    labels: labelCounts(columns, summary),
  };
}

function numberOf(text: string): number | null {
  const number = Number(text);
  return Number.isNaN(number) ? null : number;
}

/** Ages in the order of the bins; the unknown first, and last those beyond all bins. */
function ageCounts(columns: FilmColumns): CountByValue[] {
  const { ageYears } = columns.ranks;
  const counts = countIncluded(columns, (place) => {
    const rank = ageYears[place] ?? 0;
    return (rank === 0 ? null : ageBinOf(rank - 1)) ?? "unknown";
  });
  const titles: readonly string[] = ageBins.map(({ title }) => title);
  return counts.toSorted((a, b) => titles.indexOf(a.value) - titles.indexOf(b.value));
}

function statusCounts(database: Database, cohortId: number, columns: FilmColumns): CountByValue[] {
  const reasons = new Map(
    database
      .prepare(
        `SELECT id, coalesce(status_reason, 'set aside') FROM image
         WHERE cohort_id = ? AND status = 'set-aside'`,
      )
      .raw()
      .all(cohortId) as [number, string][],
  );
  const counts = countFilms(columns, (place) =>
    columns.included[place] === 1
      ? "included"
      : (reasons.get(columns.ids[place] ?? 0) ?? "set aside"),
  );
  return counts.toSorted((a, b) => b.images - a.images);
}

function imagesPerPatient(columns: FilmColumns): CountByValue[] {
  const { patient } = columns.ranks;
  const images = new Uint32Array(columns.texts.patient.length + 1);
  for (let place = 0; place < patient.length; place++) {
    if (columns.included[place] !== 1) continue;
    const rank = patient[place] ?? 0;
    images[rank] = (images[rank] ?? 0) + 1;
  }
  const patients = new Map<number, number>();
  for (const each of images) if (each > 0) patients.set(each, (patients.get(each) ?? 0) + 1);
  return [...patients]
    .toSorted(([a], [b]) => a - b)
    .map(([each, count]) => ({ value: String(each), images: each * count, patients: count }));
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

function labelCounts(columns: FilmColumns, summary: CohortSummary): CohortOverview["labels"] {
  return keysOf(summary.scheme).map((finding) => {
    const column = columns.grades[finding];
    const films = new Uint32Array(grades.length + 1);
    for (let place = 0; place < column.length; place++) {
      if (columns.included[place] !== 1) continue;
      const grade = column[place] ?? 0;
      films[grade] = (films[grade] ?? 0) + 1;
    }
    const byGrade = grades.map((grade) => films[grade + 1] ?? 0);
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
    splitCounts(database, cohortId),
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

/** Of the cohort's newest split, as the columns have it. */
function splitCounts(database: Database, cohortId: number): SplitCounts {
  const columns = filmColumns(database, cohortId);
  const { positiveAtGrade } = cohortSummary(database, cohortId);
  const partOf = (place: number) => columns.texts.part[(columns.ranks.part[place] ?? 0) - 1] ?? "";
  const counts = countIncluded(columns, partOf).map(({ value, images, patients }) => ({
    part: value as SplitPart,
    images,
    patients,
  }));
  const { part: partRanks } = columns.ranks;
  const positives = findingKeys.flatMap((finding) => {
    const column = columns.grades[finding];
    const images = new Uint32Array(columns.texts.part.length + 1);
    for (let place = 0; place < column.length; place++) {
      // Grades stand one higher, so that 0 is none.
      if ((column[place] ?? 0) <= positiveAtGrade || columns.included[place] !== 1) continue;
      const rank = partRanks[place] ?? 0;
      images[rank] = (images[rank] ?? 0) + 1;
    }
    return parts.map((part) => ({
      part,
      finding,
      images: images[columns.texts.part.indexOf(part) + 1] ?? 0,
    }));
  });
  return { counts: counts.filter(({ part }) => parts.includes(part)), positives };
}

import type {
  CohortOverview,
  CohortSummary,
  CountByValue,
  SplitPart,
  SplitSummary,
  SubgroupCounts,
} from "../../shared/domain.ts";
import { grades, keysOf, type FindingKey } from "../../shared/findings.ts";
import { ageBinOf, ageBins } from "../../shared/subgroups.ts";
import { cohortSummary } from "./cohorts.ts";
import type { Database } from "./database.ts";
import { includedRank, type FilmColumns } from "./film-columns.ts";
import { namedCounts, rankCounter, reranked, type RankCounter } from "./film-counts.ts";
import { countedInColumns, prepareFilmIndex } from "./film-index.ts";
import { currentSplit } from "./splits.ts";

/** Counts by status, sex, age, view, co-morbidity, label and split. */
export function cohortOverview(database: Database, cohortId: number): CohortOverview {
  const counts = countedInColumns(database, cohortId, "overview", (columns) =>
    overviewCounts(database, cohortId, columns),
  );
  const summary = cohortSummary(database, cohortId);
  return {
    summary,
    ...counts,
    labels: labelCounts(counts.labels, summary),
    split: splitSummary(database, cohortId),
  };
}

/**
 * The same, where films have to be read first without holding the process up. What films and their
 * table are asked next is made ready by that.
 */
export async function cohortOverviewSoon(
  database: Database,
  cohortId: number,
): Promise<CohortOverview> {
  await prepareFilmIndex(database, cohortId);
  return cohortOverview(database, cohortId);
}

type Counts = Omit<CohortOverview, "summary" | "split" | "labels"> & {
  readonly labels: ReadonlyMap<FindingKey, Uint32Array>;
};

function overviewCounts(database: Database, cohortId: number, columns: FilmColumns): Counts {
  const count = rankCounter(columns);
  return {
    byStatus: statusCounts(database, cohortId, columns, count),
    bySex: textCounts(columns, "sex", count),
    byAge: ageCounts(columns, count),
    byViewPosition: textCounts(columns, "viewPosition", count),
    byComorbidity: comorbidityCounts(columns, count),
    bySubgroup: subgroupCounts(columns, count),
    byImagesPerPatient: imagesPerPatient(columns),
    labels: gradeCounts(columns),
  };
}
/** Included films by a text; an empty one is as unknown as none. */
function textCounts(
  { ranks, texts }: FilmColumns,
  column: "sex" | "viewPosition",
  count: RankCounter,
): CountByValue[] {
  const names = texts[column];
  const known = reranked(ranks[column], (rank) => (names[rank - 1] === "" ? 0 : rank));
  return namedCounts(
    count(known, names.length, "included"),
    (rank) => names[rank - 1] ?? "unknown",
  ).toSorted((a, b) => a.value.localeCompare(b.value));
}

/** Ages in the order of the bins; the unknown first, and last those beyond all bins. */
function ageCounts({ ranks }: FilmColumns, count: RankCounter): CountByValue[] {
  const titles: string[] = ["unknown", ...ageBins.map(({ title }) => title)];
  const bins = reranked(ranks.ageYears, (rank) => {
    const bin = rank === 0 ? null : ageBinOf(rank - 1);
    return bin === null ? 0 : titles.indexOf(bin);
  });
  return namedCounts(count(bins, titles.length, "included"), (rank) => titles[rank] ?? "");
}

/** Unknown first, then by number. */
function comorbidityCounts(columns: FilmColumns, count: RankCounter): CountByValue[] {
  const { comorbidities, ranks } = columns;
  const distinct = new Set<number>();
  for (const number of comorbidities) if (!Number.isNaN(number)) distinct.add(Math.trunc(number));
  const numbers = [...distinct].toSorted((a, b) => a - b);
  const rankOf = new Map(numbers.map((number, i) => [number, i + 1]));
  const byPatient = reranked(comorbidities, (number) => rankOf.get(Math.trunc(number)) ?? 0);
  const ofFilms = reranked(ranks.patient, (rank) => byPatient[rank - 1] ?? 0);
  return namedCounts(count(ofFilms, numbers.length, "included"), (rank) =>
    String(numbers[rank - 1] ?? "unknown"),
  );
}

/** All films: the included ones, and the others by the reason why they are not. */
function statusCounts(
  database: Database,
  cohortId: number,
  columns: FilmColumns,
  count: RankCounter,
): CountByValue[] {
  const aside = database
    .prepare(
      `SELECT id, coalesce(status_reason, 'set aside') FROM image
       WHERE cohort_id = ? AND status = 'set-aside' ORDER BY id`,
    )
    .raw()
    .all(cohortId) as [number, string][];
  const names = ["included", ...new Set(aside.map(([, reason]) => reason))];
  const rankOf = new Map(names.map((name, rank) => [name, rank]));
  const ranks = new Int32Array(columns.ids.length);
  // Both are in the order of the films' numbers.
  let place = 0;
  for (const [id, reason] of aside) {
    while (place < ranks.length && columns.ids[place] !== id) place++;
    ranks[place] = rankOf.get(reason) ?? 0;
  }
  return namedCounts(count(ranks, names.length, "all"), (rank) => names[rank] ?? "").toSorted(
    (a, b) => b.images - a.images,
  );
}

function imagesPerPatient({ ranks, texts }: FilmColumns): CountByValue[] {
  const images = new Uint32Array(texts.patient.length + 1);
  for (let place = 0; place < ranks.patient.length; place++) {
    if (ranks.status[place] !== includedRank) continue;
    const patient = ranks.patient[place] ?? 0;
    images[patient] = (images[patient] ?? 0) + 1;
  }
  const patients = new Map<number, number>();
  for (const each of images) if (each > 0) patients.set(each, (patients.get(each) ?? 0) + 1);
  return [...patients]
    .toSorted(([a], [b]) => a - b)
    .map(([each, count]) => ({ value: String(each), images: each * count, patients: count }));
}

function subgroupCounts({ subgroups }: FilmColumns, count: RankCounter): SubgroupCounts[] {
  return [...subgroups]
    .map(([name, { texts, ranks }]) => ({
      name,
      // Films without a value belong to no group.
      values: namedCounts(
        count(ranks, texts.length, "included"),
        (rank) => texts[rank - 1] ?? null,
      ).toSorted((a, b) => a.value.localeCompare(b.value, "en", { numeric: true })),
    }))
    .filter(({ values }) => values.length > 0)
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

/** Included films by the grade of each finding plus 1; 0 stands for no grade. */
function gradeCounts({ grades: columns, ranks }: FilmColumns): Counts["labels"] {
  return new Map(
    Object.entries(columns).map(([finding, column]) => {
      const films = new Uint32Array(grades.length + 1);
      for (let place = 0; place < column.length; place++) {
        if (ranks.status[place] !== includedRank) continue;
        const grade = column[place] ?? 0;
        films[grade] = (films[grade] ?? 0) + 1;
      }
      return [finding, films];
    }),
  );
}

function labelCounts(
  counts: Counts["labels"],
  { scheme, positiveAtGrade, included }: CohortSummary,
): CohortOverview["labels"] {
  return keysOf(scheme).map((finding) => {
    const byGrade = grades.map((grade) => counts.get(finding)?.[grade + 1] ?? 0);
    const positive = sum(byGrade.slice(positiveAtGrade));
    const negative = sum(byGrade.slice(0, positiveAtGrade));
    return {
      finding,
      positive,
      negative,
      missing: included - positive - negative,
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
  const { positiveAtGrade } = cohortSummary(database, cohortId);
  const { counts, positives } = countedInColumns(database, cohortId, "split", (columns) =>
    splitCounts(columns, positiveAtGrade),
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
          positives.map(({ finding }) => [finding, positivesOf(finding)]),
        ),
      };
    }),
  };
}

interface SplitCounts {
  readonly counts: readonly { part: SplitPart; patients: number; images: number }[];
  readonly positives: readonly { part: SplitPart; finding: FindingKey; images: number }[];
}

/** Of the cohort's newest split, as the columns have it. */
function splitCounts(columns: FilmColumns, positiveAtGrade: number): SplitCounts {
  const { part: partRanks, status } = columns.ranks;
  const { part: names } = columns.texts;
  const { images, patients } = rankCounter(columns)(partRanks, names.length, "included");
  const rankOf = (part: SplitPart): number => names.indexOf(part) + 1;
  const positives = Object.entries(columns.grades).flatMap(([finding, column]) => {
    const films = new Uint32Array(names.length + 1);
    for (let place = 0; place < column.length; place++) {
      // Grades stand one higher, so that 0 is none.
      if ((column[place] ?? 0) <= positiveAtGrade || status[place] !== includedRank) continue;
      const rank = partRanks[place] ?? 0;
      films[rank] = (films[rank] ?? 0) + 1;
    }
    return parts.map((part) => ({ part, finding, images: films[rankOf(part)] ?? 0 }));
  });
  const counts = parts.map((part) => ({
    part,
    patients: patients[rankOf(part)] ?? 0,
    images: images[rankOf(part)] ?? 0,
  }));
  return { counts, positives };
}

import type { ImageFilter, SplitPart } from "../../shared/domain.ts";
import type { FindingKey } from "../../shared/findings.ts";
import type { Database } from "./database.ts";
import { filmRevisionOf } from "./film-revision.ts";
import type { ImageSort } from "./image-table.ts";

/**
 * The columns by which the film table is filtered and sorted, in memory, so that 200,000 films
 * answer in milliseconds: through SQL each sort would read and join every row. Built from one scan,
 * and again once the cohort's films have changed (film-revision.ts), whoever changed them.
 */
interface FilmIndex {
  readonly revision: number;
  /** Image ids, ascending; a film's place in it is its place in every column. */
  readonly ids: Int32Array;
  /** The order of each film's value within its column; 0 where it has none. */
  readonly ranks: Readonly<Record<Exclude<ImageSort["column"], "id">, Float64Array>>;
  /** What the ranks of text columns stand for: rank n is the value at n - 1. */
  readonly texts: Readonly<Record<TextColumn, readonly string[]>>;
  /** Which films are positive for a finding; filled as filters ask for it. */
  readonly positives: Map<FindingKey, Uint8Array>;
  /** Orders and selections of late, by their question. */
  readonly answers: Map<string, Int32Array>;
}

type TextColumn = "patient" | "sex" | "viewPosition" | "status" | "part" | "studyDate";

const keptAnswers = 24;
const indices = new WeakMap<Database, Map<number, FilmIndex>>();

/** The ids of the films that pass the filter, in the order asked for. */
export function orderedFilms(
  database: Database,
  query: { readonly cohortId: number; readonly filter: ImageFilter; readonly sort: ImageSort },
): Int32Array {
  const index = currentIndex(database, query.cohortId);
  const key = JSON.stringify([query.filter, query.sort]);
  const known = index.answers.get(key);
  if (known !== undefined) return known;
  const passes = selection(database, query.cohortId, index, query.filter);
  const order = sortedPlaces(index, query.sort.column);
  const ids = new Int32Array(order.length);
  let count = 0;
  for (const place of order) {
    if (passes[place] === 1) ids[count++] = index.ids[place] ?? 0;
  }
  const answer = ids.slice(0, count);
  if (query.sort.descending) answer.reverse();
  remember(index.answers, key, answer);
  return answer;
}

/** Builds the cohort's index if it is missing or out of date, so that the next question is quick. */
export function prepareFilmIndex(database: Database, cohortId: number): void {
  currentIndex(database, cohortId);
}

function currentIndex(database: Database, cohortId: number): FilmIndex {
  const ofDatabase = indices.get(database) ?? new Map<number, FilmIndex>();
  indices.set(database, ofDatabase);
  const revision = filmRevisionOf(database, cohortId);
  const known = ofDatabase.get(cohortId);
  if (known?.revision === revision) return known;
  const built = buildIndex(database, cohortId, revision);
  // One cohort is looked at at a time; the others' indices would only take memory.
  ofDatabase.clear();
  ofDatabase.set(cohortId, built);
  return built;
}

interface PatientValues {
  readonly rank: number;
  readonly sex: number;
  readonly part: number;
}

function buildIndex(database: Database, cohortId: number, revision: number): FilmIndex {
  const sexes = ["F", "M", "O"];
  const parts: readonly SplitPart[] = ["test", "train", "validation"];
  const statuses = ["included", "set-aside"];
  const patientNames: string[] = [];
  const patients = new Map<number, PatientValues>();
  const patientRows = database
    .prepare(
      `SELECT patient.id, patient.pseudonym, patient.sex, split_member.part FROM patient
       LEFT JOIN split_member ON split_member.patient_id = patient.id AND split_member.split_id =
         (SELECT id FROM split WHERE split.cohort_id = ? ORDER BY id DESC LIMIT 1)
       WHERE patient.cohort_id = ? ORDER BY patient.pseudonym`,
    )
    .raw()
    .iterate(cohortId, cohortId) as Iterable<[number, string, string | null, SplitPart | null]>;
  for (const [id, pseudonym, sex, part] of patientRows) {
    patients.set(id, {
      rank: patientNames.push(pseudonym),
      sex: sex === null ? 0 : sexes.indexOf(sex) + 1,
      part: part === null ? 0 : parts.indexOf(part) + 1,
    });
  }
  const count = database
    .prepare("SELECT count(*) FROM image WHERE cohort_id = ?")
    .pluck()
    .get(cohortId) as number;
  const ids = new Int32Array(count);
  const column = (): Float64Array => new Float64Array(count);
  const ranks = {
    patient: column(),
    studyDate: column(),
    ageYears: column(),
    sex: column(),
    viewPosition: column(),
    status: column(),
    part: column(),
  };
  const dates: (string | null)[] = [];
  const views: (string | null)[] = [];
  const imageRows = database
    .prepare(
      `SELECT image.id, image.patient_id, study.shifted_date, image.age_years,
         image.view_position, image.status
       FROM image JOIN series ON series.id = image.series_id JOIN study ON study.id = series.study_id
       WHERE image.cohort_id = ? ORDER BY image.id`,
    )
    .raw()
    .iterate(cohortId) as Iterable<
    [number, number, string | null, number | null, string | null, string]
  >;
  let place = 0;
  for (const [id, patientId, date, age, view, status] of imageRows) {
    if (place >= count) break;
    const patient = patients.get(patientId);
    ids[place] = id;
    ranks.patient[place] = patient?.rank ?? 0;
    ranks.sex[place] = patient?.sex ?? 0;
    ranks.part[place] = patient?.part ?? 0;
    // Ages are their own order; a new-born comes after those of unknown age.
    ranks.ageYears[place] = age === null ? 0 : age + 1;
    ranks.status[place] = statuses.indexOf(status) + 1;
    dates.push(date);
    views.push(view);
    place += 1;
  }
  const viewTexts = fillTextRanks(views, ranks.viewPosition);
  const dateTexts = fillTextRanks(dates, ranks.studyDate);
  return {
    revision,
    ids,
    ranks,
    texts: {
      patient: patientNames,
      sex: sexes,
      part: parts,
      status: statuses,
      viewPosition: viewTexts,
      studyDate: dateTexts,
    },
    positives: new Map(),
    answers: new Map(),
  };
}

/** Ranks of texts as SQLite orders them, by code unit; returns the distinct texts in order. */
function fillTextRanks(values: readonly (string | null)[], ranks: Float64Array): string[] {
  const distinct = new Set<string>();
  for (const value of values) if (value !== null) distinct.add(value);
  const texts = [...distinct].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const rankOf = new Map(texts.map((text, index) => [text, index + 1]));
  values.forEach((value, place) => {
    ranks[place] = value === null ? 0 : (rankOf.get(value) ?? 0);
  });
  return texts;
}

/** Places in ascending order of a column, then of the id. */
function sortedPlaces(index: FilmIndex, column: ImageSort["column"]): Int32Array {
  const key = `order ${column}`;
  const known = index.answers.get(key);
  if (known !== undefined) return known;
  const count = index.ids.length;
  const places = Int32Array.from({ length: count }, (_, place) => place);
  if (column !== "id") {
    const ranks = index.ranks[column];
    // A rank and a place in one number below 2^53: the numbers sort natively. Ages have fractions
    // of at most a day.
    const scale = column === "ageYears" ? 1024 : 1;
    const keys = Float64Array.from(
      ranks,
      (rank, place) => Math.round(rank * scale) * count + place,
    ).sort();
    for (let i = 0; i < count; i++) places[i] = (keys[i] ?? 0) % count;
  }
  index.answers.set(key, places);
  return places;
}

/** 1 for each film that passes. */
function selection(
  database: Database,
  cohortId: number,
  index: FilmIndex,
  filter: ImageFilter,
): Uint8Array {
  const count = index.ids.length;
  const passes = new Uint8Array(count).fill(1);
  const keepBetween = (ranks: Float64Array, low: number, high: number): void => {
    for (let place = 0; place < count; place++) {
      const rank = ranks[place] ?? 0;
      if (rank < low || rank > high) passes[place] = 0;
    }
  };
  const keepText = (column: TextColumn, text: string | undefined): void => {
    if (text === undefined) return;
    const rank = index.texts[column].indexOf(text) + 1;
    // A text that no film has passes none; rank 0 would pass those without a value.
    keepBetween(index.ranks[column], rank === 0 ? Infinity : rank, rank);
  };
  keepText("status", filter.status);
  keepText("sex", filter.sex);
  keepText("part", filter.part);
  keepText("viewPosition", filter.viewPosition);
  if (filter.ageFrom !== undefined || filter.ageTo !== undefined) {
    const from = Math.max(0, filter.ageFrom ?? 0);
    keepBetween(index.ranks.ageYears, from + 1, (filter.ageTo ?? Infinity) + 1);
  }
  if (filter.patient !== undefined && filter.patient !== "") {
    const [first, last] = prefixRange(index.texts.patient, filter.patient);
    keepBetween(index.ranks.patient, first + 1, last);
  }
  if (filter.finding !== undefined) {
    const positive = positivesOf(database, cohortId, index, filter.finding);
    for (let place = 0; place < count; place++) {
      if (positive[place] === 0) passes[place] = 0;
    }
  }
  return passes;
}

/** Where in sorted texts those begin and end that start with a prefix. */
function prefixRange(texts: readonly string[], prefix: string): readonly [number, number] {
  const firstNotBelow = (isBelow: (text: string) => boolean): number => {
    let low = 0;
    let high = texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(texts[middle] ?? "")) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return [
    firstNotBelow((text) => text < prefix),
    firstNotBelow((text) => text < prefix || text.startsWith(prefix)),
  ];
}

function positivesOf(
  database: Database,
  cohortId: number,
  index: FilmIndex,
  finding: FindingKey,
): Uint8Array {
  const known = index.positives.get(finding);
  if (known !== undefined) return known;
  const positive = new Uint8Array(index.ids.length);
  const positiveIds = database
    .prepare(
      `SELECT image_id FROM consensus WHERE finding = ? AND grade >=
         (SELECT positive_at_grade FROM cohort WHERE id = ?)`,
    )
    .pluck()
    .all(finding, cohortId) as number[];
  const wanted = Int32Array.from(positiveIds).sort();
  // Both ascending: one pass finds the films of this cohort among those of all.
  let next = 0;
  for (let place = 0; place < positive.length; place++) {
    const id = index.ids[place] ?? 0;
    while (next < wanted.length && (wanted[next] ?? 0) < id) next += 1;
    if (wanted[next] === id) positive[place] = 1;
  }
  index.positives.set(finding, positive);
  return positive;
}

function remember(answers: Map<string, Int32Array>, key: string, answer: Int32Array): void {
  if (answers.size >= keptAnswers) {
    const oldest = [...answers.keys()].find((candidate) => !candidate.startsWith("order "));
    if (oldest !== undefined) answers.delete(oldest);
  }
  answers.set(key, answer);
}

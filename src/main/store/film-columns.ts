import type { SplitPart } from "../../shared/domain.ts";
import { grades as everyGrade, keysOf, type FindingKey } from "../../shared/findings.ts";
import type { Database } from "./database.ts";
import { schemeOfCohort } from "./schemes.ts";
import { fillTextRanks, type NumberColumn, type RankedTexts } from "./ranked-texts.ts";

/**
 * What the film table and the overview ask of each film, as numbers in memory: place n of every
 * column belongs to the film at place n of `ids`, which ascend.
 */
export interface FilmColumns {
  readonly ids: Int32Array;
  /** The order of each film's value within its column; 0 where it has none. */
  readonly ranks: Readonly<Record<RankedColumn, NumberColumn>>;
  /** What the ranks of text columns stand for, in order: rank n is the value at n - 1. */
  readonly texts: Readonly<Record<TextColumn, readonly string[]>>;
  /** Of each patient, by the rank less 1; NaN where it is not known. */
  readonly comorbidities: Float64Array;
  /** For each of the cohort's labels the consensus grade of each film plus 1; 0 where none. */
  readonly grades: Readonly<Record<FindingKey, Uint8Array>>;
  /** The site's own subgroups, by name. */
  readonly subgroups: ReadonlyMap<string, RankedTexts>;
}

export type TextColumn = "patient" | "sex" | "viewPosition" | "status" | "part" | "studyDate";
export type RankedColumn = TextColumn | "ageYears";

export const sexes: readonly string[] = ["F", "M", "O"];
export const parts: readonly SplitPart[] = ["test", "train", "validation"];
export const statuses: readonly string[] = ["included", "set-aside"];
/** The rank of the films that take part. */
export const includedRank = 1;
/** Films that are read at once: some 25 ms. */
const filmsAtOnce = 16_000;

/** Ages are their own order; a new-born comes after those of unknown age. */
export function ageRank(ageYears: number | null): number {
  return ageYears === null ? 0 : ageYears + 1;
}

/**
 * Reads the columns of a cohort step by step, none of which takes long. SQLite hands rows over as
 * JSON arrays, since an object for each row would take several times as long. Films that change
 * between first and last step may stand with old or new values: the caller reads those again.
 */
export function* readFilmColumns(
  database: Database,
  cohortId: number,
): Generator<undefined, FilmColumns> {
  const patients = yield* readPatients(database, cohortId);
  const count = database
    .prepare("SELECT count(*) FROM image WHERE cohort_id = ?")
    .pluck()
    .get(cohortId) as number;
  const ids = new Int32Array(count);
  const ranks = {
    patient: new Int32Array(count),
    studyDate: new Int32Array(count),
    ageYears: new Float64Array(count),
    sex: new Uint8Array(count),
    viewPosition: new Int32Array(count),
    status: new Uint8Array(count),
    part: new Uint8Array(count),
  };
  const dates: (string | null)[] = [];
  const views: (string | null)[] = [];
  const next = database
    .prepare(
      `SELECT json_array(json_group_array(id), json_group_array(patient_id),
         json_group_array(shifted_date), json_group_array(age_years),
         json_group_array(view_position), json_group_array(status))
       FROM (SELECT image.id, image.patient_id, study.shifted_date, image.age_years,
           image.view_position, image.status
         FROM image JOIN series ON series.id = image.series_id
           JOIN study ON study.id = series.study_id
         WHERE image.cohort_id = ? AND image.id > ? ORDER BY image.id LIMIT ${filmsAtOnce})`,
    )
    .pluck();
  let place = 0;
  while (place < count) {
    const [filmIds, patientIds, someDates, ages, someViews, filmStatuses] = JSON.parse(
      next.get(cohortId, ids[place - 1] ?? 0) as string,
    ) as [number[], number[], (string | null)[], (number | null)[], (string | null)[], string[]];
    if (filmIds.length === 0) break;
    for (let i = 0; i < filmIds.length && place < count; i++, place++) {
      const patient = patients.placeOf.get(patientIds[i] ?? 0) ?? -1;
      ids[place] = filmIds[i] ?? 0;
      ranks.patient[place] = patient + 1;
      ranks.sex[place] = patients.sexes[patient] ?? 0;
      ranks.part[place] = patients.parts[patient] ?? 0;
      ranks.ageYears[place] = ageRank(ages[i] ?? null);
      ranks.status[place] = statuses.indexOf(filmStatuses[i] ?? "") + 1;
      dates.push(someDates[i] ?? null);
      views.push(someViews[i] ?? null);
    }
    yield;
  }
  const viewPosition = fillTextRanks(views, ranks.viewPosition);
  const studyDate = fillTextRanks(dates, ranks.studyDate);
  yield;
  const placeOf = placesOf(ids);
  yield;
  const grades = yield* readGrades(database, cohortId, placeOf, count);
  const subgroups = yield* readSubgroups(database, placeOf, count);
  return {
    ids,
    ranks,
    texts: {
      patient: patients.names,
      sex: sexes,
      part: parts,
      status: statuses,
      viewPosition,
      studyDate,
    },
    comorbidities: patients.comorbidities,
    grades,
    subgroups,
  };
}

/** The patients in the order of their pseudonyms, and what is known of each. */
interface Patients {
  readonly names: readonly string[];
  /** A patient's place in the order, by the number in the store. */
  readonly placeOf: ReadonlyMap<number, number>;
  readonly sexes: Uint8Array;
  readonly parts: Uint8Array;
  readonly comorbidities: Float64Array;
}

function* readPatients(database: Database, cohortId: number): Generator<undefined, Patients> {
  const lists = (sql: string): unknown[][] =>
    JSON.parse(database.prepare(sql).pluck().get(cohortId) as string) as unknown[][];
  const [ids, names, stated] = lists(
    `SELECT json_array(json_group_array(id), json_group_array(pseudonym), json_group_array(sex))
     FROM (SELECT id, pseudonym, sex FROM patient WHERE cohort_id = ? ORDER BY pseudonym LIMIT -1)`,
  ) as [number[], string[], (string | null)[]];
  yield;
  const placeOf = new Map(ids.map((id, place) => [id, place]));
  const patients = {
    names,
    placeOf,
    sexes: Uint8Array.from(stated, (sex) => (sex === null ? 0 : sexes.indexOf(sex) + 1)),
    parts: new Uint8Array(ids.length),
    comorbidities: new Float64Array(ids.length).fill(Number.NaN),
  };
  yield;
  for (const [id, rank] of partRanks(database, cohortId)) {
    const place = placeOf.get(id);
    if (place !== undefined) patients.parts[place] = rank;
  }
  yield;
  const [counted, counts] = lists(
    `SELECT json_array(json_group_array(patient_id), json_group_array(value)) FROM attribute
     WHERE name = 'comorbidity_count'
       AND patient_id IN (SELECT id FROM patient WHERE cohort_id = ?)`,
  ) as [number[], number[]];
  counted.forEach((id, i) => {
    const place = placeOf.get(id);
    if (place !== undefined) patients.comorbidities[place] = counts[i] ?? Number.NaN;
  });
  yield;
  return patients;
}

/** The rank of the part in which each patient of the newest split stands, by the patient's number. */
export function partRanks(database: Database, cohortId: number): [number, number][] {
  const [members, memberParts] = JSON.parse(
    database
      .prepare(
        `SELECT json_array(json_group_array(patient_id), json_group_array(part)) FROM split_member
         WHERE split_id = (SELECT id FROM split WHERE cohort_id = ? ORDER BY id DESC LIMIT 1)`,
      )
      .pluck()
      .get(cohortId) as string,
  ) as [number[], SplitPart[]];
  return members.map((id, i) => [id, parts.indexOf(memberParts[i] as SplitPart) + 1]);
}

/** The place of each film by its number; -1 for those of other cohorts. */
function placesOf(ids: Int32Array): Int32Array {
  // Numbers of films lie close together; where one database holds many cohorts, room is wasted.
  const placeOf = new Int32Array((ids.at(-1) ?? 0) + 1).fill(-1);
  for (let place = 0; place < ids.length; place++) placeOf[ids[place] ?? 0] = place;
  return placeOf;
}

function* readGrades(
  database: Database,
  cohortId: number,
  placeOf: Int32Array,
  count: number,
): Generator<undefined, FilmColumns["grades"]> {
  // The index holds finding, grade and film, so no table is touched.
  const films = database
    .prepare("SELECT json_group_array(image_id) FROM consensus WHERE finding = ? AND grade = ?")
    .pluck();
  const grades: Record<FindingKey, Uint8Array> = {};
  for (const finding of keysOf(schemeOfCohort(database, cohortId))) {
    const column = new Uint8Array(count);
    for (const grade of everyGrade) {
      for (const id of JSON.parse(films.get(finding, grade) as string) as number[]) {
        const place = placeOf[id] ?? -1;
        if (place >= 0) column[place] = grade + 1;
      }
      yield;
    }
    grades[finding] = column;
  }
  return grades;
}

function* readSubgroups(
  database: Database,
  placeOf: Int32Array,
  count: number,
): Generator<undefined, FilmColumns["subgroups"]> {
  const pairs = database.prepare("SELECT DISTINCT name, value FROM image_subgroup").raw().all() as [
    string,
    string,
  ][];
  pairs.sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  yield;
  const films = database
    .prepare("SELECT json_group_array(image_id) FROM image_subgroup WHERE name = ? AND value = ?")
    .pluck();
  const subgroups = new Map<string, { texts: string[]; ranks: Int32Array }>();
  for (const [name, value] of pairs) {
    const column = subgroups.get(name) ?? { texts: [], ranks: new Int32Array(count) };
    const rank = column.texts.length + 1;
    let any = false;
    for (const id of JSON.parse(films.get(name, value) as string) as number[]) {
      const place = placeOf[id] ?? -1;
      if (place < 0) continue;
      column.ranks[place] = rank;
      any = true;
    }
    // Other cohorts have subgroups of their own.
    if (any) {
      column.texts.push(value);
      subgroups.set(name, column);
    }
    yield;
  }
  return subgroups;
}

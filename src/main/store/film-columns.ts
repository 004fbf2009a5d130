import type { SplitPart } from "../../shared/domain.ts";
import { findingKeys, grades as everyGrade, type FindingKey } from "../../shared/findings.ts";
import type { Database } from "./database.ts";

/**
 * What the film table and the overview ask of each film, as numbers in memory: place n of every
 * column belongs to the film at place n of `ids`, which ascend.
 */
export interface FilmColumns {
  readonly ids: Int32Array;
  /** The order of each film's value within its column; 0 where it has none. */
  readonly ranks: Readonly<Record<RankedColumn, Float64Array>>;
  /** 1 for each film that takes part. */
  readonly included: Uint8Array;
  /** What the ranks of text columns stand for: rank n is the value at n - 1. */
  readonly texts: Readonly<Record<TextColumn, readonly string[]>>;
  /** Of each patient, by the rank less 1; NaN where it is not known. */
  readonly comorbidities: Float64Array;
  /** For each finding the consensus grade of each film plus 1; 0 where there is none. */
  readonly grades: Readonly<Record<FindingKey, Uint8Array>>;
}

export type TextColumn = "patient" | "sex" | "viewPosition" | "status" | "part" | "studyDate";
export type RankedColumn = TextColumn | "ageYears";

const sexes = ["F", "M", "O"];
const parts: readonly SplitPart[] = ["test", "train", "validation"];
const statuses = ["included", "set-aside"];
/** Films that are read at once: some 25 ms. */
const filmsAtOnce = 16_000;

/**
 * Reads the columns of a cohort step by step, none of which takes long. SQLite hands rows over as
 * JSON arrays, since an object for each row would take several times as long. The caller sees to it
 * that nothing has changed between first and last step.
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
  const included = new Uint8Array(count);
  const column = (): Float64Array => new Float64Array(count);
  const ranks: Record<RankedColumn, Float64Array> = {
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
      const age = ages[i] ?? null;
      ids[place] = filmIds[i] ?? 0;
      ranks.patient[place] = patient + 1;
      ranks.sex[place] = patients.sexes[patient] ?? 0;
      ranks.part[place] = patients.parts[patient] ?? 0;
      // Ages are their own order; a new-born comes after those of unknown age.
      ranks.ageYears[place] = age === null ? 0 : age + 1;
      ranks.status[place] = statuses.indexOf(filmStatuses[i] ?? "") + 1;
      included[place] = filmStatuses[i] === "included" ? 1 : 0;
      dates.push(someDates[i] ?? null);
      views.push(someViews[i] ?? null);
    }
    yield;
  }
  const viewPosition = fillTextRanks(views, ranks.viewPosition);
  const studyDate = fillTextRanks(dates, ranks.studyDate);
  yield;
  const grades = yield* readGrades(database, ids);
  return {
    ids,
    ranks,
    included,
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
  const [members, memberParts] = lists(
    `SELECT json_array(json_group_array(patient_id), json_group_array(part)) FROM split_member
     WHERE split_id = (SELECT id FROM split WHERE cohort_id = ? ORDER BY id DESC LIMIT 1)`,
  ) as [number[], SplitPart[]];
  members.forEach((id, i) => {
    const part = memberParts[i];
    const place = placeOf.get(id);
    if (place !== undefined && part !== undefined) patients.parts[place] = parts.indexOf(part) + 1;
  });
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

function* readGrades(
  database: Database,
  ids: Int32Array,
): Generator<undefined, FilmColumns["grades"]> {
  // The index holds finding, grade and film, so no table is touched.
  const films = database
    .prepare("SELECT json_group_array(image_id) FROM consensus WHERE finding = ? AND grade = ?")
    .pluck();
  const last = ids.at(-1) ?? 0;
  // Numbers of films lie close together; where one database holds many cohorts, room is wasted.
  const placeOf = new Int32Array(last + 1).fill(-1);
  for (let place = 0; place < ids.length; place++) placeOf[ids[place] ?? 0] = place;
  yield;
  const grades: Partial<Record<FindingKey, Uint8Array>> = {};
  for (const finding of findingKeys) {
    const column = new Uint8Array(ids.length);
    for (const grade of everyGrade) {
      for (const id of JSON.parse(films.get(finding, grade) as string) as number[]) {
        const place = placeOf[id] ?? -1;
        if (place >= 0) column[place] = grade + 1;
      }
      yield;
    }
    grades[finding] = column;
  }
  return grades as FilmColumns["grades"];
}

import type { SplitPart } from "../../shared/domain.ts";
import type { FindingKey } from "../../shared/findings.ts";
import type { Database } from "./database.ts";
import type { FilmChanges } from "./film-changes.ts";
import { ageRank, partRanks, parts, sexes, statuses, type FilmColumns } from "./film-columns.ts";
import {
  movedRows,
  rankIn,
  setTexts,
  withTexts,
  type NumberColumn,
  type RankedTexts,
} from "./ranked-texts.ts";

/** More changed films than this take longer to read one by one than all of them together. */
const mostFilms = 8_000;

/**
 * Brings the columns to the present state by reading what has changed, in the arrays themselves
 * where no film was added. Call it inside the transaction in which the changes were asked for.
 *
 * @returns null, with nothing touched, where the columns must be read from nothing instead
 */
export function patchFilmColumns(
  database: Database,
  cohortId: number,
  columns: FilmColumns,
  changes: FilmChanges,
): FilmColumns | null {
  const read = readChanges(database, cohortId, changes);
  if (read === null) return null;
  const { films, patients, members } = read;
  const known = columns.ids.length;
  const last = columns.ids[known - 1] ?? 0;
  const added = films.filter(({ id }) => placeOfFilm(columns.ids, id) === null);
  // Numbers ascend as films come; one among them would have come from elsewhere.
  if (added.some(({ id }) => id <= last)) return null;

  const grown = added.length === 0 ? columns : withRoom(columns, added);
  const places = films.map(({ id }) => placeOfFilm(grown.ids, id) ?? 0);
  const patient = withTexts(
    { texts: grown.texts.patient, ranks: grown.ranks.patient },
    patients.map(({ pseudonym }) => pseudonym),
  );
  const comorbidities = movedRows(grown.comorbidities, patient);
  const rankOfPatient = new Map<string, number>();
  for (const { pseudonym, comorbidity } of patients) {
    const rank = rankIn(patient.texts, pseudonym);
    rankOfPatient.set(pseudonym, rank);
    comorbidities[rank - 1] = comorbidity ?? Number.NaN;
  }
  const textColumn = (column: "viewPosition" | "studyDate"): RankedTexts => {
    const values = films.map((film) => film[column]);
    const ranked = withTexts(
      { texts: grown.texts[column], ranks: grown.ranks[column] },
      values.filter((value) => value !== null),
    );
    setTexts(ranked, places, values);
    return ranked;
  };
  const viewPosition = textColumn("viewPosition");
  const studyDate = textColumn("studyDate");
  const { ranks } = grown;
  films.forEach((film, i) => {
    const place = places[i] ?? 0;
    ranks.patient[place] = rankOfPatient.get(film.pseudonym) ?? 0;
    ranks.ageYears[place] = ageRank(film.ageYears);
    ranks.sex[place] = film.sex === null ? 0 : sexes.indexOf(film.sex) + 1;
    ranks.status[place] = statuses.indexOf(film.status) + 1;
    ranks.part[place] = film.part === null ? 0 : parts.indexOf(film.part) + 1;
  });
  if (members !== null) setParts(members, patient, ranks.part);
  setGrades(grown, films, places);
  return {
    ids: grown.ids,
    ranks,
    texts: {
      ...grown.texts,
      patient: patient.texts,
      viewPosition: viewPosition.texts,
      studyDate: studyDate.texts,
    },
    comorbidities,
    grades: grown.grades,
    subgroups: withSubgroups(grown, films, places),
  };
}

interface ChangedFilm {
  readonly id: number;
  readonly pseudonym: string;
  readonly sex: string | null;
  readonly part: SplitPart | null;
  readonly studyDate: string | null;
  readonly ageYears: number | null;
  readonly viewPosition: string | null;
  readonly status: string;
  readonly grades: Readonly<Record<FindingKey, number>>;
  readonly subgroups: Readonly<Record<string, string>>;
}

interface ReadChanges {
  /** In the order of their numbers. */
  readonly films: readonly ChangedFilm[];
  readonly patients: readonly { readonly pseudonym: string; readonly comorbidity: number | null }[];
  /** The rank of each patient's part by the patient's pseudonym; null where the split stands. */
  readonly members: ReadonlyMap<string, number> | null;
}

function readChanges(
  database: Database,
  cohortId: number,
  changes: FilmChanges,
): ReadChanges | null {
  if (changes.films.length > mostFilms || changes.patients.length > mostFilms) return null;
  const ids = new Set(changes.films);
  const theirs = database
    .prepare(
      `SELECT image.id FROM json_each(?) AS asked
         CROSS JOIN image INDEXED BY image_by_patient ON image.patient_id = asked.value`,
    )
    .pluck()
    .all(JSON.stringify(changes.patients)) as number[];
  for (const id of theirs) ids.add(id);
  if (ids.size > mostFilms) return null;
  // What was asked for comes first in every join: SQLite would rather go through all films.
  const films = (
    database
      .prepare(
        `SELECT image.id, image.patient_id AS patientId, patient.pseudonym, patient.sex,
           split_member.part, study.shifted_date AS studyDate, image.age_years AS ageYears,
           image.view_position AS viewPosition, image.status,
           (SELECT json_group_object(finding, grade) FROM consensus
             WHERE image_id = image.id) AS grades,
           (SELECT json_group_object(name, value) FROM image_subgroup
             WHERE image_id = image.id) AS subgroups
         FROM json_each(:films) AS asked CROSS JOIN image ON image.id = asked.value
           JOIN patient ON patient.id = image.patient_id
           JOIN series ON series.id = image.series_id
           JOIN study ON study.id = series.study_id
           LEFT JOIN split_member ON split_member.patient_id = patient.id
             AND split_member.split_id =
               (SELECT id FROM split WHERE cohort_id = :cohort ORDER BY id DESC LIMIT 1)
         WHERE image.cohort_id = :cohort ORDER BY image.id`,
      )
      .all({ films: JSON.stringify([...ids]), cohort: cohortId }) as (Omit<
      ChangedFilm,
      "grades" | "subgroups"
    > & { readonly patientId: number; readonly grades: string; readonly subgroups: string })[]
  ).map((film) => ({
    ...film,
    grades: JSON.parse(film.grades) as ChangedFilm["grades"],
    subgroups: JSON.parse(film.subgroups) as ChangedFilm["subgroups"],
  }));
  // One that is not there was deleted or went to another cohort.
  if (films.length !== ids.size) return null;
  const patientIds = new Set([...changes.patients, ...films.map(({ patientId }) => patientId)]);
  const patients = database
    .prepare(
      `SELECT pseudonym, attribute.value AS comorbidity
       FROM json_each(?) AS asked CROSS JOIN patient ON patient.id = asked.value
         LEFT JOIN attribute ON attribute.patient_id = patient.id AND name = 'comorbidity_count'
       WHERE patient.cohort_id = ?`,
    )
    .all(JSON.stringify([...patientIds]), cohortId) as ReadChanges["patients"];
  return { films, patients, members: changes.split ? readMembers(database, cohortId) : null };
}

function readMembers(database: Database, cohortId: number): Map<string, number> {
  const [ids, names] = JSON.parse(
    database
      .prepare(
        `SELECT json_array(json_group_array(id), json_group_array(pseudonym))
         FROM patient WHERE cohort_id = ?`,
      )
      .pluck()
      .get(cohortId) as string,
  ) as [number[], string[]];
  const nameOf = new Map(ids.map((id, i) => [id, names[i] ?? ""]));
  return new Map(partRanks(database, cohortId).map(([id, rank]) => [nameOf.get(id) ?? "", rank]));
}

/** Where a film stands among ascending numbers; null where it is not among them. */
function placeOfFilm(ids: Int32Array, id: number): number | null {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? low : null;
}

/** The same columns with places for more films at their ends, with nothing known of these. */
function withRoom(columns: FilmColumns, added: readonly { readonly id: number }[]): FilmColumns {
  const known = columns.ids.length;
  const count = known + added.length;
  const longer = <T extends NumberColumn>(column: T): T => {
    const copy = new (column.constructor as new (length: number) => T)(count);
    copy.set(column);
    return copy;
  };
  const ids = longer(columns.ids);
  added.forEach(({ id }, i) => (ids[known + i] = id));
  const entries = <T extends NumberColumn>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).map(([name, column]) => [name, longer(column)]));
  return {
    ...columns,
    ids,
    ranks: entries(columns.ranks) as FilmColumns["ranks"],
    grades: entries(columns.grades),
    subgroups: new Map(
      [...columns.subgroups].map(([name, { texts, ranks }]) => [
        name,
        { texts, ranks: longer(ranks) },
      ]),
    ),
  };
}

function setParts(
  members: ReadonlyMap<string, number>,
  patient: RankedTexts,
  partOfFilm: NumberColumn,
): void {
  const partOf = Uint8Array.from(patient.texts, (name) => members.get(name) ?? 0);
  for (let place = 0; place < partOfFilm.length; place++) {
    partOfFilm[place] = partOf[(patient.ranks[place] ?? 0) - 1] ?? 0;
  }
}

function setGrades(
  columns: FilmColumns,
  films: readonly ChangedFilm[],
  places: readonly number[],
): void {
  films.forEach(({ grades }, i) => {
    for (const [finding, column] of Object.entries(columns.grades)) {
      const grade = grades[finding];
      column[places[i] ?? 0] = grade === undefined ? 0 : grade + 1;
    }
  });
}

function withSubgroups(
  columns: FilmColumns,
  films: readonly ChangedFilm[],
  places: readonly number[],
): FilmColumns["subgroups"] {
  const subgroups = new Map(columns.subgroups);
  for (const name of new Set(films.flatMap((film) => Object.keys(film.subgroups)))) {
    if (subgroups.has(name)) continue;
    subgroups.set(name, { texts: [], ranks: new Int32Array(columns.ids.length) });
  }
  for (const [name, column] of subgroups) {
    const values = films.map((film) =>
      Object.hasOwn(film.subgroups, name) ? (film.subgroups[name] ?? null) : null,
    );
    const ranked = withTexts(
      column,
      values.filter((value) => value !== null),
    );
    setTexts(ranked, places, values);
    subgroups.set(name, { texts: ranked.texts, ranks: ranked.ranks });
  }
  return subgroups;
}

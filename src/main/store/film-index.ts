import type { ImageFilter } from "../../shared/domain.ts";
import type { Database } from "./database.ts";
import { readFilmColumns, type FilmColumns, type TextColumn } from "./film-columns.ts";
import { filmRevisionOf } from "./film-revision.ts";
import type { ImageSort } from "./image-table.ts";

/**
 * The columns of a cohort's films in memory, from which the table is filtered and sorted and the
 * overview counted: through SQL each question would read and join every row. Read once, and again
 * when the cohort's films have changed (film-revision.ts), whoever changed them.
 */
interface FilmIndex extends FilmColumns {
  readonly revision: number;
  readonly positiveAtGrade: number;
  /** Orders and selections of late, by their question. */
  readonly answers: Map<string, Int32Array>;
  /** The films of a free subgroup's value, as 1, by name and value; read when first asked for. */
  readonly subgroups: Map<string, Uint8Array>;
}

const keptAnswers = 24;
/** Of 200 KB each for 200,000 films. */
const keptSubgroups = 24;
const indices = new WeakMap<Database, Map<number, FilmIndex>>();
const preparing = new WeakMap<Database, Map<number, Promise<void>>>();
/** Above two thousand years ages are in no order. */
const highestKey = 2 ** 21;
/** Films that keep changing while they are read are read in one go at last. */
const mostAttempts = 2;

/** The ids of the films that pass the filter, in the order asked for. */
export function orderedFilms(
  database: Database,
  query: { readonly cohortId: number; readonly filter: ImageFilter; readonly sort: ImageSort },
): Int32Array {
  const index = currentIndex(database, query.cohortId);
  const key = JSON.stringify([query.filter, query.sort]);
  const known = index.answers.get(key);
  if (known !== undefined) return known;
  const passes = selection(index, query.filter);
  if (query.filter.subgroup !== undefined) {
    keepMembers(passes, subgroupMembers(database, index, query.filter.subgroup));
  }
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

/** The columns as they are now. */
export function filmColumns(database: Database, cohortId: number): FilmColumns {
  return currentIndex(database, cohortId);
}

/**
 * Reads the cohort's columns if they are missing or out of date, a little at a time, so that the
 * process answers others meanwhile and the next question is quick.
 */
export async function prepareFilmIndex(database: Database, cohortId: number): Promise<void> {
  const running = preparing.get(database) ?? new Map<number, Promise<void>>();
  preparing.set(database, running);
  const present = running.get(cohortId);
  if (present !== undefined) return present;
  const work = prepare(database, cohortId).finally(() => running.delete(cohortId));
  running.set(cohortId, work);
  return work;
}

async function prepare(database: Database, cohortId: number): Promise<void> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const revision = filmRevisionOf(database, cohortId);
    if (indices.get(database)?.get(cohortId)?.revision === revision) return;
    const reading = readFilmColumns(database, cohortId);
    let step = reading.next();
    while (step.done !== true) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!database.open) return;
      step = reading.next();
    }
    if (filmRevisionOf(database, cohortId) !== revision) continue;
    keep(database, cohortId, revision, step.value);
    return;
  }
}

function currentIndex(database: Database, cohortId: number): FilmIndex {
  const known = indices.get(database)?.get(cohortId);
  const read = database.transaction((): FilmIndex => {
    const revision = filmRevisionOf(database, cohortId);
    if (known?.revision === revision) return known;
    const reading = readFilmColumns(database, cohortId);
    let step = reading.next();
    while (step.done !== true) step = reading.next();
    return keep(database, cohortId, revision, step.value);
  });
  return read();
}

function keep(
  database: Database,
  cohortId: number,
  revision: number,
  columns: FilmColumns,
): FilmIndex {
  const positiveAtGrade = database
    .prepare("SELECT positive_at_grade FROM cohort WHERE id = ?")
    .pluck()
    .get(cohortId) as number;
  const index: FilmIndex = {
    ...columns,
    revision,
    positiveAtGrade,
    answers: new Map(),
    subgroups: new Map(),
  };
  // One cohort is looked at at a time; the others' columns would only take memory.
  indices.set(database, new Map([[cohortId, index]]));
  return index;
}

/** Places in ascending order of a column, then of the id. */
function sortedPlaces(index: FilmIndex, column: ImageSort["column"]): Int32Array {
  const key = `order ${column}`;
  const known = index.answers.get(key);
  if (known !== undefined) return known;
  const places =
    column === "id"
      ? Int32Array.from(index.ids.keys())
      : // Ages have fractions of at most a day; the other ranks are whole numbers.
        placesByRank(index.ranks[column], column === "ageYears" ? 1024 : 1);
  index.answers.set(key, places);
  return places;
}

/** Sorts by counting, since ranks are small whole numbers once they are scaled. */
function placesByRank(ranks: Float64Array, scale: number): Int32Array {
  const count = ranks.length;
  const keys = new Int32Array(count);
  let highest = 0;
  for (let place = 0; place < count; place++) {
    const key = Math.min(highestKey, Math.max(0, Math.round((ranks[place] ?? 0) * scale)));
    keys[place] = key;
    if (key > highest) highest = key;
  }
  // The number of films with a smaller rank, then the place for the next one of each rank.
  const starts = new Int32Array(highest + 2);
  for (let place = 0; place < count; place++) {
    const after = (keys[place] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let key = 1; key < starts.length; key++) {
    starts[key] = (starts[key] ?? 0) + (starts[key - 1] ?? 0);
  }
  const places = new Int32Array(count);
  for (let place = 0; place < count; place++) {
    const key = keys[place] ?? 0;
    const at = starts[key] ?? 0;
    places[at] = place;
    starts[key] = at + 1;
  }
  return places;
}

/** 1 for each film that passes. */
function selection(index: FilmIndex, filter: ImageFilter): Uint8Array {
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
    const grades = index.grades[filter.finding];
    for (let place = 0; place < count; place++) {
      // Grades stand one higher, so that 0 is none.
      if ((grades[place] ?? 0) <= index.positiveAtGrade) passes[place] = 0;
    }
  }
  return passes;
}

function keepMembers(passes: Uint8Array, members: Uint8Array): void {
  for (let place = 0; place < passes.length; place++) {
    if (members[place] !== 1) passes[place] = 0;
  }
}

/** 1 for each film of a free subgroup's value. Names and values are a site's own, so none is read ahead. */
function subgroupMembers(
  database: Database,
  index: FilmIndex,
  { name, value }: NonNullable<ImageFilter["subgroup"]>,
): Uint8Array {
  const key = JSON.stringify([name, value]);
  const known = index.subgroups.get(key);
  if (known !== undefined) return known;
  const films = database
    .prepare("SELECT json_group_array(image_id) FROM image_subgroup WHERE name = ? AND value = ?")
    .pluck()
    .get(name, value) as string;
  const members = new Uint8Array(index.ids.length);
  for (const id of JSON.parse(films) as number[]) {
    const place = placeOfFilm(index.ids, id);
    if (place !== null) members[place] = 1;
  }
  if (index.subgroups.size >= keptSubgroups) {
    const oldest = index.subgroups.keys().next();
    if (oldest.done !== true) index.subgroups.delete(oldest.value);
  }
  index.subgroups.set(key, members);
  return members;
}

/** Where a film stands among ascending numbers; null where it is another cohort's. */
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

function remember(answers: Map<string, Int32Array>, key: string, answer: Int32Array): void {
  if (answers.size >= keptAnswers) {
    const oldest = [...answers.keys()].find((candidate) => !candidate.startsWith("order "));
    if (oldest !== undefined) answers.delete(oldest);
  }
  answers.set(key, answer);
}

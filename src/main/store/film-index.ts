import type { ImageFilter } from "../../shared/domain.ts";
import type { Database } from "./database.ts";
import { changesSince, filmStateOf, type FilmState } from "./film-changes.ts";
import { readFilmColumns, type FilmColumns } from "./film-columns.ts";
import { patchFilmColumns } from "./film-patch.ts";
import { placesInOrder, selectedPlaces } from "./film-selection.ts";
import { keepFilmColumns, keptFilmColumns } from "./film-snapshot.ts";
import type { ImageSort } from "./image-table.ts";

/**
 * The columns of a cohort's films in memory, from which the table is filtered and sorted and the
 * overview counted: through SQL each question would read and join every row. They are read once, or
 * taken from the store where an earlier process kept them, and then follow each change by the log
 * of changes (film-changes.ts), whoever made it. In memory stand committed states only, and each
 * has a revision that no other has: so what a transaction has changed and takes back is never kept.
 */
interface FilmIndex {
  readonly state: FilmState;
  readonly columns: FilmColumns;
  readonly positiveAtGrade: number;
  /** The state of the columns that are kept in the store. */
  readonly keptState: FilmState | null;
  /** Orders and selections of late, by their question. */
  readonly answers: Map<string, Int32Array>;
  /** What was counted of these columns, by its kind. */
  readonly counts: Map<string, unknown>;
}

const keptAnswers = 24;
/** Of fewer films the columns are read about as fast as they are kept. */
const fewestKept = 5_000;
/** Entries of the log after which the columns are kept anew. */
const keptEvery = 4_000;
/** What cannot be brought up to date after it was read is read again, and at last in one go. */
const mostAttempts = 2;

const indices = new WeakMap<Database, Map<number, FilmIndex>>();
const preparing = new WeakMap<Database, Map<number, Promise<void>>>();

/** The ids of the films that pass the filter, in the order asked for. */
export function orderedFilms(
  database: Database,
  query: { readonly cohortId: number; readonly filter: ImageFilter; readonly sort: ImageSort },
): Int32Array {
  return withIndex(database, query.cohortId, ({ columns, answers, positiveAtGrade }) => {
    const key = JSON.stringify([query.filter, query.sort]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const passes = selectedPlaces(columns, query.filter, positiveAtGrade);
    const orderKey = `order ${query.sort.column}`;
    const order = answers.get(orderKey) ?? placesInOrder(columns, query.sort.column);
    answers.set(orderKey, order);
    const ids = new Int32Array(order.length);
    let count = 0;
    for (const place of order) {
      if (passes[place] === 1) ids[count++] = columns.ids[place] ?? 0;
    }
    const answer = ids.slice(0, count);
    if (query.sort.descending) answer.reverse();
    remember(answers, key, answer);
    return answer;
  });
}

/** What `count` finds in the columns as they are now; kept until they change. */
export function countedInColumns<T>(
  database: Database,
  cohortId: number,
  kind: string,
  count: (columns: FilmColumns) => T,
): T {
  return withIndex(database, cohortId, ({ columns, counts }) => {
    if (!counts.has(kind)) counts.set(kind, count(columns));
    return counts.get(kind) as T;
  });
}

/** The columns as they are now, where they are in memory and soon brought up to date; else null. */
export function columnsAtHand(database: Database, cohortId: number): FilmColumns | null {
  const known = indices.get(database)?.get(cohortId);
  if (known === undefined) return null;
  const index = database.inTransaction
    ? unchangedIndex(database, cohortId)
    : database.transaction(() => follow(database, cohortId, known))();
  return index?.columns ?? null;
}

/**
 * Makes the cohort's columns ready: what is missing or out of date is read a little at a time, so
 * that the process answers others meanwhile and the next question is quick.
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
  let index = database.transaction(() => followedIndex(database, cohortId))();
  for (let attempt = 0; index === null && attempt < mostAttempts; attempt++) {
    const state = filmStateOf(database, cohortId);
    const reading = readFilmColumns(database, cohortId);
    let step = reading.next();
    while (step.done !== true) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!database.open) return;
      step = reading.next();
    }
    const read = { state, columns: step.value, keptState: null };
    index = database.transaction(() => follow(database, cohortId, read))();
  }
  index ??= withIndex(database, cohortId, (read) => read);
  const { state, columns, keptState } = index;
  if (columns.ids.length < fewestKept) return;
  if (keptState !== null && state.entry - keptState.entry < keptEvery) return;
  keepFilmColumns(database, cohortId, state, columns);
  hold(database, cohortId, { ...index, keptState: state });
}

/** Answers from the columns as they are now; what is read of the store beside them is as old as they. */
function withIndex<T>(database: Database, cohortId: number, use: (index: FilmIndex) => T): T {
  const isPartOfMore = database.inTransaction;
  return database.transaction(() => {
    const index = isPartOfMore
      ? unchangedIndex(database, cohortId)
      : followedIndex(database, cohortId);
    if (index !== null) return use(index);
    const state = filmStateOf(database, cohortId);
    const reading = readFilmColumns(database, cohortId);
    let step = reading.next();
    while (step.done !== true) step = reading.next();
    const read = indexOf(database, cohortId, { state, columns: step.value, keptState: null });
    // What a transaction has changed so far may yet be taken back.
    return use(isPartOfMore ? read : hold(database, cohortId, read));
  })();
}

/** What is in memory, where it is what the present transaction sees. */
function unchangedIndex(database: Database, cohortId: number): FilmIndex | null {
  const known = indices.get(database)?.get(cohortId);
  const { revision } = filmStateOf(database, cohortId);
  return known?.state.revision === revision ? known : null;
}

/** What is in memory or was kept in the store, brought up to date; null where that is not to be had. */
function followedIndex(database: Database, cohortId: number): FilmIndex | null {
  const known = indices.get(database)?.get(cohortId);
  if (known !== undefined) return follow(database, cohortId, known);
  const kept = keptFilmColumns(database, cohortId);
  return kept && follow(database, cohortId, { ...kept, keptState: kept.state });
}

function follow(database: Database, cohortId: number, from: Columns | FilmIndex): FilmIndex | null {
  const state = filmStateOf(database, cohortId);
  if (from.state.revision === state.revision) {
    return "answers" in from ? from : hold(database, cohortId, indexOf(database, cohortId, from));
  }
  const changes = changesSince(database, cohortId, from.state);
  const columns = changes && patchFilmColumns(database, cohortId, from.columns, changes);
  if (columns === null) {
    indices.get(database)?.delete(cohortId);
    return null;
  }
  const { keptState } = from;
  return hold(database, cohortId, indexOf(database, cohortId, { state, columns, keptState }));
}

type Columns = Pick<FilmIndex, "state" | "columns" | "keptState">;

function indexOf(database: Database, cohortId: number, columns: Columns): FilmIndex {
  const positiveAtGrade = database
    .prepare("SELECT positive_at_grade FROM cohort WHERE id = ?")
    .pluck()
    .get(cohortId) as number;
  return { ...columns, positiveAtGrade, answers: new Map(), counts: new Map() };
}

function hold(database: Database, cohortId: number, index: FilmIndex): FilmIndex {
  // One cohort is looked at at a time; the others' columns would only take memory.
  indices.set(database, new Map([[cohortId, index]]));
  return index;
}

function remember(answers: Map<string, Int32Array>, key: string, answer: Int32Array): void {
  if (answers.size >= keptAnswers) {
    const oldest = [...answers.keys()].find((candidate) => !candidate.startsWith("order "));
    if (oldest !== undefined) answers.delete(oldest);
  }
  answers.set(key, answer);
}

import type { ImageFilter, ImageRow } from "../../shared/domain.ts";
import type { imageSortSchema } from "../../shared/contract.ts";
import type { z } from "zod";
import { call, failureOf, type Failure } from "./bridge.ts";
import { track } from "./track.ts";
import { createRowWindows, type RowWindows } from "./row-windows.ts";

export type ImageSort = z.infer<typeof imageSortSchema>;

/**
 * The films of the chosen cohort as the table lists them: one filter and one order, which the
 * viewer follows as well, so that the wheel goes where the arrow keys went.
 */
interface FilmList {
  cohortId: number | null;
  filter: ImageFilter;
  sort: ImageSort;
  /** The row that the keyboard is on. */
  selected: number;
  failure: Failure | null;
}

export const filmList = $state<FilmList>({
  cohortId: null,
  filter: {},
  sort: { column: "id", descending: false },
  selected: 0,
  failure: null,
});

let windows: RowWindows<ImageRow> | null = null;
let listedRevision: number | null = null;
/** Rises with each answer, so that what reads rows is run again. */
let answers = $state(0);

/** Rows that match, or null while that is not known. */
export function filmTotal(): number | null {
  track(answers);
  return windows?.total ?? null;
}

export function filmAt(index: number): ImageRow | undefined {
  track(answers);
  return windows?.at(index);
}

/** Fetches around the rows in view. */
export function showFilms(first: number, last: number): void {
  windows?.show(first, last);
}

export async function loadFilm(index: number): Promise<ImageRow | undefined> {
  return windows?.load(index);
}

export function replaceFilm(index: number, row: ImageRow): void {
  windows?.replace(index, row);
}

/**
 * Lists a cohort as of a revision of it. Where it is the same cohort again, the filter stays, and
 * the rows are fetched again only where the cohort has changed since, with the list shown or not.
 */
export function openFilms(cohortId: number, revision: number): void {
  const changed = revision !== listedRevision;
  listedRevision = revision;
  if (filmList.cohortId === cohortId) {
    if (changed) refreshFilms();
    return;
  }
  filmList.cohortId = cohortId;
  filmList.filter = {};
  restart();
}

export function filterFilms(filter: ImageFilter): void {
  filmList.filter = filter;
  restart();
}

export function sortFilms(column: ImageSort["column"]): void {
  const { sort } = filmList;
  filmList.sort = { column, descending: sort.column === column ? !sort.descending : false };
  restart();
}

/** Fetches again after the cohort has changed, or after a failure. */
export function refreshFilms(): void {
  filmList.failure = null;
  windows?.refresh();
  windows?.show(filmList.selected, filmList.selected);
  answers += 1;
}

function restart(): void {
  const { cohortId } = filmList;
  if (cohortId === null) return;
  const filter = $state.snapshot(filmList.filter);
  const sort = $state.snapshot(filmList.sort);
  windows?.close();
  filmList.selected = 0;
  filmList.failure = null;
  windows = createRowWindows<ImageRow>({
    fetch: (offset, limit) => call("cohort:images", { cohortId, filter, sort, offset, limit }),
    onChange: () => (answers += 1),
    onFailure: (thrown) => (filmList.failure = failureOf(thrown)),
  });
  answers += 1;
  windows.show(0, 0);
}

import type { ImageFilter } from "../../shared/domain.ts";
import { ageRank, type FilmColumns, type TextColumn } from "./film-columns.ts";
import type { ImageSort } from "./image-table.ts";
import type { NumberColumn } from "./ranked-texts.ts";

/** Above two thousand years ages are in no order. */
const highestKey = 2 ** 21;

/** Places in ascending order of a column, then of the film's number. */
export function placesInOrder(columns: FilmColumns, column: ImageSort["column"]): Int32Array {
  return column === "id"
    ? Int32Array.from(columns.ids.keys())
    : // Ages have fractions of at most a day; the other ranks are whole numbers.
      placesByRank(columns.ranks[column], column === "ageYears" ? 1024 : 1);
}

/** Sorts by counting, since ranks are small whole numbers once they are scaled. */
function placesByRank(ranks: NumberColumn, scale: number): Int32Array {
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
export function selectedPlaces(
  columns: FilmColumns,
  filter: ImageFilter,
  positiveAtGrade: number,
): Uint8Array {
  const count = columns.ids.length;
  const passes = new Uint8Array(count).fill(1);
  const keepBetween = (ranks: NumberColumn, low: number, high: number): void => {
    for (let place = 0; place < count; place++) {
      const rank = ranks[place] ?? 0;
      if (rank < low || rank > high) passes[place] = 0;
    }
  };
  // A text that no film has passes none; rank 0 would pass those without a value.
  const keepRank = (ranks: NumberColumn, rank: number): void => {
    keepBetween(ranks, rank === 0 ? Infinity : rank, rank);
  };
  const keepText = (column: TextColumn, text: string | undefined): void => {
    if (text === undefined) return;
    keepRank(columns.ranks[column], columns.texts[column].indexOf(text) + 1);
  };
  keepText("status", filter.status);
  keepText("sex", filter.sex);
  keepText("part", filter.part);
  keepText("viewPosition", filter.viewPosition);
  if (filter.ageFrom !== undefined || filter.ageTo !== undefined) {
    const from = Math.max(0, filter.ageFrom ?? 0);
    keepBetween(columns.ranks.ageYears, ageRank(from), ageRank(filter.ageTo ?? Infinity));
  }
  if (filter.patient !== undefined && filter.patient !== "") {
    const [first, last] = prefixRange(columns.texts.patient, filter.patient);
    keepBetween(columns.ranks.patient, first + 1, last);
  }
  if (filter.finding !== undefined) {
    const grades = columns.grades[filter.finding];
    for (let place = 0; place < count; place++) {
      // Grades stand one higher, so that 0 is none.
      if ((grades?.[place] ?? 0) <= positiveAtGrade) passes[place] = 0;
    }
  }
  if (filter.subgroup !== undefined) {
    const { name, value } = filter.subgroup;
    const subgroup = columns.subgroups.get(name);
    if (subgroup === undefined) passes.fill(0);
    else keepRank(subgroup.ranks, subgroup.texts.indexOf(value) + 1);
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

import type { CountByValue } from "../../shared/domain.ts";
import type { FilmColumns } from "./film-columns.ts";

/** The included films counted as by `countFilms`. */
export function countIncluded(
  columns: FilmColumns,
  valueOf: (place: number) => string,
): CountByValue[] {
  return countFilms(columns, (place) => (columns.included[place] === 1 ? valueOf(place) : null));
}

/** Images and patients for each value, in the order in which values come; null is not counted. */
export function countFilms(
  columns: FilmColumns,
  valueOf: (place: number) => string | null,
): CountByValue[] {
  const { patient } = columns.ranks;
  interface Count {
    images: number;
    patients: number;
    /** 1 for each patient, by rank, who has been counted. */
    readonly seen: Uint8Array;
  }
  const counts = new Map<string, Count>();
  for (let place = 0; place < patient.length; place++) {
    const value = valueOf(place);
    if (value === null) continue;
    let count = counts.get(value);
    if (count === undefined) {
      count = { images: 0, patients: 0, seen: new Uint8Array(columns.texts.patient.length + 1) };
      counts.set(value, count);
    }
    const rank = patient[place] ?? 0;
    count.images++;
    if (count.seen[rank] === 1) continue;
    count.seen[rank] = 1;
    count.patients++;
  }
  return [...counts].map(([value, { images, patients }]) => ({ value, images, patients }));
}

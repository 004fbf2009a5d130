import type { CountByValue } from "../../shared/domain.ts";
import { includedRank, type FilmColumns } from "./film-columns.ts";
import { placesInOrder } from "./film-selection.ts";
import type { NumberColumn } from "./ranked-texts.ts";

/** A count of each rank from 0 on, in films and in patients. */
export interface RankCounts {
  readonly images: Uint32Array;
  readonly patients: Uint32Array;
}

/** Counts films and their patients by a rank. */
export type RankCounter = (
  ranks: ArrayLike<number>,
  highest: number,
  which: "all" | "included",
) => RankCounts;

/** Counts by one pass for each question, with the films in the order of their patients. */
export function rankCounter(columns: FilmColumns): RankCounter {
  const places = placesInOrder(columns, "patient");
  const { patient, status } = columns.ranks;
  return (ranks, highest, which) => {
    const images = new Uint32Array(highest + 1);
    const patients = new Uint32Array(highest + 1);
    // A patient's films follow each other, so the last patient who was counted tells a new one.
    const last = new Int32Array(highest + 1).fill(-1);
    for (const place of places) {
      if (which === "included" && status[place] !== includedRank) continue;
      const rank = ranks[place] ?? 0;
      images[rank] = (images[rank] ?? 0) + 1;
      const one = patient[place] ?? 0;
      if (last[rank] === one) continue;
      last[rank] = one;
      patients[rank] = (patients[rank] ?? 0) + 1;
    }
    return { images, patients };
  };
}

/** Other ranks for the same places, each told by the one that it has. */
export function reranked(ranks: NumberColumn, rankNow: (rank: number) => number): Int32Array {
  const others = new Int32Array(ranks.length);
  for (let place = 0; place < ranks.length; place++) others[place] = rankNow(ranks[place] ?? 0);
  return others;
}

/** The counts of ranks that any film has, by the name of each, in their order; without a name, left out. */
export function namedCounts(
  { images, patients }: RankCounts,
  nameOf: (rank: number) => string | null,
): CountByValue[] {
  const counts: CountByValue[] = [];
  images.forEach((count, rank) => {
    const value = nameOf(rank);
    if (count === 0 || value === null) return;
    counts.push({ value, images: count, patients: patients[rank] ?? 0 });
  });
  return counts;
}

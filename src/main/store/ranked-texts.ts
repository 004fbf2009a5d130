/** Ranks or values of the films, or of the patients. */
export type NumberColumn = Uint8Array | Int32Array | Float64Array;

/** A column of texts: the rank of each film's text, and the texts that ranks stand for, in order. */
export interface RankedTexts {
  readonly texts: readonly string[];
  readonly ranks: NumberColumn;
}

/** Texts as SQLite orders them, by code unit. */
export function inTextOrder(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Fills in the ranks of texts; returns the distinct texts in order. */
export function fillTextRanks(values: readonly (string | null)[], ranks: Int32Array): string[] {
  const distinct = new Set<string>();
  for (const value of values) if (value !== null) distinct.add(value);
  const texts = inTextOrder(distinct);
  const rankOf = new Map(texts.map((text, index) => [text, index + 1]));
  values.forEach((value, place) => {
    ranks[place] = value === null ? 0 : (rankOf.get(value) ?? 0);
  });
  return texts;
}

/** Takes texts into the order, and moves the ranks of those behind them. */
export function withTexts(column: RankedTexts, texts: readonly string[]): Moved {
  const added = new Set(texts.filter((text) => rankIn(column.texts, text) === 0));
  if (added.size === 0) return { ...column, rankNow: null };
  const sorted = inTextOrder(added);
  const merged: string[] = [];
  const rankNow = new Int32Array(column.texts.length + 1);
  let next = 0;
  column.texts.forEach((text, i) => {
    while (next < sorted.length && (sorted[next] ?? "") < text) merged.push(sorted[next++] ?? "");
    merged.push(text);
    rankNow[i + 1] = merged.length;
  });
  merged.push(...sorted.slice(next));
  const { ranks } = column;
  for (let place = 0; place < ranks.length; place++) {
    ranks[place] = rankNow[ranks[place] ?? 0] ?? 0;
  }
  return { texts: merged, ranks, rankNow };
}

export interface Moved extends RankedTexts {
  /** The present rank of each former one; null where none has moved. */
  readonly rankNow: Int32Array | null;
}

/** What is known of each text, with gaps where texts were taken in. */
export function movedRows(rows: Float64Array, { texts, rankNow }: Moved): Float64Array {
  if (rankNow === null) return rows;
  const moved = new Float64Array(texts.length).fill(Number.NaN);
  rows.forEach((row, i) => (moved[(rankNow[i + 1] ?? 0) - 1] = row));
  return moved;
}

/** The rank of a text among texts in order; 0 where it is not among them. */
export function rankIn(texts: readonly string[], text: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((texts[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return texts[low] === text ? low + 1 : 0;
}

/** Fills in the ranks of films at some places. */
export function setTexts(
  { texts, ranks }: RankedTexts,
  places: readonly number[],
  values: readonly (string | null)[],
): void {
  values.forEach((value, i) => {
    ranks[places[i] ?? 0] = value === null ? 0 : rankIn(texts, value);
  });
}

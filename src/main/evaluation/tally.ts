import { orderByScore } from "./roc.ts";

/**
 * One label's observations as columns. `cells` holds, for each observation in turn, one cell
 * number for each attribute: the subgroup that it belongs to, or the attribute's cell for
 * "unknown", which no statistic reads.
 */
export interface LabelColumns {
  readonly patients: Uint32Array;
  readonly positive: Uint8Array;
  readonly scores: Float64Array;
  readonly cells: Uint16Array;
}

/** A label's observations in ascending order of score, ready to be counted again and again. */
export interface RankedLabel {
  readonly patients: Uint32Array;
  readonly positive: Uint8Array;
  readonly cells: Uint16Array;
  readonly cellsPerItem: number;
  /** Start of each block of equal scores, and the number of items as the last entry. */
  readonly blocks: Uint32Array;
  /** Blocks below the threshold; null where there is no threshold. */
  readonly blocksBelowThreshold: number | null;
}

/** What a tally holds for a cell, in this order. Cell 0 is all observations. */
export const tallyFields = 5;
export const tallyPositives = 0;
export const tallyNegatives = 1;
/** Twice the weight of concordant pairs, tied pairs counting once: whole numbers, so exact. */
export const tallyDoubleConcordant = 2;
/** Positives and negatives whose score lies below the threshold. */
export const tallyFalseNegatives = 3;
export const tallyTrueNegatives = 4;

/** Sorts once; every bootstrap sample then only walks the order. */
export function rankLabel(columns: LabelColumns, threshold: number | null): RankedLabel {
  const items = columns.scores.length;
  const cellsPerItem = items === 0 ? 0 : columns.cells.length / items;
  const order = orderByScore(columns.scores);
  const cells = new Uint16Array(columns.cells.length);
  const starts: number[] = [];
  let blocksBelow = 0;
  let previous = NaN;
  order.forEach((index, rank) => {
    const score = columns.scores[index] ?? 0;
    if (score !== previous) {
      starts.push(rank);
      if (threshold !== null && score < threshold) blocksBelow += 1;
      previous = score;
    }
    for (let a = 0; a < cellsPerItem; a += 1) {
      cells[rank * cellsPerItem + a] = columns.cells[index * cellsPerItem + a] ?? 0;
    }
  });
  return {
    patients: Uint32Array.from(order, (index) => columns.patients[index] ?? 0),
    positive: Uint8Array.from(order, (index) => columns.positive[index] ?? 0),
    cells,
    cellsPerItem,
    blocks: Uint32Array.from([...starts, items]),
    blocksBelowThreshold: threshold === null ? null : blocksBelow,
  };
}

/**
 * Counts one label in all cells with a weight for each patient: in a bootstrap sample, how often
 * the patient was drawn. Linear in the number of observations.
 *
 * @param tally cells x tallyFields numbers, overwritten
 */
export function tallyLabel(label: RankedLabel, weights: Uint16Array, tally: Float64Array): void {
  tally.fill(0);
  const blocks = label.blocks.length - 1;
  const below = label.blocksBelowThreshold ?? blocks;
  countBlocks(label, weights, tally, 0, below);
  for (let at = 0; at < tally.length; at += tallyFields) {
    tally[at + tallyFalseNegatives] = tally[at + tallyPositives] ?? 0;
    tally[at + tallyTrueNegatives] = tally[at + tallyNegatives] ?? 0;
  }
  countBlocks(label, weights, tally, below, blocks);
}

function countBlocks(
  label: RankedLabel,
  weights: Uint16Array,
  tally: Float64Array,
  firstBlock: number,
  endBlock: number,
): void {
  const { blocks, patients, positive } = label;
  let start = blocks[firstBlock] as number;
  for (let block = firstBlock; block < endBlock; block += 1) {
    const end = blocks[block + 1] as number;
    if (end - start === 1) {
      const weight = weights[patients[start] as number] as number;
      if (weight === 0) {
        // Not drawn: a good third of the patients in each sample.
      } else if (positive[start] === 1) addPositive(label, tally, start, weight, 2 * weight);
      else addNegative(label, tally, start, weight);
    } else {
      countTies(label, weights, tally, start, end);
    }
    start = end;
  }
}

/** Tied positives see half of the tied negatives: count pairs before and after adding those. */
function countTies(
  label: RankedLabel,
  weights: Uint16Array,
  tally: Float64Array,
  start: number,
  end: number,
): void {
  const { patients, positive } = label;
  for (let item = start; item < end; item += 1) {
    const weight = weights[patients[item] as number] as number;
    if (positive[item] === 1) addPositive(label, tally, item, weight, weight);
  }
  for (let item = start; item < end; item += 1) {
    const weight = weights[patients[item] as number] as number;
    if (positive[item] === 0) addNegative(label, tally, item, weight);
  }
  for (let item = start; item < end; item += 1) {
    const weight = weights[patients[item] as number] as number;
    if (positive[item] === 1) addPositive(label, tally, item, 0, weight);
  }
}

function addNegative(label: RankedLabel, tally: Float64Array, item: number, weight: number): void {
  const { cells, cellsPerItem } = label;
  tally[tallyNegatives] = (tally[tallyNegatives] as number) + weight;
  const end = (item + 1) * cellsPerItem;
  for (let entry = end - cellsPerItem; entry < end; entry += 1) {
    const at = (cells[entry] as number) * tallyFields + tallyNegatives;
    tally[at] = (tally[at] as number) + weight;
  }
}

/** Adds a positive's weight, and `pairs` times the negatives counted so far, in all its cells. */
function addPositive(
  label: RankedLabel,
  tally: Float64Array,
  item: number,
  weight: number,
  pairs: number,
): void {
  const { cells, cellsPerItem } = label;
  const end = (item + 1) * cellsPerItem;
  for (let entry = end - cellsPerItem - 1; entry < end; entry += 1) {
    // Once for cell 0, then for the item's own cells.
    const at = entry < end - cellsPerItem ? 0 : (cells[entry] as number) * tallyFields;
    tally[at + tallyPositives] = (tally[at + tallyPositives] as number) + weight;
    tally[at + tallyDoubleConcordant] =
      (tally[at + tallyDoubleConcordant] as number) +
      pairs * (tally[at + tallyNegatives] as number);
  }
}

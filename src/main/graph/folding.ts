import type { GraphBuilder } from "./builder.ts";
import type { Tensor } from "./ir.ts";

/** Values in a row from which on a repeated row costs no more than a value each. */
const wideRow = 1024;

/**
 * Maps [images, pixels, channels] seen as [images, pixels / fold, fold * channels]: the same
 * values in memory, in rows that are long enough. An operation that repeats a row of 64 channels
 * for every pixel takes two to three times as long as one whose rows hold 1,024 values.
 */
export interface Folding {
  readonly images: number;
  readonly pixels: number;
  readonly channels: number;
  /** How many pixels stand in one row. */
  readonly fold: number;
}

export function foldingOf(maps: Tensor): Folding {
  const [images = 0, pixels = 0, channels = 0] = maps.shape;
  let fold = 1;
  while (pixels % (2 * fold) === 0 && 2 * fold * channels <= wideRow) fold *= 2;
  return { images, pixels, channels, fold };
}

export function folded(builder: GraphBuilder, folding: Folding, maps: Tensor): Tensor {
  const { images, pixels, channels, fold } = folding;
  return builder.reshape(maps, [images, pixels / fold, fold * channels]);
}

export function unfolded(builder: GraphBuilder, folding: Folding, maps: Tensor): Tensor {
  const { images, pixels, channels } = folding;
  return builder.reshape(maps, [images, pixels, channels]);
}

/** A row of channels [1, 1, channels] as one folded row [1, 1, fold * channels]. */
export function foldedRow(builder: GraphBuilder, folding: Folding, row: Tensor): Tensor {
  return builder.concatenate(new Array<Tensor>(folding.fold).fill(row), 2);
}

/** Folded maps summed over their rows: [images, 1, fold * channels]. */
export function sumOfRows(builder: GraphBuilder, folding: Folding, maps: Tensor): Tensor {
  const { images, pixels, fold } = folding;
  const rows = pixels / fold;
  if (rows === 1) return maps;
  // A product with ones: engines' reductions over an inner axis are several times slower.
  const ones = builder.constant([images, 1, rows], new Float32Array(images * rows).fill(1));
  return builder.matrixProduct(ones, maps);
}

/** [images, 1, fold * channels] summed over the pixels that stood in one row: [images, 1, channels]. */
export function sumOfFold(builder: GraphBuilder, folding: Folding, sums: Tensor): Tensor {
  const { images, channels, fold } = folding;
  if (fold === 1) return sums;
  return builder.reduce("sum", builder.reshape(sums, [images, fold, channels]), 1);
}

/** The matrices that sum a folded row over groups of neighbouring channels, and repeat it. */
export interface GroupMatrices {
  /** [fold * channels, groups], `value` where the channel is in the group. */
  toGroups(value: number): Tensor;
  /** [channels, groups] likewise, for rows that are not folded. */
  channelsToGroups(value: number): Tensor;
  /** [groups, fold * channels]: ones. */
  toRow(): Tensor;
  /** [groups, channels]: ones. */
  toChannels(): Tensor;
}

export function groupMatrices(
  builder: GraphBuilder,
  folding: Folding,
  groups: number,
): GroupMatrices {
  const { channels, fold } = folding;
  const perGroup = channels / groups;
  const groupOf = (at: number): number => Math.floor((at % channels) / perGroup);
  const summing = (width: number, value: number): Tensor => {
    const data = new Float32Array(width * groups);
    for (let at = 0; at < width; at += 1) data[at * groups + groupOf(at)] = value;
    return builder.constant([width, groups], data);
  };
  const repeating = (width: number): Tensor => {
    const data = new Float32Array(width * groups);
    for (let at = 0; at < width; at += 1) data[groupOf(at) * width + at] = 1;
    return builder.constant([groups, width], data);
  };
  let row: Tensor | null = null;
  let plain: Tensor | null = null;
  return {
    toGroups: (value) => summing(fold * channels, value),
    channelsToGroups: (value) => summing(channels, value),
    toRow: () => (row ??= repeating(fold * channels)),
    toChannels: () => (plain ??= fold === 1 ? (row ??= repeating(channels)) : repeating(channels)),
  };
}

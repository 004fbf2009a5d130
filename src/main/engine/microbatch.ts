import type { ImageFeed } from "../graph/context.ts";
import { graphNames } from "../graph/step.ts";
import type { NetworkDescription } from "../network/description.ts";
import type { UnitBatch } from "./engine.ts";

/** A run of units that is computed at once, in a graph made for `size` units. */
export interface Piece {
  readonly first: number;
  readonly units: number;
  /** At least `units`; what is over counts for nothing. */
  readonly size: number;
}

/** Smaller micro-batches are chosen where memory is scarce, and each graph keeps outputs of its own. */
const fewestToHalve = 16;

/**
 * Cuts `units` into pieces of `microbatch`; the rest goes into pieces of a quarter of it, and of a half
 * where it is large, so that little is computed in vain and only two graphs are needed, or three.
 */
export function piecesOf(units: number, microbatch: number): Piece[] {
  const quarter = Math.ceil(microbatch / 4);
  const half = microbatch < fewestToHalve ? quarter : Math.ceil(microbatch / 2);
  const pieces: Piece[] = [];
  let first = 0;
  while (first < units) {
    const left = units - first;
    // A larger piece that is not full costs as much as smaller ones once they would leave no gap.
    const size = left > microbatch - quarter ? microbatch : left > half - quarter ? half : quarter;
    const taken = Math.min(size, left);
    pieces.push({ first, units: taken, size });
    first += taken;
  }
  return pieces;
}

/** The piece that starts at `first`: the rest of a batch is cut as a batch of its own. */
export function nextPiece(first: number, units: number, microbatch: number): Piece {
  const [piece] = piecesOf(units - first, microbatch);
  if (piece === undefined) throw new Error(`no piece of ${units} units starts at ${first}`);
  return { ...piece, first };
}

/** Throws an Error where a batch does not fit the network: a programming error. */
export function checkBatch(
  network: NetworkDescription,
  resolutionPixels: number,
  batch: UnitBatch,
): void {
  const { units, views } = batch;
  if (!Number.isInteger(units) || units < 0 || !Number.isInteger(views) || views < 1)
    throw new Error(`a batch of ${units} units with ${views} views is not possible`);
  const values = units * views * resolutionPixels * resolutionPixels;
  if (batch.images.length !== values)
    throw new Error(`${batch.images.length} image values where ${values} are expected`);
  if (batch.labels.length !== units * network.labels)
    throw new Error(`${batch.labels.length} labels where ${units * network.labels} are expected`);
}

/**
 * Copies one image into a graph's input as the feed describes; `padded` has room for the image and
 * a 0 behind it.
 */
function fillImage(
  feed: ImageFeed,
  image: Float32Array,
  padded: Float32Array,
  target: Float32Array,
): void {
  if (feed.pixels === null) {
    target.set(image);
    return;
  }
  padded.set(image);
  const { pixels } = feed;
  for (let i = 0; i < pixels.length; i += 1) target[i] = padded[pixels[i] ?? 0] ?? NaN;
}

/**
 * Fills a graph's images, labels and mask with a piece of a batch. Units past its end, and those
 * in `left` (counted from the piece's first), become black images without labels, whose loss and
 * gradient are zero. A missing label (NaN) becomes 0 with mask 0; a positive label's mask is what
 * the label's positives weigh.
 */
export function fillPiece(
  feeds: ReadonlyMap<string, Float32Array>,
  imageFeeds: readonly ImageFeed[],
  batch: UnitBatch,
  part: {
    readonly piece: Piece;
    readonly left: ReadonlySet<number>;
    /** [labels] */
    readonly positiveWeights: readonly number[] | null;
  },
): void {
  const { piece, left, positiveWeights } = part;
  const { views } = batch;
  const imageValues = batch.units === 0 ? 0 : batch.images.length / (batch.units * views);
  const labelCount = batch.units === 0 ? 0 : batch.labels.length / batch.units;
  const { first, units } = piece;
  const padded = new Float32Array(imageValues + 1);
  for (const feed of imageFeeds) {
    const array = feeds.get(feed.input);
    if (array === undefined) throw new Error(`nothing to fill for ${feed.input}`);
    for (let at = 0; at < feed.images; at += 1) {
      const target = array.subarray(at * feed.valuesPerImage, (at + 1) * feed.valuesPerImage);
      const image = feed.first + at;
      const unit = Math.floor(image / views);
      const from = (first * views + image) * imageValues;
      if (unit >= units || left.has(unit)) target.fill(0);
      else fillImage(feed, batch.images.subarray(from, from + imageValues), padded, target);
    }
  }
  const labels = feeds.get(graphNames.labels);
  const mask = feeds.get(graphNames.mask);
  if (labels === undefined || mask === undefined) return;
  labels.fill(0);
  mask.fill(0);
  for (let unit = 0; unit < units; unit += 1) {
    if (left.has(unit)) continue;
    for (let i = unit * labelCount; i < (unit + 1) * labelCount; i += 1) {
      const label = batch.labels[first * labelCount + i] ?? NaN;
      if (Number.isNaN(label)) continue;
      labels[i] = label;
      mask[i] = label === 1 ? (positiveWeights?.[i % labelCount] ?? 1) : 1;
    }
  }
}

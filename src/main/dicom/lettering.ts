import type { StoredFrame } from "./decode.ts";
import { resident } from "./kernel/kernel.ts";
import type { Region } from "./regions.ts";

/** Rows that are looked at; lettering that can be read is higher than the gaps between them. */
const sampledRows = 400;
/** Of the film's range: how far a stroke stands out on both sides, and how even it is. */
const contrastShare = 0.2;
const evenShare = 0.01;
/** Of the film's width: the widest stroke, and the widest gap between two of a line. */
const strokeShare = 0.025;
const gapShare = 0.04;
/** A single marker letter has two strokes at most in a row; a word has more. */
const fewestStrokes = 4;
const fewestRows = 3;
/** A film of a narrower range shows nothing. */
const fewestValues = 16;

interface Line {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

interface Block {
  top: number;
  bottom: number;
  left: number;
  right: number;
  rows: number;
}

/**
 * Rectangles in which words seem to be burned into a monochrome film: several thin strokes of one
 * even value side by side, far brighter or darker than what is left and right of them, over
 * several rows. It helps a person to look and never replaces looking: faint, large, handwritten
 * or lossily compressed text is missed.
 */
export function findLettering(frame: StoredFrame): readonly Region[] {
  const { rows, columns, samplesPerPixel, values } = frame;
  if (samplesPerPixel !== 1 || rows < 16 || columns < 16) return [];
  const step = Math.max(1, Math.floor(rows / sampledRows));
  const sixteenBits = values instanceof Uint16Array || values instanceof Int16Array;
  const lines = sixteenBits
    ? linesOfSteepPlaces(values, rows, columns, step)
    : linesOfEveryPlace(values, rows, columns, step);
  return blocksOf(lines, step, gapShare * columns)
    .filter((block) => block.rows >= fewestRows)
    .map(({ left, top, right, bottom }) => {
      const margin = Math.max(2, 2 * step, Math.round((bottom - top) / 4));
      const x = Math.max(0, left - margin);
      const y = Math.max(0, top - margin);
      return {
        left: x,
        top: y,
        width: Math.min(columns, right + margin) - x,
        height: Math.min(rows, bottom + step + margin) - y,
      };
    });
}

function linesOfEveryPlace(
  values: StoredFrame["values"],
  rows: number,
  columns: number,
  step: number,
): readonly Line[] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row += step) {
    const end = (row + 1) * columns;
    for (let i = row * columns; i < end; i += 2) {
      const value = values[i] ?? 0;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
  }
  const range = highest - lowest;
  if (range < fewestValues) return [];
  const lines: Line[] = [];
  for (let row = 0; row < rows; row += step) {
    lines.push(...linesOfRow(values, row, columns, range, 0, columns));
  }
  return lines;
}

/**
 * The same lines, looked for only where they can be: a stroke begins where the value differs from
 * the one two columns before by the contrast, and a line has several such places close together.
 */
function linesOfSteepPlaces(
  values: Uint16Array | Int16Array,
  rows: number,
  columns: number,
  step: number,
): readonly Line[] {
  const pixels = resident(values);
  const { kernel } = pixels;
  let lowest = 65535;
  let highest = 0;
  for (let row = 0; row < rows; row += step) {
    const { low, high } = kernel.evenRange(pixels, row, columns);
    if (low < lowest) lowest = low;
    if (high > highest) highest = high;
  }
  const range = highest - lowest;
  if (range < fewestValues) return [];
  const even = evenShare * range;
  const rise = Math.ceil(contrastShare * range);
  const apart = widestStroke(columns) + widestGap(columns);
  const lines: Line[] = [];
  for (let row = 0; row < rows; row += step) {
    const steep = kernel.steepColumns(pixels, row, columns, rise);
    let first = 0;
    for (let i = 1; i <= steep.length; i++) {
      const last = steep[i - 1] ?? 0;
      if (i < steep.length && (steep[i] ?? 0) - last <= apart) continue;
      if (i - first >= fewestStrokes) {
        // Of the two steps that lead up to a steep place one is far more than even, and so begins a
        // run, whatever stands before it.
        const place = steep[first] ?? 0;
        const at = row * columns + place;
        const early = Math.abs((values[at - 1] ?? 0) - (values[at - 2] ?? 0)) > 2 * even;
        lines.push(...linesOfRow(values, row, columns, range, early ? place - 1 : place, last));
      }
      first = i;
    }
  }
  return lines;
}

function widestStroke(columns: number): number {
  return Math.max(2, strokeShare * columns);
}

function widestGap(columns: number): number {
  return Math.max(4, gapShare * columns);
}

/** Lines whose strokes begin between two columns of a row; a run of even values begins at the first. */
function linesOfRow(
  values: StoredFrame["values"],
  row: number,
  columns: number,
  range: number,
  firstStart: number,
  lastStart: number,
): readonly Line[] {
  const offset = row * columns;
  const even = evenShare * range;
  const contrast = contrastShare * range;
  const widest = widestStroke(columns);
  const gap = widestGap(columns);
  const lines: Line[] = [];
  let from = 0;
  let to = 0;
  let strokes = 0;
  let shade = 0;
  let bright = false;
  const close = () => {
    if (strokes >= fewestStrokes) lines.push({ row, from, to });
    strokes = 0;
  };
  let start = firstStart;
  for (let x = firstStart + 1; x <= columns && start <= lastStart; x++) {
    const first = values[offset + start] ?? 0;
    const value = x < columns ? (values[offset + x] ?? 0) : Number.NaN;
    if (Math.abs(value - first) <= even) continue;
    const length = x - start;
    // Two pixels out, since the edge of a stroke can be smoothed.
    if (start >= 2 && x + 1 < columns && length <= widest) {
      const left = first - (values[offset + start - 2] ?? 0);
      const right = first - (values[offset + x + 1] ?? 0);
      const stands =
        (left >= contrast && right >= contrast) || (left <= -contrast && right <= -contrast);
      if (stands) {
        const same = Math.abs(first - shade) <= 2 * even && left > 0 === bright;
        if (strokes === 0 || !same || start - to > gap) {
          close();
          from = start;
          shade = first;
          bright = left > 0;
        }
        to = x;
        strokes++;
      }
    }
    start = x;
  }
  close();
  return lines;
}

/** Lines of neighbouring rows that overlap belong to one block. */
function blocksOf(lines: readonly Line[], step: number, gap: number): readonly Block[] {
  const blocks: Block[] = [];
  for (const { row, from, to } of lines) {
    const near = blocks.find(
      (block) =>
        row - block.bottom <= 3 * step && from <= block.right + gap && to >= block.left - gap,
    );
    if (near === undefined) {
      blocks.push({ top: row, bottom: row, left: from, right: to, rows: 1 });
      continue;
    }
    if (row > near.bottom) near.rows++;
    near.bottom = row;
    near.left = Math.min(near.left, from);
    near.right = Math.max(near.right, to);
  }
  return blocks;
}

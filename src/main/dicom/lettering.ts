import type { StoredFrame } from "./decode.ts";
import { resident } from "./kernel/kernel.ts";
import type { Region } from "./regions.ts";
import { lossySyntaxes } from "./syntaxes.ts";

/** Rows that are looked at; lettering that can be read is higher than the gaps between them. */
const sampledRows = 400;
/** Of the film's range: how far a stroke stands out on both sides, and how even it is. */
const contrastShare = 0.2;
const evenShare = 0.01;
/** The same where compression has left its waves in the strokes; less than a quarter of the contrast. */
const lossyEvenShare = 0.04;
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
  /** Value of its strokes, and whether they are brighter than what is beside them. */
  readonly shade: number;
  readonly bright: boolean;
}

interface Block {
  readonly shade: number;
  readonly bright: boolean;
  top: number;
  bottom: number;
  left: number;
  right: number;
  rows: number;
}

/**
 * Rectangles in which words seem to be burned into a monochrome film: several thin strokes of one
 * even value side by side, far brighter or darker than what is left and right of them, over
 * several rows. It helps a person to look and never replaces looking: faint, large or
 * handwritten text is missed or covered in part, so is some in heavily compressed films, and heavy noise cut off at an end of the
 * range is taken for lettering.
 */
export function findLettering(frame: StoredFrame): readonly Region[] {
  const { rows, columns, samplesPerPixel, values } = frame;
  if (samplesPerPixel !== 1 || rows < 16 || columns < 16) return [];
  const step = Math.max(1, Math.floor(rows / sampledRows));
  const sixteenBits = values instanceof Uint16Array || values instanceof Int16Array;
  const share = lossySyntaxes.has(frame.transferSyntax) ? lossyEvenShare : evenShare;
  const { lines, range } = sixteenBits
    ? linesOfSteepPlaces(values, rows, columns, step, share)
    : linesOfEveryPlace(values, rows, columns, step, share);
  const blocks = blocksOf(lines, step, gapShare * columns, 2 * share * range);
  const regions = blocks
    .filter((block) => block.rows >= fewestRows)
    .map(({ left, top, right, bottom }) => {
      const above = Math.max(2, 2 * step, Math.round((bottom - top) / 4));
      // The outermost letters may have strokes that do not count, so a gap and more is covered.
      const beside = Math.max(above, Math.ceil(widestGap(columns)));
      const x = Math.max(0, left - beside);
      const y = Math.max(0, top - above);
      return {
        left: x,
        top: y,
        width: Math.min(columns, right + beside) - x,
        height: Math.min(rows, bottom + step + above) - y,
      };
    });
  return joinOverlapping(regions);
}

/** Lines of strokes, and the film's range that their contrast was held against. */
interface FilmLines {
  readonly lines: readonly Line[];
  readonly range: number;
}

function linesOfEveryPlace(
  values: StoredFrame["values"],
  rows: number,
  columns: number,
  step: number,
  share: number,
): FilmLines {
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
  if (range < fewestValues) return { lines: [], range };
  const lines: Line[] = [];
  for (let row = 0; row < rows; row += step) {
    lines.push(...linesOfRow(values, row, columns, range, share, 0, columns));
  }
  return { lines, range };
}

/**
 * The same lines, looked for only where they can be: a stroke begins where the value differs from
 * the one or the two columns before by the contrast, and a line has several such places close together.
 */
function linesOfSteepPlaces(
  values: Uint16Array | Int16Array,
  rows: number,
  columns: number,
  step: number,
  share: number,
): FilmLines {
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
  if (range < fewestValues) return { lines: [], range };
  const even = share * range;
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
        lines.push(
          ...linesOfRow(values, row, columns, range, share, early ? place - 1 : place, last),
        );
      }
      first = i;
    }
  }
  return { lines, range };
}

function widestStroke(columns: number): number {
  return Math.max(2, strokeShare * columns);
}

function widestGap(columns: number): number {
  return Math.max(4, gapShare * columns);
}

/** Strokes of one shade side by side that may become a line. */
interface Strokes {
  readonly bright: boolean;
  from: number;
  to: number;
  count: number;
  shade: number;
}

/**
 * Lines whose strokes begin between two columns of a row; a run of even values begins at the first.
 * Strokes brighter and darker than their surroundings are followed apart: on even ground the gaps
 * between letters look like strokes too.
 */
function linesOfRow(
  values: StoredFrame["values"],
  row: number,
  columns: number,
  range: number,
  share: number,
  firstStart: number,
  lastStart: number,
): readonly Line[] {
  const offset = row * columns;
  const even = share * range;
  const contrast = contrastShare * range;
  const widest = widestStroke(columns);
  const gap = widestGap(columns);
  const bright: Strokes = { bright: true, from: 0, to: 0, count: 0, shade: 0 };
  const dark: Strokes = { bright: false, from: 0, to: 0, count: 0, shade: 0 };
  const lines: Line[] = [];
  const close = (strokes: Strokes) => {
    const { from, to, count, shade, bright } = strokes;
    if (count >= fewestStrokes) lines.push({ row, from, to, shade, bright });
    strokes.count = 0;
  };
  let start = firstStart;
  for (let x = firstStart + 1; x <= columns && start <= lastStart; x++) {
    const first = values[offset + start] ?? 0;
    const value = x < columns ? (values[offset + x] ?? 0) : Number.NaN;
    if (Math.abs(value - first) <= even) continue;
    if (start >= 2 && x + 1 < columns && x - start <= widest) {
      // Two pixels out where the edge of a stroke is smoothed, one where the next letter is near.
      const left = values[offset + start - 1] ?? 0;
      const left2 = values[offset + start - 2] ?? 0;
      const right2 = values[offset + x + 1] ?? 0;
      const below = first - contrast;
      const above = first + contrast;
      const strokes =
        Math.min(left, left2) <= below && Math.min(value, right2) <= below
          ? bright
          : Math.max(left, left2) >= above && Math.max(value, right2) >= above
            ? dark
            : null;
      if (strokes !== null && goesOn(values, offset + start, columns, even)) {
        if (
          strokes.count > 0 &&
          (Math.abs(first - strokes.shade) > 2 * even || start - strokes.to > gap)
        ) {
          close(strokes);
        }
        if (strokes.count === 0) {
          strokes.from = start;
          strokes.shade = first;
        }
        strokes.to = x;
        strokes.count++;
      }
    }
    start = x;
  }
  close(bright);
  close(dark);
  return lines;
}

/** Whether the row above or below has the same value there. Strokes go on, single noisy pixels do not. */
function goesOn(values: StoredFrame["values"], at: number, columns: number, even: number): boolean {
  const value = values[at] ?? 0;
  // Outside the film there is no value, and nothing is within any distance of it.
  const above = Math.abs(value - (values[at - columns] ?? Number.NaN));
  const below = Math.abs(value - (values[at + columns] ?? Number.NaN));
  return above <= even || below <= even;
}

/** Lines of neighbouring rows that overlap and are of one shade belong to one block. */
function blocksOf(
  lines: readonly Line[],
  step: number,
  gap: number,
  sameShade: number,
): readonly Block[] {
  const blocks: Block[] = [];
  for (const { row, from, to, shade, bright } of lines) {
    const near = blocks.find(
      (block) =>
        row - block.bottom <= 3 * step &&
        from <= block.right + gap &&
        to >= block.left - gap &&
        bright === block.bright &&
        Math.abs(shade - block.shade) <= sameShade,
    );
    if (near === undefined) {
      blocks.push({ shade, bright, top: row, bottom: row, left: from, right: to, rows: 1 });
      continue;
    }
    if (row > near.bottom) near.rows++;
    near.bottom = row;
    near.left = Math.min(near.left, from);
    near.right = Math.max(near.right, to);
  }
  return blocks;
}

/** Regions that lie over each other become one that holds both. */
function joinOverlapping(regions: readonly Region[]): readonly Region[] {
  const joined: Region[] = [];
  for (let region of regions) {
    for (let i = 0; i < joined.length; i++) {
      const other = joined[i];
      if (other === undefined || !overlap(region, other)) continue;
      const left = Math.min(region.left, other.left);
      const top = Math.min(region.top, other.top);
      region = {
        left,
        top,
        width: Math.max(region.left + region.width, other.left + other.width) - left,
        height: Math.max(region.top + region.height, other.top + other.height) - top,
      };
      joined.splice(i, 1);
      // The larger one may reach those that were passed over.
      i = -1;
    }
    joined.push(region);
  }
  return joined;
}

function overlap(one: Region, other: Region): boolean {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}

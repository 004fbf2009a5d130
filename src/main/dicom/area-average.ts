import type { Clamp, Resident } from "./kernel/kernel.ts";

/**
 * Averages an image into a smaller or larger grid by area, exactly. Along each axis the n source
 * samples and the m cells are laid on a common grid, so that every overlap is a whole number; all
 * sums are whole numbers below 2^53, so every machine gets the same.
 */
interface Axis {
  /** For each cell its first and last source sample, and how much of each lies under it. */
  readonly cells: Int32Array;
  /** Weight of a sample that lies under the cell wholly. */
  readonly fullWeight: number;
  /** Sum of the weights of a cell. */
  readonly total: number;
}

function axis(sourceSamples: number, cellCount: number): Axis {
  const common = greatestCommonDivisor(sourceSamples, cellCount);
  const samples = sourceSamples / common;
  const fullWeight = cellCount / common;
  const cells = new Int32Array(cellCount * 4);
  for (let cell = 0; cell < cellCount; cell++) {
    const from = cell * samples;
    const to = from + samples;
    const first = Math.floor(from / fullWeight);
    const last = Math.ceil(to / fullWeight) - 1;
    const firstWeight = Math.min((first + 1) * fullWeight, to) - from;
    cells.set([first, last, firstWeight, last > first ? to - last * fullWeight : 0], cell * 4);
  }
  return { cells, fullWeight, total: samples };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A straight line from averages of stored values to the display's range. */
export interface Ramp {
  /** The value that is black, and the one that is white; either may be the larger. */
  readonly black: number;
  readonly white: number;
}

/** The brightest value of the display's range. */
export const brightest = 65535;

/**
 * @param pixels the image, row by row.
 * @param clamp bounds that hold for each pixel before it is averaged.
 * @returns width x height averages on the ramp, 0 (black) to 65535 (white), rounded.
 */
export function areaAverage(
  pixels: Resident,
  image: { readonly columns: number; readonly rows: number },
  clamp: Clamp,
  ramp: Ramp,
  target: { readonly width: number; readonly height: number },
): Uint16Array {
  const { columns, rows } = image;
  const { width, height } = target;
  const { kernel } = pixels;
  const across = axis(columns, width);
  const down = axis(rows, height);
  const shades = new Uint16Array(width * height);
  const scale = brightest / (ramp.white - ramp.black);
  const line = { start: -ramp.black * scale, scale, total: across.total * down.total };
  const sums = kernel.sums(columns);
  const averages = kernel.averages(across.cells);
  const add = (first: number, count: number, weight: number): void => {
    if (count > 0) kernel.addRows(pixels, { first, count, columns }, weight, clamp);
  };
  for (let cell = 0; cell < height; cell++) {
    const [first = 0, last = 0, firstWeight = 0, lastWeight = 0] = down.cells.subarray(cell * 4);
    // Weights of a cell add up to at most 65,535, so that sums of 16-bit values stay in 32 bits.
    sums.fill(0);
    const wholeFrom = firstWeight === down.fullWeight ? first : first + 1;
    const wholeTo = last > first && lastWeight < down.fullWeight ? last : last + 1;
    if (wholeFrom > first) add(first, 1, firstWeight);
    add(wholeFrom, wholeTo - wholeFrom, down.fullWeight);
    if (wholeTo === last) add(last, 1, lastWeight);
    kernel.averageRow(averages, across.fullWeight, line);
    shades.set(averages, cell * width);
  }
  return shades;
}

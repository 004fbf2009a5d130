import type { Cells, Clamp, Resident } from "./kernel/kernel.ts";

const keptAxes = 64;
const axes = new Map<string, Cells>();

/**
 * Averages an image into a smaller or larger grid by area, exactly. Along each axis the n source
 * samples and the m cells are laid on a common grid, so that every overlap is a whole number; all
 * sums are whole numbers below 2^53, so every machine gets the same.
 */
function axis(sourceSamples: number, cellCount: number): Cells {
  const key = `${sourceSamples} ${cellCount}`;
  const known = axes.get(key);
  if (known !== undefined) return known;
  if (axes.size >= keptAxes) axes.clear();
  const made = newAxis(sourceSamples, cellCount);
  axes.set(key, made);
  return made;
}

function newAxis(sourceSamples: number, cellCount: number): Cells {
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
 * @returns width x height averages on the ramp, 0 (black) to 65535 (white), rounded; they lie in the
 * kernel's memory and are valid until its next use.
 */
export function areaAverage(
  pixels: Resident,
  image: { readonly columns: number; readonly rows: number },
  clamp: Clamp,
  ramp: Ramp,
  target: { readonly width: number; readonly height: number },
): Uint16Array {
  const down = axis(image.rows, target.height);
  const across = axis(image.columns, target.width);
  const scale = brightest / (ramp.white - ramp.black);
  // Weights of a cell add up to at most 65,535, so that sums of 16-bit values stay in 32 bits.
  const line = { start: -ramp.black * scale, scale };
  return pixels.kernel.averageArea(pixels, image.columns, clamp, { down, across }, line);
}

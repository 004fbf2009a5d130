import { gaussianQuantiles } from "./random.ts";
import type { RandomStream } from "./random.ts";
import type { Vendor } from "./vendors.ts";

/** Effective linear attenuation of soft tissue for a chest beam, per centimetre. */
const ATTENUATION = 0.165;

/** Quanta in a square centimetre of unattenuated beam, scaled for visible but modest noise. */
const QUANTA_PER_SQUARE_CENTIMETRE = 4.5e6;

export interface Exposure {
  /** Relative to the vendor's usual dose. */
  dose: number;
  /** Relative strength of vignetting and heel effect. */
  falloff: number;
  /** Relative contrast, lower where more scatter reaches the detector. */
  contrast: number;
}

/**
 * From centimetres of soft tissue to a shown brightness (0 black, 1 white): transmission,
 * scatter, heel effect, quantum noise, logarithm, dynamic range compression, tone curve.
 * Works in place on `total`.
 */
export function expose(
  total: Float32Array,
  columns: number,
  rows: number,
  pixelsPerCentimetre: number,
  vendor: Vendor,
  exposure: Exposure,
  random: RandomStream,
): void {
  for (let at = 0; at < total.length; at++) total[at] = Math.exp(-ATTENUATION * (total[at] ?? 0));
  const scattered = smooth(total, columns, rows, 2.6 * pixelsPerCentimetre);
  addScatter(total, scattered, columns, rows, vendor.scatter / exposure.contrast);

  const quanta =
    (QUANTA_PER_SQUARE_CENTIMETRE * vendor.dose * exposure.dose) / pixelsPerCentimetre ** 2;
  const table = gaussianQuantiles();
  let state = random.bits() | 1;
  const inverse = 1 / quanta;
  for (let row = 0; row < rows; row++) {
    const v = row / rows - 0.5;
    const heel = 1 + exposure.falloff * (0.22 * v - 0.35 * v * v);
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const u = column / columns - 0.5;
      // xorshift32 (Marsaglia 2003)
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const signal = (total[at] ?? 0) * heel * (1 - 0.3 * exposure.falloff * u * u);
      const noisy = signal + Math.sqrt(signal * inverse + 9e-10) * (table[state & 0xffff] ?? 0);
      total[at] = -Math.log(noisy < 2e-4 ? 2e-4 : noisy);
    }
  }
  const slow = smooth(total, columns, rows, 3.2 * pixelsPerCentimetre);
  process(total, slow, columns, rows, vendor, exposure);
}

/** A heavily smoothed copy on a coarse grid, with the side of a coarse cell in pixels. */
interface Coarse {
  values: Float32Array;
  columns: number;
  rows: number;
  cell: number;
}

function smooth(layer: Float32Array, columns: number, rows: number, radiusPixels: number): Coarse {
  const cell = Math.max(1, Math.round(radiusPixels / 3));
  const across = Math.ceil(columns / cell);
  const down = Math.ceil(rows / cell);
  const values = new Float32Array(across * down);
  const counts = new Float32Array(across * down);
  for (let row = 0; row < rows; row++) {
    const base = ((row / cell) | 0) * across;
    for (let column = 0; column < columns; column++) {
      const target = base + ((column / cell) | 0);
      values[target] = (values[target] ?? 0) + (layer[row * columns + column] ?? 0);
      counts[target] = (counts[target] ?? 0) + 1;
    }
  }
  for (let at = 0; at < values.length; at++) values[at] = (values[at] ?? 0) / (counts[at] ?? 1);
  for (let pass = 0; pass < 3; pass++) {
    boxPass(values, across, down, 1, across);
    boxPass(values, down, across, across, 1);
  }
  return { values, columns: across, rows: down, cell };
}

/** One five-wide moving average along lines of a coarse grid. */
function boxPass(
  values: Float32Array,
  length: number,
  lines: number,
  step: number,
  lineStep: number,
): void {
  const line = new Float32Array(length);
  for (let index = 0; index < lines; index++) {
    const start = index * lineStep;
    for (let i = 0; i < length; i++) line[i] = values[start + i * step] ?? 0;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = -2; k <= 2; k++) {
        const at = i + k < 0 ? 0 : i + k >= length ? length - 1 : i + k;
        sum += line[at] ?? 0;
      }
      values[start + i * step] = sum / 5;
    }
  }
}

/** Calls `use(pixel, value)` for every pixel with the coarse copy interpolated there. */
function spread(
  coarse: Coarse,
  columns: number,
  rows: number,
  use: (pixel: number, value: number) => void,
): void {
  const { values, cell } = coarse;
  const lastColumn = coarse.columns - 1;
  const lastRow = coarse.rows - 1;
  for (let row = 0; row < rows; row++) {
    const v = Math.min(lastRow, Math.max(0, (row + 0.5) / cell - 0.5));
    const v0 = Math.min(Math.max(0, lastRow - 1), v | 0);
    const fy = v - v0;
    const above = v0 * coarse.columns;
    const below = Math.min(lastRow, v0 + 1) * coarse.columns;
    for (let column = 0; column < columns; column++) {
      const u = Math.min(lastColumn, Math.max(0, (column + 0.5) / cell - 0.5));
      const u0 = Math.min(Math.max(0, lastColumn - 1), u | 0);
      const u1 = Math.min(lastColumn, u0 + 1);
      const fx = u - u0;
      const top = (values[above + u0] ?? 0) * (1 - fx) + (values[above + u1] ?? 0) * fx;
      const bottom = (values[below + u0] ?? 0) * (1 - fx) + (values[below + u1] ?? 0) * fx;
      use(row * columns + column, top + fy * (bottom - top));
    }
  }
}

function addScatter(
  total: Float32Array,
  scattered: Coarse,
  columns: number,
  rows: number,
  ratio: number,
): void {
  // free exposure beside the body must not flood the body with scatter
  spread(scattered, columns, rows, (pixel, value) => {
    total[pixel] = (total[pixel] ?? 0) + ratio * Math.min(value, 0.12);
  });
}

function process(
  total: Float32Array,
  slow: Coarse,
  columns: number,
  rows: number,
  vendor: Vendor,
  exposure: Exposure,
): void {
  const range = exposureRange(total, columns, rows);
  const mean = 0.5 * (range.low + range.high);
  const spanAfter = (range.high - range.low) * (1 - 0.55 * vendor.compression);
  const scale = (vendor.contrast * exposure.contrast) / spanAfter;
  const keep = vendor.compression;
  spread(slow, columns, rows, (pixel, value) => {
    total[pixel] = vendor.middle + scale * ((total[pixel] ?? 0) - mean - keep * (value - mean));
  });
  if (vendor.sharpening > 0) sharpen(total, columns, rows, vendor.sharpening);
  for (let at = 0; at < total.length; at++) {
    // a film's shoulder and toe: logistic with slope 1 in the middle
    const centred = (total[at] ?? 0) - 0.5;
    total[at] = 1 / (1 + Math.exp(-3.3 * centred));
  }
}

/** Log exposure below which the beam passed beside the body. */
const BESIDE_BODY = 0.3;

/** Log exposure below which 6 %, and above which 6 %, of the central field lie. */
function exposureRange(
  layer: Float32Array,
  columns: number,
  rows: number,
): { low: number; high: number } {
  const bins = new Uint32Array(512);
  let count = 0;
  for (let row = (0.2 * rows) | 0; row < 0.85 * rows; row += 2) {
    for (let column = (0.18 * columns) | 0; column < 0.82 * columns; column += 2) {
      const value = layer[row * columns + column] ?? 0;
      if (value < BESIDE_BODY) continue;
      const bin = Math.min(511, (value * 60) | 0);
      bins[bin] = (bins[bin] ?? 0) + 1;
      count++;
    }
  }
  const at = (share: number): number => {
    let seen = 0;
    for (let bin = 0; bin < 512; bin++) {
      seen += bins[bin] ?? 0;
      if (seen >= share * count) return (bin + 0.5) / 60;
    }
    return 511 / 60;
  };
  const low = at(0.06);
  return { low, high: Math.max(low + 0.5, at(0.94)) };
}

/** Unsharp mask against the mean of the four neighbours at one pixel's distance. */
function sharpen(layer: Float32Array, columns: number, rows: number, weight: number): void {
  let previous = layer.slice(0, columns);
  let current = new Float32Array(columns);
  for (let row = 0; row < rows - 1; row++) {
    const base = row * columns;
    current.set(layer.subarray(base, base + columns));
    for (let column = 1; column < columns - 1; column++) {
      const here = current[column] ?? 0;
      const around =
        (current[column - 1] ?? 0) +
        (current[column + 1] ?? 0) +
        (previous[column] ?? 0) +
        (layer[base + columns + column] ?? 0);
      layer[base + column] = here + weight * (here - 0.25 * around);
    }
    const swap = previous;
    previous = current;
    current = swap;
  }
}

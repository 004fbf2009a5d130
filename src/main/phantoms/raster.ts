import type { RandomStream } from "./random.ts";

/** Where patient coordinates (centimetres, x to the image's right, y down) fall on the pixels. */
export interface Grid {
  columns: number;
  rows: number;
  pixelsPerCentimetre: number;
  /** Pixel position of the patient's origin. */
  originColumn: number;
  originRow: number;
  cosine: number;
  sine: number;
  /** Scratch of strokes: distance in half widths (2 where untouched) and amplitude. */
  distance: Float32Array;
  amplitude: Float32Array;
}

export function createGrid(columns: number, rows: number, pixelsPerCentimetre: number): Grid {
  return {
    columns,
    rows,
    pixelsPerCentimetre,
    originColumn: columns / 2,
    originRow: 0,
    cosine: 1,
    sine: 0,
    distance: new Float32Array(columns * rows).fill(2),
    amplitude: new Float32Array(columns * rows),
  };
}

export function columnOf(grid: Grid, x: number, y: number): number {
  return grid.originColumn + grid.pixelsPerCentimetre * (grid.cosine * x - grid.sine * y);
}

export function rowOf(grid: Grid, x: number, y: number): number {
  return grid.originRow + grid.pixelsPerCentimetre * (grid.sine * x + grid.cosine * y);
}

const PROFILE_STEPS = 64;

/** Cross sections of strokes, from the centre line (0) to the edge (63). */
function profile(shape: (u: number) => number): Float32Array {
  return Float32Array.from({ length: PROFILE_STEPS }, (_, i) => shape((i + 0.5) / PROFILE_STEPS));
}

/** A solid cylinder. */
export const CYLINDER = profile((u) => Math.sqrt(1 - u * u));
/** A flat bone: cancellous inside, denser cortex along both edges. */
export const BONE = profile((u) => {
  const inside = 0.62 + 0.38 * Math.exp(-(((u - 0.8) / 0.16) ** 2));
  return inside * Math.min(1, (1 - u) / 0.14);
});
/** A soft band without an edge. */
export const SOFT = profile((u) => (1 - u * u) ** 2);
/** A hollow tube: only its walls are seen. */
export const WALL = profile(
  (u) => Math.exp(-(((u - 0.72) / 0.2) ** 2)) * Math.min(1, (1 - u) / 0.2),
);

/** A polyline with a half width (centimetres) and an amplitude at every point. */
export interface Stroke {
  x: number[];
  y: number[];
  halfWidth: number[];
  amplitude: number[];
}

export function emptyStroke(): Stroke {
  return { x: [], y: [], halfWidth: [], amplitude: [] };
}

export function addPoint(
  stroke: Stroke,
  x: number,
  y: number,
  halfWidth: number,
  amplitude: number,
): void {
  stroke.x.push(x);
  stroke.y.push(y);
  stroke.halfWidth.push(halfWidth);
  stroke.amplitude.push(amplitude);
}

/** The same stroke through more points, without corners (Catmull and Rom). */
export function smoothStroke(stroke: Stroke, pieces = 5): Stroke {
  const smooth = emptyStroke();
  const last = stroke.x.length - 1;
  for (let point = 0; point < last; point++) {
    const spline = (values: readonly number[], t: number): number => {
      const a = values[Math.max(0, point - 1)] ?? 0;
      const b = values[point] ?? 0;
      const c = values[point + 1] ?? 0;
      const d = values[Math.min(last, point + 2)] ?? 0;
      return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    };
    for (let piece = 0; piece < pieces; piece++) {
      const t = piece / pieces;
      addPoint(
        smooth,
        spline(stroke.x, t),
        spline(stroke.y, t),
        spline(stroke.halfWidth, t),
        spline(stroke.amplitude, t),
      );
    }
  }
  addPoint(
    smooth,
    stroke.x[last] ?? 0,
    stroke.y[last] ?? 0,
    stroke.halfWidth[last] ?? 0,
    stroke.amplitude[last] ?? 0,
  );
  return smooth;
}

/**
 * Adds a stroke to a layer. Inside one stroke the nearest segment counts, so that joints and
 * bends do not add up. A stroke thinner than a pixel keeps its total, not its height.
 */
export function drawStroke(
  grid: Grid,
  layer: Float32Array,
  stroke: Stroke,
  cross: Float32Array,
): void {
  const { distance, amplitude, columns, rows, pixelsPerCentimetre } = grid;
  let left = columns;
  let right = -1;
  let top = rows;
  let bottom = -1;
  const count = stroke.x.length;
  for (let point = 0; point + 1 < count; point++) {
    const xa = stroke.x[point] ?? 0;
    const ya = stroke.y[point] ?? 0;
    const xb = stroke.x[point + 1] ?? 0;
    const yb = stroke.y[point + 1] ?? 0;
    const x0 = columnOf(grid, xa, ya) - 0.5;
    const y0 = rowOf(grid, xa, ya) - 0.5;
    const dx = columnOf(grid, xb, yb) - 0.5 - x0;
    const dy = rowOf(grid, xb, yb) - 0.5 - y0;
    const trueWidthA = (stroke.halfWidth[point] ?? 0) * pixelsPerCentimetre;
    const trueWidthB = (stroke.halfWidth[point + 1] ?? 0) * pixelsPerCentimetre;
    const widthA = Math.max(0.8, trueWidthA);
    const widthB = Math.max(0.8, trueWidthB);
    const strengthA = ((stroke.amplitude[point] ?? 0) * trueWidthA) / widthA;
    const strengthB = ((stroke.amplitude[point + 1] ?? 0) * trueWidthB) / widthB;
    const reach = Math.max(widthA, widthB);
    const c0 = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach));
    const c1 = Math.min(columns - 1, Math.ceil(Math.max(x0, x0 + dx) + reach));
    const r0 = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach));
    const r1 = Math.min(rows - 1, Math.ceil(Math.max(y0, y0 + dy) + reach));
    if (c0 > c1 || r0 > r1) continue;
    left = Math.min(left, c0);
    right = Math.max(right, c1);
    top = Math.min(top, r0);
    bottom = Math.max(bottom, r1);
    const inverseLength = 1 / Math.max(1e-6, dx * dx + dy * dy);
    for (let row = r0; row <= r1; row++) {
      const py = row - y0;
      for (let column = c0; column <= c1; column++) {
        const px = column - x0;
        let t = (px * dx + py * dy) * inverseLength;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        const ex = px - t * dx;
        const ey = py - t * dy;
        const width = widthA + t * (widthB - widthA);
        const squared = (ex * ex + ey * ey) / (width * width);
        if (squared >= 1) continue;
        const u = Math.sqrt(squared);
        const at = row * columns + column;
        if (u < (distance[at] ?? 0)) {
          distance[at] = u;
          amplitude[at] = strengthA + t * (strengthB - strengthA);
        }
      }
    }
  }
  for (let row = top; row <= bottom; row++) {
    for (let at = row * columns + left; at <= row * columns + right; at++) {
      const u = distance[at] ?? 2;
      if (u >= 1) continue;
      distance[at] = 2;
      layer[at] = (layer[at] ?? 0) + (amplitude[at] ?? 0) * (cross[(u * PROFILE_STEPS) | 0] ?? 0);
    }
  }
}

/** Visits the pixels of a box around a point: `paint(pixel, dx, dy)` with offsets in centimetres. */
export function paintAround(
  grid: Grid,
  x: number,
  y: number,
  reach: number,
  paint: (pixel: number, dx: number, dy: number) => void,
): void {
  const column = columnOf(grid, x, y) - 0.5;
  const row = rowOf(grid, x, y) - 0.5;
  const reachPixels = reach * grid.pixelsPerCentimetre;
  const c0 = Math.max(0, Math.floor(column - reachPixels));
  const c1 = Math.min(grid.columns - 1, Math.ceil(column + reachPixels));
  const r0 = Math.max(0, Math.floor(row - reachPixels));
  const r1 = Math.min(grid.rows - 1, Math.ceil(row + reachPixels));
  const scale = 1 / grid.pixelsPerCentimetre;
  for (let r = r0; r <= r1; r++) {
    for (let c = c0; c <= c1; c++) {
      const u = (c - column) * scale;
      const v = (r - row) * scale;
      paint(r * grid.columns + c, grid.cosine * u + grid.sine * v, grid.cosine * v - grid.sine * u);
    }
  }
}

/**
 * Adds smooth noise with the given grain (centimetres) to a layer: random values on a lattice,
 * interpolated between. The lattice hangs on the centimetres, not the pixels.
 */
export function addLatticeNoise(
  grid: Grid,
  layer: Float32Array,
  grain: number,
  amplitude: number,
  random: RandomStream,
): void {
  const cell = grain * grid.pixelsPerCentimetre;
  const across = Math.ceil(grid.columns / cell) + 2;
  const down = Math.ceil(grid.rows / cell) + 2;
  const lattice = new Float32Array(across * down);
  for (let index = 0; index < lattice.length; index++) {
    lattice[index] = amplitude * 2 * (random.uniform() + random.uniform() - 1);
  }
  const edge = new Float32Array(across);
  for (let row = 0; row < grid.rows; row++) {
    const v = row / cell;
    const v0 = v | 0;
    let fy = v - v0;
    fy = fy * fy * (3 - 2 * fy);
    for (let index = 0; index < across; index++) {
      const above = lattice[v0 * across + index] ?? 0;
      edge[index] = above + fy * ((lattice[(v0 + 1) * across + index] ?? 0) - above);
    }
    const base = row * grid.columns;
    for (let column = 0; column < grid.columns; column++) {
      const u = column / cell;
      const u0 = u | 0;
      let fx = u - u0;
      fx = fx * fx * (3 - 2 * fx);
      const before = edge[u0] ?? 0;
      layer[base + column] =
        (layer[base + column] ?? 0) + before + fx * ((edge[u0 + 1] ?? 0) - before);
    }
  }
}

/** Blurs in place with a three-tap binomial kernel in both directions. */
export function blurSlightly(layer: Float32Array, columns: number, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const base = row * columns;
    let before = layer[base] ?? 0;
    for (let column = 0; column < columns; column++) {
      const here = layer[base + column] ?? 0;
      const after = column + 1 < columns ? (layer[base + column + 1] ?? 0) : here;
      layer[base + column] = 0.25 * before + 0.5 * here + 0.25 * after;
      before = here;
    }
  }
  const previous = layer.slice(0, columns);
  for (let row = 0; row < rows; row++) {
    const base = row * columns;
    const next = row + 1 < rows ? base + columns : base;
    for (let column = 0; column < columns; column++) {
      const here = layer[base + column] ?? 0;
      layer[base + column] =
        0.25 * (previous[column] ?? 0) + 0.5 * here + 0.25 * (layer[next + column] ?? 0);
      previous[column] = here;
    }
  }
}

export function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

export function smoothstep(low: number, high: number, value: number): number {
  const t = clamp01((value - low) / (high - low));
  return t * t * (3 - 2 * t);
}

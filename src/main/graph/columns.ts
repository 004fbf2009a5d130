import {
  axisWindows,
  tapsOf,
  type Conv2dLayer,
  type MovingWindow,
} from "../network/description.ts";
import { byUnit, type Context, type Flow } from "./context.ts";
import type { Tensor } from "./ir.ts";
import type { GraphBuilder } from "./builder.ts";
import { isPointwise, outputSize, windowRows, type WindowGeometry } from "./windows.ts";

/** What plain and standardised convolutions have in common. */
export type FullConvolution = Pick<
  Conv2dLayer,
  "name" | "inputChannels" | "outputChannels" | "kernel" | "stride" | "padding"
>;

export function geometryOf(context: Context, layer: MovingWindow, flow: Flow): WindowGeometry {
  return {
    images: context.units * context.views,
    height: flow.height,
    width: flow.width,
    kernel: layer.kernel,
    stride: layer.stride,
    padding: layer.padding,
  };
}

/** [images, pixels, channels] as a matrix with one row for each pixel. */
export function asRows(context: Context, x: Tensor): Tensor {
  const [images = 0, pixels = 0, channels = 0] = x.shape;
  return context.builder.reshape(x, [images * pixels, channels]);
}

/**
 * True for the input images where whoever feeds the graph lays out their windows: a CPU is slow to
 * gather single floats inside the graph, and the images pass through the feeder's hands anyway.
 */
function isFedInWindows(context: Context, x: Tensor): boolean {
  return x === context.images && !context.wholeImages;
}

/** The windows of the input images as an input of the graph. */
function imageColumns(context: Context, geometry: WindowGeometry): Tensor {
  const { images } = geometry;
  const { height, width } = axisWindows(geometry);
  const taps = tapsOf(geometry);
  const output = outputSize(geometry);
  const window = (["kernel", "stride", "padding"] as const).map(
    (part) => `${height[part]}x${width[part]}`,
  );
  const { name, first } = context.imageSource;
  const input = `${name}.windows.${window.join(".")}`;
  const outside = geometry.height * geometry.width;
  const pixels = windowRows({ ...geometry, images: 1 }).map((row) => (row < 0 ? outside : row));
  context.imageFeeds.set(input, { input, first, images, valuesPerImage: pixels.length, pixels });
  return context.builder.input(input, [images, output.height * output.width, taps]);
}

/** Windows on the way there or on the way back: see `sharedRows`. */
export type Way = "there" | "back";

/** True where the windows of a layer are laid out again on the way back, instead of being kept. */
export function laysOutAgain(context: Context, geometry: WindowGeometry, x: Tensor): boolean {
  // What the feeder lays out stands there anyway.
  return context.sparing && !isFedInWindows(context, x) && !isPointwise(geometry);
}

/**
 * The rows of a window, one array for all layers with the same geometry. The way back has its own:
 * an engine would take two equal gathers for one and keep what it gave.
 */
function sharedRows(context: Context, geometry: WindowGeometry, way: Way): Int32Array {
  const key = `${JSON.stringify(geometry)} ${way}`;
  let rows = context.windowRows.get(key);
  if (rows === undefined) {
    rows = windowRows(geometry);
    context.windowRows.set(key, rows);
  }
  return rows;
}

/** The input under each window, [images, output pixels, taps * channels]. */
export function windowColumns(
  context: Context,
  geometry: WindowGeometry,
  x: Tensor,
  way: Way,
): Tensor {
  if (isPointwise(geometry)) return x;
  const output = outputSize(geometry);
  const channels = x.shape[2] ?? 0;
  if (isFedInWindows(context, x)) return imageColumns(context, geometry);
  const rows = context.builder.gatherRows(asRows(context, x), sharedRows(context, geometry, way));
  return context.builder.reshape(rows, [
    geometry.images,
    output.height * output.width,
    tapsOf(geometry) * channels,
  ]);
}

/**
 * Rows of a matrix as `gatherRows` gives them, by way of a copy of those that are needed: an engine
 * that has to fill rows then copies no more than these.
 */
function gatherFewRows(builder: GraphBuilder, x: Tensor, rows: Int32Array): Tensor {
  const places = new Int32Array(x.shape[0] ?? 0).fill(-1);
  for (const row of rows) if (row >= 0) places[row] = 0;
  let count = 0;
  for (let row = 0; row < places.length; row += 1)
    if (places[row] === 0) {
      places[row] = count;
      count += 1;
    }
  const needed = new Int32Array(count);
  for (let row = 0; row < places.length; row += 1) {
    const place = places[row] ?? -1;
    if (place >= 0) needed[place] = row;
  }
  const within = rows.map((row) => (row < 0 ? row : (places[row] ?? -1)));
  return builder.gatherRows(builder.gatherRows(x, needed), within);
}

/** `count` rows cut into pieces of nearly the same size of which none holds more than `most`. */
export function cut(count: number, most: number): { from: number; to: number }[] {
  const pieces = Math.ceil(count / Math.max(1, Math.floor(most)));
  return Array.from({ length: pieces }, (_, at) => ({
    from: Math.floor((at * count) / pieces),
    to: Math.floor(((at + 1) * count) / pieces),
  }));
}

/**
 * Rows of a matrix in another order, `perRow` of them side by side, times something: all at once, or
 * a strip after the other where memory is spared. `product` is given [rows, perRow * columns].
 */
export function inStrips(
  context: Context,
  x: Tensor,
  rows: Int32Array,
  perRow: number,
  product: (reached: Tensor) => Tensor,
): Tensor {
  const { builder } = context;
  const columns = perRow * (x.shape[1] ?? 0);
  const count = rows.length / perRow;
  const strips = context.sparing
    ? cut(count, context.mostWindowValues / columns)
    : cut(count, count);
  const parts = strips.map(({ from, to }) => {
    const reached =
      strips.length === 1
        ? builder.gatherRows(x, rows)
        : gatherFewRows(builder, x, rows.subarray(from * perRow, to * perRow));
    return product(builder.reshape(reached, [to - from, columns]));
  });
  return builder.concatenate(parts, 0);
}

/** Some of the output pixels of every unit, of all its views, and the input under their windows. */
export interface WindowStrip {
  /** Counted within a unit, views one after the other. */
  readonly from: number;
  readonly to: number;
  /** [units, to - from, taps * channels] */
  readonly columns: Tensor;
}

/**
 * The input under each window, in strips where memory is spared and all at once would take much: what
 * is done with one strip can be finished before the next is laid out.
 */
export function windowStrips(
  context: Context,
  geometry: WindowGeometry,
  x: Tensor,
  way: Way,
): WindowStrip[] {
  const { builder, units, views } = context;
  const output = outputSize(geometry);
  const count = views * output.height * output.width;
  const taps = tapsOf(geometry);
  const inner = taps * (x.shape[2] ?? 0);
  const strips = laysOutAgain(context, geometry, x)
    ? cut(count, context.mostWindowValues / (units * inner))
    : [];
  if (strips.length < 2)
    return [
      { from: 0, to: count, columns: byUnit(context, windowColumns(context, geometry, x, way)) },
    ];
  const rows = sharedRows(context, geometry, way);
  const maps = asRows(context, x);
  return strips.map(({ from, to }) => {
    const length = (to - from) * taps;
    const ofUnits = new Int32Array(units * length);
    for (let unit = 0; unit < units; unit += 1) {
      const start = (unit * count + from) * taps;
      ofUnits.set(rows.subarray(start, start + length), unit * length);
    }
    const laidOut = gatherFewRows(builder, maps, ofUnits);
    return { from, to, columns: builder.reshape(laidOut, [units, to - from, inner]) };
  });
}

/** The rows of maps seen by unit [units, rows, channels] that stand over a strip. */
export function rowsOver(
  context: Context,
  strip: { readonly from: number; readonly to: number },
  byUnits: Tensor,
): Tensor {
  const { builder, units } = context;
  const [, count = 0, channels = 0] = byUnits.shape;
  const { from, to } = strip;
  if (to - from === count) return byUnits;
  const rows = new Int32Array(units * (to - from));
  for (let at = 0; at < rows.length; at += 1)
    rows[at] = Math.floor(at / (to - from)) * count + from + (at % (to - from));
  const found = builder.gatherRows(builder.reshape(byUnits, [units * count, channels]), rows);
  return builder.reshape(found, [units, to - from, channels]);
}

import {
  axisWindows,
  tapsOf,
  type Conv2dLayer,
  type MovingWindow,
} from "../network/description.ts";
import type { Context, Flow } from "./context.ts";
import type { Tensor } from "./ir.ts";
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
 * The windows of the input images, laid out by whoever feeds the graph: single floats are slow
 * to gather inside it, and the images pass through the feeder's hands anyway.
 */
function imageColumns(context: Context, geometry: WindowGeometry): Tensor {
  const { images } = geometry;
  const { height, width } = axisWindows(geometry);
  const taps = tapsOf(geometry);
  const output = outputSize(geometry);
  const window = (["kernel", "stride", "padding"] as const).map(
    (part) => `${height[part]}x${width[part]}`,
  );
  const input = `images.windows.${window.join(".")}`;
  const outside = geometry.height * geometry.width;
  const pixels = windowRows({ ...geometry, images: 1 }).map((row) => (row < 0 ? outside : row));
  context.imageFeeds.set(input, { input, valuesPerImage: pixels.length, pixels });
  return context.builder.input(input, [images, output.height * output.width, taps]);
}

/**
 * The input under each window for the way back: the same as on the way there, laid out anew where
 * memory is spared. What the feeder lays out stands there anyway.
 */
export function columnsAgain(
  context: Context,
  x: Tensor,
  there: Tensor,
  lay: (way: "back") => Tensor,
): Tensor {
  return context.sparing && x !== context.images && there !== x ? lay("back") : there;
}

/**
 * The rows of a window, one array for all layers with the same geometry. The way back has its own:
 * an engine would take two equal gathers for one and keep what it gave.
 */
function sharedRows(context: Context, geometry: WindowGeometry, way: "there" | "back"): Int32Array {
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
  way: "there" | "back" = "there",
): Tensor {
  if (isPointwise(geometry)) return x;
  const output = outputSize(geometry);
  const channels = x.shape[2] ?? 0;
  if (x === context.images) return imageColumns(context, geometry);
  const rows = context.builder.gatherRows(asRows(context, x), sharedRows(context, geometry, way));
  return context.builder.reshape(rows, [
    geometry.images,
    output.height * output.width,
    tapsOf(geometry) * channels,
  ]);
}

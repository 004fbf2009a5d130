import type { PoolLayer } from "../network/description.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import { maximumAlong } from "./max-along.ts";
import { coverage, coveringRows, outputSize, windowRows, type WindowGeometry } from "./windows.ts";

function averagePooling(context: Context, layer: PoolLayer, flow: Flow): LayerResult {
  const { builder } = context;
  const [images = 0, inputPixels = 0, channels = 0] = flow.tensor.shape;
  const geometry: WindowGeometry = {
    images,
    height: flow.height,
    width: flow.width,
    kernel: layer.kernel,
    stride: layer.stride,
    padding: layer.padding,
  };
  const output = outputSize(geometry);
  const taps = layer.kernel * layer.kernel;
  const outputPixels = output.height * output.width;
  const matrix = builder.reshape(flow.tensor, [images * inputPixels, channels]);
  const windows = builder.reshape(builder.gatherRows(matrix, windowRows(geometry)), [
    images * outputPixels,
    taps,
    channels,
  ]);
  const mean = builder.scale(builder.reduce("sum", windows, 1), 1 / taps);
  return {
    flow: { ...output, tensor: builder.reshape(mean, [images, outputPixels, channels]) },
    backward: (gradient, needsInput) => {
      if (!needsInput) return null;
      const shares = builder.reshape(builder.scale(gradient, 1 / taps), [
        images * outputPixels,
        channels,
      ]);
      const rows = coveringRows(geometry).map((pair) => (pair < 0 ? -1 : Math.floor(pair / taps)));
      const covering = builder.reshape(builder.gatherRows(shares, rows), [
        images * inputPixels,
        coverage(geometry),
        channels,
      ]);
      return builder.reshape(builder.reduce("sum", covering, 1), flow.tensor.shape);
    },
  };
}

/**
 * Max-pooling down the columns and then along the rows: fewer values are moved than under whole
 * windows, and down the columns whole rows of the map are.
 */
function maxPooling(context: Context, layer: PoolLayer, flow: Flow): LayerResult {
  const { builder } = context;
  const [images = 0, , channels = 0] = flow.tensor.shape;
  const { kernel, stride, padding } = layer;
  const window = { kernel, stride, padding };
  const { height, width } = flow;
  const inner = width * channels;
  const columns = maximumAlong(
    builder,
    { ...window, outer: images, length: height, inner },
    builder.reshape(flow.tensor, [images * height, inner]),
  );
  const outer = images * columns.output;
  const rows = maximumAlong(
    builder,
    { ...window, outer, length: width, inner: channels },
    builder.reshape(columns.value, [outer * width, channels]),
  );
  const pixels = columns.output * rows.output;
  return {
    flow: {
      height: columns.output,
      width: rows.output,
      tensor: builder.reshape(rows.value, [images, pixels, channels]),
    },
    backward: (gradient, needsInput) => {
      if (!needsInput) return null;
      const ofColumns = rows.backward(builder.reshape(gradient, [images * pixels, channels]));
      const ofMap = columns.backward(builder.reshape(ofColumns, [outer, inner]));
      return builder.reshape(ofMap, flow.tensor.shape);
    },
  };
}

export function pooling(context: Context, layer: PoolLayer, flow: Flow): LayerResult {
  return layer.kind === "maxPool"
    ? maxPooling(context, layer, flow)
    : averagePooling(context, layer, flow);
}

/** The mean of each map: [images, pixels, channels] to [images, 1, channels]. */
export function globalAverage(context: Context, flow: Flow): LayerResult {
  const { builder } = context;
  const [, pixels = 0] = flow.tensor.shape;
  const mean = builder.scale(builder.reduce("sum", flow.tensor, 1), 1 / pixels);
  return {
    flow: { tensor: mean, height: 1, width: 1 },
    backward: (gradient, needsInput) => {
      if (!needsInput) return null;
      const ones = builder.constant([1, pixels, 1], new Float32Array(pixels).fill(1 / pixels));
      return builder.multiply(gradient, ones);
    },
  };
}

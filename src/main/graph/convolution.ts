import type { Conv2dLayer, DenseLayer } from "../network/description.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import type { GraphBuilder } from "./builder.ts";
import { standing } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import { plainWeights, type ConvolutionWeights } from "./weights.ts";
import {
  coverage,
  coveringRows,
  isPointwise,
  outputSize,
  transposedWindows,
  windowRows,
  type WindowGeometry,
} from "./windows.ts";

/** What plain and standardised convolutions have in common. */
type FullConvolution = Pick<
  Conv2dLayer,
  "name" | "inputChannels" | "outputChannels" | "kernel" | "stride" | "padding"
>;

function geometryOf(context: Context, layer: FullConvolution, flow: Flow): WindowGeometry {
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
function asRows(context: Context, x: Tensor): Tensor {
  const [images = 0, pixels = 0, channels = 0] = x.shape;
  return context.builder.reshape(x, [images * pixels, channels]);
}

/**
 * The windows of the input images, laid out by whoever feeds the graph: single floats are slow
 * to gather inside it, and the images pass through the feeder's hands anyway.
 */
function imageColumns(context: Context, geometry: WindowGeometry): Tensor {
  const { images, kernel, stride, padding } = geometry;
  const output = outputSize(geometry);
  const input = `images.windows.${kernel}.${stride}.${padding}`;
  const outside = geometry.height * geometry.width;
  const pixels = windowRows({ ...geometry, images: 1 }).map((row) => (row < 0 ? outside : row));
  context.imageFeeds.set(input, { input, valuesPerImage: pixels.length, pixels });
  return context.builder.input(input, [images, output.height * output.width, kernel * kernel]);
}

/** The input under each window, [images, output pixels, taps * channels]. */
function windowColumns(context: Context, geometry: WindowGeometry, x: Tensor): Tensor {
  if (isPointwise(geometry)) return x;
  const output = outputSize(geometry);
  const channels = x.shape[2] ?? 0;
  if (x === context.images) return imageColumns(context, geometry);
  const rows = context.builder.gatherRows(asRows(context, x), windowRows(geometry));
  return context.builder.reshape(rows, [
    geometry.images,
    output.height * output.width,
    geometry.kernel * geometry.kernel * channels,
  ]);
}

/** Values seen as [rows, a, b], laid out as [rows, b, a], in the shape that they had. */
function exchanged(
  builder: GraphBuilder,
  x: Tensor,
  seenAs: readonly [rows: number, a: number, b: number],
): Tensor {
  return builder.reshape(builder.transpose(builder.reshape(x, seenAs), [0, 2, 1]), x.shape);
}

/** A bias [channels] on maps, and its gradient: the sum over views and pixels. */
export function withBias(context: Context, name: string, result: LayerResult): LayerResult {
  const { builder } = context;
  const { tensor } = result.flow;
  const channels = tensor.shape[2] ?? 0;
  const bias = parameterInput(context, name, { kind: "flat" }, [1, 1, channels]);
  return {
    flow: { ...result.flow, tensor: builder.add(tensor, bias) },
    backward: (gradient, needsInput) => {
      const perUnit = builder.reduce("sum", byUnit(context, gradient), 1);
      context.parameterGradients.push({
        parameter: name,
        layout: { kind: "flat" },
        gradients: standing(builder, perUnit, [channels]),
      });
      return result.backward(gradient, needsInput);
    },
  };
}

/**
 * The gradient at the input of a convolution, by one of two ways with the same multiply-adds.
 *
 * - Many pixels for few weights: for each input pixel the output gradients that it reached, times
 *   the weights of the taps by which it did. Pixels that the same taps reach are computed
 *   together, then put back in order.
 * - Few pixels for many weights: the gradient of every tap of every window, then for each input
 *   pixel the sum of those that cover it. This needs no second copy of the weights.
 */
function inputGradient(
  context: Context,
  layer: FullConvolution,
  geometry: WindowGeometry,
  gradient: Tensor,
  weights: ConvolutionWeights,
): Tensor {
  const { builder } = context;
  const taps = layer.kernel * layer.kernel;
  const rows = asRows(context, gradient);
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const pixels = geometry.height * geometry.width;

  if (isPointwise(geometry) || weights.inputsFirst || geometry.images * pixels <= 2 * outputs) {
    const product = builder.matrixProduct(rows, weights.matrix);
    if (isPointwise(geometry)) return builder.reshape(product, [geometry.images, pixels, inputs]);
    const outputRows = rows.shape[0] ?? 0;
    const ofTaps = weights.inputsFirst
      ? exchanged(builder, product, [outputRows, inputs, taps])
      : product;
    const covering = builder.reshape(
      builder.gatherRows(
        builder.reshape(ofTaps, [outputRows * taps, inputs]),
        coveringRows(geometry),
      ),
      [geometry.images * pixels, coverage(geometry), inputs],
    );
    return builder.reshape(builder.reduce("sum", covering, 1), [geometry.images, pixels, inputs]);
  }

  const { classes, order } = transposedWindows(geometry);
  const parts = classes.map(({ taps: chosen, outputRows }) => {
    const count = outputRows.length / chosen.length;
    const reached = builder.gatherRows(rows, outputRows);
    return builder.matrixProduct(
      builder.reshape(reached, [count, chosen.length * outputs]),
      weights.transposed(chosen),
    );
  });
  const together = builder.concatenate(parts, 0);
  const inOrder = order.every((row, at) => row === at)
    ? together
    : builder.gatherRows(together, order);
  return builder.reshape(inOrder, [geometry.images, pixels, inputs]);
}

/** A convolution of all channels with each other, whatever its weights come from. */
export function fullConvolution(
  context: Context,
  layer: FullConvolution,
  flow: Flow,
  weights: ConvolutionWeights,
): LayerResult {
  const { builder } = context;
  const geometry = geometryOf(context, layer, flow);
  const output = outputSize(geometry);
  const taps = layer.kernel * layer.kernel;
  const byTap = windowColumns(context, geometry, flow.tensor);
  const columns = weights.inputsFirst
    ? exchanged(builder, byTap, [
        geometry.images * output.height * output.width,
        taps,
        layer.inputChannels,
      ])
    : byTap;
  const product = builder.matrixProduct(asRows(context, columns), weights.matrix, {
    second: true,
  });
  const pixels = output.height * output.width;
  return {
    flow: {
      ...output,
      tensor: builder.reshape(product, [geometry.images, pixels, layer.outputChannels]),
    },
    backward: (gradient, needsInput) => {
      weights.keepGradients(byUnit(context, gradient), byUnit(context, columns));
      return needsInput ? inputGradient(context, layer, geometry, gradient, weights) : null;
    },
  };
}

/** Each channel with its own window: products and sums over taps instead of a matrix product. */
function depthwiseConvolution(context: Context, layer: Conv2dLayer, flow: Flow): LayerResult {
  const { builder, units } = context;
  const geometry = geometryOf(context, layer, flow);
  const output = outputSize(geometry);
  const pixels = output.height * output.width;
  const channels = layer.outputChannels;
  const taps = layer.kernel * layer.kernel;
  const layout = { kind: "depthwise", taps } as const;
  const name = `${layer.name}.weight`;
  const columns = builder.reshape(windowColumns(context, geometry, flow.tensor), [
    geometry.images * pixels,
    taps,
    channels,
  ]);
  const weight = parameterInput(context, name, layout, [1, taps, channels]);
  const sum = builder.reduce("sum", builder.multiply(columns, weight), 1);
  return {
    flow: { ...output, tensor: builder.reshape(sum, [geometry.images, pixels, channels]) },
    backward: (gradient, needsInput) => {
      const perPixel = builder.reshape(gradient, [geometry.images * pixels, 1, channels]);
      const products = builder.reshape(builder.multiply(columns, perPixel), [
        units,
        context.views * pixels,
        taps * channels,
      ]);
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: standing(builder, builder.reduce("sum", products, 1), [taps, channels]),
      });
      if (!needsInput) return null;
      const { classes, order } = transposedWindows(geometry);
      const rows = asRows(context, gradient);
      const parts = classes.map(({ taps: chosen, outputRows }) => {
        const count = outputRows.length / chosen.length;
        const reached = builder.reshape(builder.gatherRows(rows, outputRows), [
          count,
          chosen.length,
          channels,
        ]);
        const weightRows = builder.gatherRows(
          builder.reshape(weight, [taps, channels]),
          Int32Array.from(chosen),
        );
        const weighted = builder.multiply(
          reached,
          builder.reshape(weightRows, [1, chosen.length, channels]),
        );
        return builder.reshape(builder.reduce("sum", weighted, 1), [count, channels]);
      });
      const inOrder = builder.gatherRows(builder.concatenate(parts, 0), order);
      return builder.reshape(inOrder, [geometry.images, flow.height * flow.width, channels]);
    },
  };
}

function outputPixelsOf(context: Context, layer: FullConvolution, flow: Flow): number {
  const { height, width } = outputSize(geometryOf(context, layer, flow));
  return height * width;
}

export function convolution(context: Context, layer: Conv2dLayer, flow: Flow): LayerResult {
  const result =
    layer.groups === 1
      ? fullConvolution(
          context,
          layer,
          flow,
          plainWeights(context, layer, outputPixelsOf(context, layer, flow)),
        )
      : depthwiseConvolution(context, layer, flow);
  return layer.bias ? withBias(context, `${layer.name}.bias`, result) : result;
}

/** A dense layer is a pointwise convolution of a map with one pixel. */
export function dense(context: Context, layer: DenseLayer, flow: Flow): LayerResult {
  return convolution(
    context,
    {
      kind: "conv2d",
      name: layer.name,
      inputChannels: layer.inputFeatures,
      outputChannels: layer.outputFeatures,
      kernel: 1,
      stride: 1,
      padding: 0,
      groups: 1,
      bias: true,
    },
    flow,
  );
}

import { axisWindows, tapsOf, type Conv2dLayer, type DenseLayer } from "../network/description.ts";
import type { GraphBuilder } from "./builder.ts";
import {
  asRows,
  geometryOf,
  inStrips,
  laysOutAgain,
  rowsOver,
  windowStrips,
  type FullConvolution,
  type Way,
  type WindowStrip,
} from "./columns.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { depthwiseConvolution } from "./depthwise.ts";
import { standing } from "./gradients.ts";
import { groupedConvolution } from "./grouped.ts";
import type { Tensor } from "./ir.ts";
import { plainWeights, type ConvolutionWeights } from "./weights.ts";
import {
  coverage,
  coveringRows,
  isPointwise,
  outputSize,
  transposedWindows,
  type WindowGeometry,
} from "./windows.ts";

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
        gradients: standing(builder, perUnit),
      });
      return result.backward(gradient, needsInput);
    },
  };
}

/** Channels that engines compute together: others would be filled up. */
const channelBlock = 16;

/**
 * True where an engine convolves maps without windows laid out. One tap is a plain product, and where
 * weights keep their order it is because they are many for few pixels.
 */
function isDirect(context: Context, layer: FullConvolution, weights: ConvolutionWeights): boolean {
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const fits = inputs % channelBlock === 0 && outputs % channelBlock === 0;
  return context.direct && fits && tapsOf(layer) > 1 && !weights.inputsFirst;
}

/**
 * The window that moves over the gradient at the output of a convolution and gives that at its input,
 * with its taps in reverse; null where it moves in larger steps or begins too far outside.
 */
function reversedWindow(geometry: WindowGeometry): WindowGeometry | null {
  const { height, width } = axisWindows(geometry);
  const padding = [height, width].map((axis) => axis.kernel - 1 - axis.padding);
  const [above = 0, before = 0] = padding;
  if (height.stride > 1 || width.stride > 1 || above < 0 || before < 0) return null;
  return { ...geometry, ...outputSize(geometry), padding: [above, before] };
}

/**
 * The gradient at the input of a convolution. Directly, where the engine can: a convolution of the
 * gradient. Otherwise by one of two ways with the same multiply-adds.
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
  const taps = tapsOf(layer);
  const rows = asRows(context, gradient);
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const pixels = geometry.height * geometry.width;

  const reversed = isDirect(context, layer, weights) ? reversedWindow(geometry) : null;
  if (reversed !== null) {
    const lastFirst = Array.from({ length: taps }, (_, at) => taps - 1 - at);
    return builder.convolution(gradient, weights.transposed(lastFirst), reversed, true);
  }
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
  const parts = classes.map(({ taps: chosen, outputRows }) =>
    inStrips(context, rows, outputRows, chosen.length, (reached) =>
      builder.matrixProduct(reached, weights.transposed(chosen)),
    ),
  );
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
  const { units } = context;
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const pixels = output.height * output.width;
  const layOut = (way: Way): WindowStrip[] =>
    windowStrips(context, geometry, flow.tensor, way).map(({ from, to, columns }) => {
      if (!weights.inputsFirst) return { from, to, columns };
      const seenAs = [units * (to - from), tapsOf(layer), inputs] as const;
      return { from, to, columns: exchanged(builder, columns, seenAs) };
    });
  const direct = isDirect(context, layer, weights);
  const there = direct ? null : layOut("there");
  const products = there?.map(({ from, to, columns }) => {
    const rows = asRows(context, columns);
    const product = builder.matrixProduct(rows, weights.matrix, { second: true });
    return builder.reshape(product, [units, to - from, outputs]);
  });
  const value =
    products === undefined
      ? builder.convolution(flow.tensor, weights.matrix, geometry, false)
      : builder.concatenate(products, 1);
  return {
    flow: { ...output, tensor: builder.reshape(value, [geometry.images, pixels, outputs]) },
    backward: (gradient, needsInput) => {
      const again = laysOutAgain(context, geometry, flow.tensor);
      const strips = there === null || again ? layOut("back") : there;
      const byUnits = byUnit(context, gradient);
      const [first] = strips;
      if (first === undefined) throw new Error(`${layer.name} has no windows`);
      weights.keepGradients(
        strips.map((strip) => ({
          gradient: rowsOver(context, strip, byUnits),
          columns: strip.columns,
        })),
        () => first.columns,
      );
      return needsInput ? inputGradient(context, layer, geometry, gradient, weights) : null;
    },
  };
}

function outputPixelsOf(context: Context, layer: FullConvolution, flow: Flow): number {
  const { height, width } = outputSize(geometryOf(context, layer, flow));
  return height * width;
}

function withoutBias(context: Context, layer: Conv2dLayer, flow: Flow): LayerResult {
  const { groups, inputChannels, outputChannels } = layer;
  if (groups === 1) {
    const weights = plainWeights(context, layer, outputPixelsOf(context, layer, flow));
    return fullConvolution(context, layer, flow, weights);
  }
  return groups === inputChannels && groups === outputChannels
    ? depthwiseConvolution(context, layer, flow)
    : groupedConvolution(context, layer, flow);
}

export function convolution(context: Context, layer: Conv2dLayer, flow: Flow): LayerResult {
  const result = withoutBias(context, layer, flow);
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

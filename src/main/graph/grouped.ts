import { tapsOf, type Conv2dLayer } from "../network/description.ts";
import type { GraphBuilder } from "./builder.ts";
import { geometryOf, laysOutAgain, windowColumns, type Way } from "./columns.ts";
import { parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { prefersGhostNorm } from "./cost.ts";
import { ghostOfMatrix, materialisedOfMatrix, type UnitGradients } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import type { ParameterLayout } from "./layout.ts";
import { coverage, coveringRows, outputSize, type WindowGeometry } from "./windows.ts";

/** Channels [any, rows, groups * channels] of all images as [groups, all rows, channels]. */
function byGroup(builder: GraphBuilder, x: Tensor, groups: number): Tensor {
  const [images = 0, pixels = 0, channels = 0] = x.shape;
  const rows = images * pixels;
  return builder.transpose(builder.reshape(x, [rows, groups, channels / groups]), [1, 0, 2]);
}

/**
 * Unit gradients of the weights [groups * outputs, inner] of which each group was applied to its
 * own `columns` [groups, units * rows, inner] and got `gradient` [groups, units * rows, outputs]
 * back. For the norms each group of a unit is taken as a unit by itself, the one way or the other,
 * and a unit's squared norm is the sum of its groups'.
 */
export function ofGroups(
  builder: GraphBuilder,
  units: number,
  gradient: Tensor,
  columns: Tensor,
  norms: "ghost" | "materialised",
): UnitGradients {
  const [groups = 0, allRows = 0, outputs = 0] = gradient.shape;
  const inner = columns.shape[2] ?? 0;
  const parts = groups * units;
  const ofParts = (x: Tensor): Tensor =>
    builder.reshape(x, [parts, allRows / units, x.shape[2] ?? 0]);
  const rows = { gradient: ofParts(gradient), columns: ofParts(columns) };
  const materialised = materialisedOfMatrix(builder, [rows]);
  const ofPart = norms === "ghost" ? ghostOfMatrix(builder, rows) : materialised;

  /** One product for each group, over the rows of all units. */
  const overRows = (scale: Tensor | null): Tensor => {
    const weighted =
      scale === null
        ? gradient
        : builder.multiply(
            builder.reshape(gradient, [groups, units, (allRows / units) * outputs]),
            builder.reshape(scale, [1, units, 1]),
          );
    const rows = builder.reshape(weighted, [groups, allRows, outputs]);
    return builder.matrixProduct(rows, columns, { first: true });
  };
  /** From the gradients that stand there for the norms anyway. */
  const overUnits = (scale: Tensor): Tensor => {
    const repeated = builder.gatherRows(
      builder.reshape(scale, [1, units]),
      new Int32Array(groups).fill(0),
    );
    return builder.matrixProduct(
      builder.reshape(repeated, [groups, 1, units]),
      builder.reshape(materialised.perUnit(), [groups, units, outputs * inner]),
    );
  };
  return {
    squaredParts: () => {
      const ofGroup = builder.reduce("sum", ofPart.squaredParts(), 1);
      const squares = builder.reduce("sum", builder.reshape(ofGroup, [groups, units]), 0);
      return builder.reshape(squares, [units, 1, 1]);
    },
    weightedSum: (scale) => {
      const sum = scale === null || norms === "ghost" ? overRows(scale) : overUnits(scale);
      return builder.reshape(sum, [groups * outputs, inner]);
    },
  };
}

/**
 * The gradient at the input of a grouped convolution from that at its output [groups, rows, outputs] and
 * its weights [groups, outputs, taps * inputs]: the gradient of every tap of every window, then for each
 * pixel the sum of its windows'.
 */
export function inputFromTaps(
  builder: GraphBuilder,
  geometry: WindowGeometry,
  gradient: Tensor,
  weight: Tensor,
): Tensor {
  const [groups = 0, rows = 0] = gradient.shape;
  const taps = tapsOf(geometry);
  const inputs = (weight.shape[2] ?? 0) / taps;
  const channels = groups * inputs;
  const ofTaps = builder.transpose(
    builder.reshape(builder.matrixProduct(gradient, weight), [groups, rows, taps, inputs]),
    [1, 2, 0, 3],
  );
  const covering = builder.gatherRows(
    builder.reshape(ofTaps, [rows * taps, channels]),
    coveringRows(geometry),
  );
  const pixels = geometry.height * geometry.width;
  const slots = [geometry.images * pixels, coverage(geometry), channels];
  const sum = builder.reduce("sum", builder.reshape(covering, slots), 1);
  return builder.reshape(sum, [geometry.images, pixels, channels]);
}

/** Groups of neighbouring channels, each convolved by itself: a stack of matrix products. */
export function groupedConvolution(context: Context, layer: Conv2dLayer, flow: Flow): LayerResult {
  const { builder, units } = context;
  const { groups, inputChannels, outputChannels } = layer;
  const geometry = geometryOf(context, layer, flow);
  const output = outputSize(geometry);
  const { images } = geometry;
  const pixels = output.height * output.width;
  const rows = images * pixels;
  const taps = tapsOf(layer);
  const inputs = inputChannels / groups;
  const outputs = outputChannels / groups;
  const inner = taps * inputs;

  const name = `${layer.name}.weight`;
  // With one tap, or one input, both orders are the same.
  const layout: ParameterLayout =
    taps === 1 || inputs === 1 ? { kind: "flat" } : { kind: "tapsFirst", inputs, taps };
  const weight = builder.reshape(parameterInput(context, name, layout, [outputChannels, inner]), [
    groups,
    outputs,
    inner,
  ]);
  const layOut = (way: Way): Tensor => {
    const byTap = builder.reshape(windowColumns(context, geometry, flow.tensor, way), [
      rows,
      taps,
      groups,
      inputs,
    ]);
    return builder.reshape(builder.transpose(byTap, [2, 0, 1, 3]), [groups, rows, inner]);
  };
  const columns = layOut("there");
  const product = builder.matrixProduct(columns, weight, { second: true });
  return {
    flow: {
      ...output,
      tensor: builder.reshape(builder.transpose(product, [1, 0, 2]), [
        images,
        pixels,
        outputChannels,
      ]),
    },
    backward: (gradient, needsInput) => {
      const ofOutputs = byGroup(builder, gradient, groups);
      const contracted = rows / units;
      const norms = prefersGhostNorm({ contracted, outputs, inputs: inner })
        ? "ghost"
        : "materialised";
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: ofGroups(
          builder,
          units,
          ofOutputs,
          laysOutAgain(context, geometry, flow.tensor) ? layOut("back") : columns,
          norms,
        ),
      });
      if (!needsInput) return null;
      return inputFromTaps(builder, geometry, ofOutputs, weight);
    },
  };
}

import { tapsOf, type Conv2dLayer } from "../network/description.ts";
import { asRows, columnsAgain, geometryOf, windowColumns } from "./columns.ts";
import { parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { standing } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import { outputSize, transposedWindows } from "./windows.ts";

/** Each channel with its own window: products and sums over taps instead of a matrix product. */
export function depthwiseConvolution(
  context: Context,
  layer: Conv2dLayer,
  flow: Flow,
): LayerResult {
  const { builder, units } = context;
  const geometry = geometryOf(context, layer, flow);
  const output = outputSize(geometry);
  const pixels = output.height * output.width;
  const channels = layer.outputChannels;
  const taps = tapsOf(layer);
  const layout = { kind: "depthwise", taps } as const;
  const name = `${layer.name}.weight`;
  const layOut = (way?: "back"): Tensor =>
    builder.reshape(windowColumns(context, geometry, flow.tensor, way), [
      geometry.images * pixels,
      taps,
      channels,
    ]);
  const columns = layOut();
  const weight = parameterInput(context, name, layout, [1, taps, channels]);
  const sum = builder.reduce("sum", builder.multiply(columns, weight), 1);
  return {
    flow: { ...output, tensor: builder.reshape(sum, [geometry.images, pixels, channels]) },
    backward: (gradient, needsInput) => {
      const perPixel = builder.reshape(gradient, [geometry.images * pixels, 1, channels]);
      const again = columnsAgain(context, flow.tensor, columns, layOut);
      const products = builder.reshape(builder.multiply(again, perPixel), [
        units,
        context.views * pixels,
        taps * channels,
      ]);
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: standing(builder, builder.reduce("sum", products, 1)),
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

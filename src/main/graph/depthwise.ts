import { tapsOf, type Conv2dLayer } from "../network/description.ts";
import {
  asRows,
  geometryOf,
  inStrips,
  laysOutAgain,
  rowsOver,
  windowStrips,
  type Way,
  type WindowStrip,
} from "./columns.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { standing, total } from "./gradients.ts";
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
  const layOut = (way: Way): WindowStrip[] => windowStrips(context, geometry, flow.tensor, way);
  const there = layOut("there");
  const weight = parameterInput(context, name, layout, [1, taps, channels]);
  const sums = there.map(({ from, to, columns }) => {
    const rows = units * (to - from);
    const products = builder.multiply(builder.reshape(columns, [rows, taps, channels]), weight);
    return builder.reshape(builder.reduce("sum", products, 1), [units, to - from, channels]);
  });
  const value = builder.concatenate(sums, 1);
  return {
    flow: { ...output, tensor: builder.reshape(value, [geometry.images, pixels, channels]) },
    backward: (gradient, needsInput) => {
      const strips = laysOutAgain(context, geometry, flow.tensor) ? layOut("back") : there;
      const byUnits = byUnit(context, gradient);
      const ofStrips = strips.map((strip) => {
        const rows = units * (strip.to - strip.from);
        const products = builder.multiply(
          builder.reshape(strip.columns, [rows, taps, channels]),
          builder.reshape(rowsOver(context, strip, byUnits), [rows, 1, channels]),
        );
        const perRow = [units, rows / units, taps * channels];
        return builder.reduce("sum", builder.reshape(products, perRow), 1);
      });
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: standing(builder, total(builder, ofStrips)),
      });
      if (!needsInput) return null;
      const { classes, order } = transposedWindows(geometry);
      const rows = asRows(context, gradient);
      const parts = classes.map(({ taps: chosen, outputRows }) => {
        const weightRows = builder.gatherRows(
          builder.reshape(weight, [taps, channels]),
          Int32Array.from(chosen),
        );
        return inStrips(context, rows, outputRows, chosen.length, (reached) => {
          const [count = 0] = reached.shape;
          const weighted = builder.multiply(
            builder.reshape(reached, [count, chosen.length, channels]),
            builder.reshape(weightRows, [1, chosen.length, channels]),
          );
          return builder.reshape(builder.reduce("sum", weighted, 1), [count, channels]);
        });
      });
      const inOrder = builder.gatherRows(builder.concatenate(parts, 0), order);
      return builder.reshape(inOrder, [geometry.images, flow.height * flow.width, channels]);
    },
  };
}

import type { LayerNormLayer, LayerScaleLayer } from "../network/description.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { standing } from "./gradients.ts";
import type { Tensor } from "./ir.ts";

/** Adds the gradient of a parameter that stands once for each channel; `products` are maps. */
function keepPerChannel(context: Context, parameter: string, products: Tensor): void {
  const { builder } = context;
  context.parameterGradients.push({
    parameter,
    layout: { kind: "flat" },
    gradients: standing(builder, builder.reduce("sum", byUnit(context, products), 1)),
  });
}

/**
 * Layer normalisation (Ba et al. 2016, arXiv 1607.06450) over the channels of each pixel of maps
 * [images, pixels, channels], as ConvNeXt has it (arXiv 2201.03545). Nothing crosses from one
 * pixel to another, still less from one image to another.
 */
export function layerNormalisation(
  context: Context,
  layer: LayerNormLayer,
  flow: Flow,
): LayerResult {
  const { builder } = context;
  const { channels } = layer;
  const parameter = (part: string): Tensor =>
    parameterInput(context, `${layer.name}.${part}`, { kind: "flat" }, [1, 1, channels]);
  const factor = parameter("weight");
  const offset = parameter("bias");
  const meanOf = (x: Tensor): Tensor => builder.scale(builder.reduce("sum", x, 2), 1 / channels);

  const centred = builder.subtract(flow.tensor, meanOf(flow.tensor));
  const variance = builder.scale(builder.reduce("sumOfSquares", centred, 2), 1 / channels);
  const deviation = builder.unary(
    "squareRoot",
    builder.add(variance, builder.scalar(layer.epsilon, 3)),
  );
  const normalised = builder.divide(centred, deviation);
  const value = builder.add(builder.multiply(normalised, factor), offset);

  return {
    flow: { ...flow, tensor: value },
    backward: (gradient, needsInput) => {
      const products = builder.multiply(gradient, normalised);
      keepPerChannel(context, `${layer.name}.weight`, products);
      keepPerChannel(context, `${layer.name}.bias`, gradient);
      if (!needsInput) return null;
      // d/dx = (h - mean(h) - normalised mean(h normalised)) / deviation, with h = factor dy
      const scaled = builder.multiply(gradient, factor);
      const slope = meanOf(builder.multiply(products, factor));
      const across = builder.subtract(
        builder.subtract(scaled, meanOf(scaled)),
        builder.multiply(normalised, slope),
      );
      return builder.divide(across, deviation);
    },
  };
}

/** Each channel times its factor. */
export function layerScale(context: Context, layer: LayerScaleLayer, flow: Flow): LayerResult {
  const { builder } = context;
  const { channels } = layer;
  const factor = parameterInput(context, layer.name, { kind: "flat" }, [1, 1, channels]);
  return {
    flow: { ...flow, tensor: builder.multiply(flow.tensor, factor) },
    backward: (gradient, needsInput) => {
      keepPerChannel(context, layer.name, builder.multiply(gradient, flow.tensor));
      return needsInput ? builder.multiply(gradient, factor) : null;
    },
  };
}

import type { GroupNormLayer } from "../network/description.ts";
import { byUnit, parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { standing } from "./gradients.ts";
import type { Tensor } from "./ir.ts";

/**
 * Group normalisation (Wu and He 2018, arXiv 1803.08494) of maps [images, pixels, channels]:
 * each image's groups of neighbouring channels get mean 0 and variance 1, then each channel its
 * factor and offset. Nothing crosses from one image to another.
 *
 * Sums over pixels come first and sums over a group's channels after, on small tensors; the
 * variance is taken about the mean, since the mean of squares less the squared mean cancels.
 */
export function groupNormalisation(
  context: Context,
  layer: GroupNormLayer,
  flow: Flow,
): LayerResult {
  const { builder } = context;
  const [images = 0, pixels = 0, channels = 0] = flow.tensor.shape;
  const perGroup = channels / layer.groups;
  const count = pixels * perGroup;

  /** [images, 1, channels] summed over each group, and given back to each of its channels. */
  const overGroups = (perChannel: Tensor, factor: number): Tensor => {
    const grouped = builder.reshape(perChannel, [images, layer.groups, perGroup]);
    const sum = builder.scale(builder.reduce("sum", grouped, 2), factor);
    const spread = builder.multiply(
      sum,
      builder.constant([1, 1, perGroup], new Float32Array(perGroup).fill(1)),
    );
    return builder.reshape(spread, [images, 1, channels]);
  };

  const factor = parameterInput(context, `${layer.name}.weight`, { kind: "flat" }, [
    1,
    1,
    channels,
  ]);
  const offset = parameterInput(context, `${layer.name}.bias`, { kind: "flat" }, [1, 1, channels]);
  const mean = overGroups(builder.reduce("sum", flow.tensor, 1), 1 / count);
  const centred = builder.subtract(flow.tensor, mean);
  const variance = overGroups(builder.reduce("sumOfSquares", centred, 1), 1 / count);
  const inverse = builder.divide(
    builder.scalar(1, 3),
    builder.unary("squareRoot", builder.add(variance, builder.scalar(layer.epsilon, 3))),
  );
  const scale = builder.multiply(inverse, factor);
  const value = builder.add(builder.multiply(centred, scale), offset);

  return {
    flow: { ...flow, tensor: value },
    backward: (gradient, needsInput) => {
      const offsetGradient = builder.reduce("sum", gradient, 1);
      const factorGradient = builder.multiply(
        builder.reduce("sum", builder.multiply(gradient, centred), 1),
        inverse,
      );
      for (const [part, perImage] of [
        ["weight", factorGradient],
        ["bias", offsetGradient],
      ] as const)
        context.parameterGradients.push({
          parameter: `${layer.name}.${part}`,
          layout: { kind: "flat" },
          gradients: standing(builder, builder.reduce("sum", byUnit(context, perImage), 1), [
            channels,
          ]),
        });
      if (!needsInput) return null;
      // d/dx = scale dy - inverse (mean(factor dy) + normalised mean(factor dy normalised))
      const meanGradient = overGroups(builder.multiply(offsetGradient, factor), 1 / count);
      const meanProduct = overGroups(builder.multiply(factorGradient, factor), 1 / count);
      const slope = builder.multiply(builder.multiply(inverse, inverse), meanProduct);
      const correction = builder.add(
        builder.multiply(centred, slope),
        builder.multiply(inverse, meanGradient),
      );
      return builder.subtract(builder.multiply(gradient, scale), correction);
    },
  };
}

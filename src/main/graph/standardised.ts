import { tapsOf, type StandardisedConv2dLayer } from "../network/description.ts";
import { parameterInput, type Context, type Flow, type LayerResult } from "./context.ts";
import { fullConvolution, withBias } from "./convolution.ts";
import { materialisedOfMatrix, squaredPartsOf, type UnitGradients } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import type { ConvolutionWeights } from "./weights.ts";

/**
 * Weights v = g u with u = (w - mean) / s and s = sqrt(max(|w - mean|^2, epsilon)), for each
 * output (fan-in times the variance is the squared length about the mean).
 *
 * A unit's gradient G at v is a row for each output; for each row
 *
 *   d/dg = G . u
 *   d/dw = (g / s) (G - mean(G) - u (G . u)), the last term only where s is not at its floor,
 *
 * which is linear in G with factors that all units share: a sum of units is taken first and
 * projected once. The norms do need each unit's projected gradient. They could be had from Gram
 * matrices as |G|^2 - n mean(G)^2 - (G . u)^2, but what is left after such a difference can be
 * all rounding (two inputs leave nothing at all), and a norm that is too small breaks the
 * clipping bound. So the gradient is always written out and projected before it is squared.
 */
function standardisedWeights(context: Context, layer: StandardisedConv2dLayer): ConvolutionWeights {
  const { builder } = context;
  const { inputChannels: inputs, outputChannels: outputs, epsilon } = layer;
  const taps = tapsOf(layer);
  const size = taps * inputs;
  const layout = { kind: "tapsFirst", inputs, taps } as const;
  const weightName = `${layer.name}.weight`;
  const gainName = `${layer.name}.gain`;

  const raw = parameterInput(context, weightName, layout, [outputs, size]);
  const gain = parameterInput(context, gainName, { kind: "flat" }, [outputs, 1]);
  const mean = builder.scale(builder.reduce("sum", raw, 1), 1 / size);
  const centred = builder.subtract(raw, mean);
  const squaredLength = builder.reduce("sumOfSquares", centred, 1);
  const floor = builder.scalar(epsilon, 2);
  const length = builder.unary("squareRoot", builder.binary("maximum", squaredLength, floor));
  const directions = builder.divide(centred, length);
  const factor = builder.divide(gain, length);

  /** Gradients [any, outputs, size] at v as those at w, without the factor, and at g. */
  const project = (gradients: Tensor): { weight: Tensor; gain: Tensor } => {
    const along = builder.reshape(directions, [1, outputs, size]);
    const products = builder.reduce("sum", builder.multiply(gradients, along), 2);
    const about = builder.subtract(
      gradients,
      builder.scale(builder.reduce("sum", gradients, 2), 1 / size),
    );
    const free = builder.reshape(builder.binary("greater", squaredLength, floor), [1, outputs, 1]);
    const across = builder.subtract(
      about,
      builder.multiply(builder.multiply(products, free), along),
    );
    return { weight: across, gain: products };
  };

  return {
    matrix: builder.multiply(centred, factor),
    inputsFirst: false,
    transposed: (chosen) => {
      const part = parameterInput(
        context,
        weightName,
        { kind: "transposed", inputs, taps, chosen },
        [chosen.length * outputs, inputs],
      );
      const turned = builder.multiply(
        builder.subtract(
          builder.reshape(part, [chosen.length, outputs, inputs]),
          builder.reshape(mean, [1, outputs, 1]),
        ),
        builder.reshape(factor, [1, outputs, 1]),
      );
      return builder.reshape(turned, [chosen.length * outputs, inputs]);
    },
    keepGradients: (strips) => {
      const atUsed = materialisedOfMatrix(builder, strips);
      let units: ReturnType<typeof project> | null = null;
      const ofUnits = (): ReturnType<typeof project> => (units ??= project(atUsed.perUnit()));
      let sum: {
        readonly scale: Tensor | null;
        readonly parts: ReturnType<typeof project>;
      } | null = null;
      const ofSum = (scale: Tensor | null): ReturnType<typeof project> => {
        if (sum === null || sum.scale !== scale) {
          const used = builder.reshape(atUsed.weightedSum(scale), [1, outputs, size]);
          sum = { scale, parts: project(used) };
        }
        return sum.parts;
      };
      const ofWeight: UnitGradients = {
        squaredParts: () => {
          const ofRows = builder.reduce("sumOfSquares", ofUnits().weight, 2);
          const squaredFactor = builder.reshape(builder.multiply(factor, factor), [1, outputs, 1]);
          return builder.reduce("sum", builder.multiply(ofRows, squaredFactor), 1);
        },
        weightedSum: (scale) =>
          builder.multiply(builder.reshape(ofSum(scale).weight, [outputs, size]), factor),
      };
      const ofGain: UnitGradients = {
        squaredParts: () => squaredPartsOf(builder, ofUnits().gain),
        weightedSum: (scale) => builder.reshape(ofSum(scale).gain, [outputs]),
      };
      context.parameterGradients.push(
        { parameter: weightName, layout, gradients: ofWeight },
        { parameter: gainName, layout: { kind: "flat" }, gradients: ofGain },
      );
    },
  };
}

/** A convolution with standardised weights, and its bias where it has one. */
export function standardisedConvolution(
  context: Context,
  layer: StandardisedConv2dLayer,
  flow: Flow,
): LayerResult {
  const result = fullConvolution(context, layer, flow, standardisedWeights(context, layer));
  return layer.bias ? withBias(context, `${layer.name}.bias`, result) : result;
}

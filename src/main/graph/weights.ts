import type { Conv2dLayer } from "../network/description.ts";
import { parameterInput, type Context } from "./context.ts";
import { ofMatrix } from "./gradients.ts";
import type { Tensor } from "./ir.ts";

/** Where a convolution takes its weights from, and where their gradients go. */
export interface ConvolutionWeights {
  /** [outputs, taps * inputs] */
  readonly matrix: Tensor;
  /** The weights of some taps, transposed: [chosen taps * outputs, inputs]. */
  transposed(chosen: readonly number[]): Tensor;
  /**
   * Takes the gradient at the output [units, rows, outputs] and the windows that the weights were
   * applied to [units, rows, taps * inputs].
   */
  keepGradients(gradient: Tensor, columns: Tensor): void;
}

/** Weights that are used as they are. */
export function plainWeights(context: Context, layer: Conv2dLayer): ConvolutionWeights {
  const name = `${layer.name}.weight`;
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const taps = layer.kernel * layer.kernel;
  const layout = { kind: "tapsFirst", inputs, taps } as const;
  return {
    matrix: parameterInput(context, name, layout, [outputs, taps * inputs]),
    transposed: (chosen) =>
      parameterInput(context, name, { kind: "transposed", inputs, taps, chosen }, [
        chosen.length * outputs,
        inputs,
      ]),
    keepGradients: (gradient, columns) => {
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: ofMatrix(context.builder, gradient, columns),
      });
    },
  };
}

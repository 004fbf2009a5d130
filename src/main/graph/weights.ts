import { tapsOf, type Conv2dLayer } from "../network/description.ts";
import { parameterInput, type Context } from "./context.ts";
import { ofMatrix, type MatrixRows } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import type { ParameterLayout } from "./layout.ts";

/** Where a convolution takes its weights from, and where their gradients go. */
export interface ConvolutionWeights {
  /** [outputs, taps * inputs], or [outputs, inputs * taps] where `inputsFirst`. */
  readonly matrix: Tensor;
  /**
   * True where the inner axis of `matrix` runs over inputs and then taps, as outside. Columns must
   * be laid out likewise, and the way back goes by `matrix` too.
   */
  readonly inputsFirst: boolean;
  /** The weights of some taps, transposed: [chosen taps * outputs, inputs]. */
  transposed(chosen: readonly number[]): Tensor;
  /**
   * Takes the gradient at the output [units, rows, outputs] and the windows that the weights were
   * applied to [units, rows, taps * inputs], in one or several strips of rows; `later` gives the
   * windows of a single strip once more, when the graph has long gone on.
   */
  keepGradients(strips: readonly MatrixRows[], later: () => Tensor): void;
}

/** Images computed at once for which layouts are chosen; few micro-batches hold more. */
const usualImages = 16;

/**
 * True where the columns of a micro-batch hold so much fewer values than weights and gradient
 * that it is the columns which change their order, not weights and gradient at every step. The
 * answer must not depend on the size of the micro-batch, since gradients of all sizes are added.
 */
function movesColumns(outputPixels: number, outputs: number): boolean {
  return usualImages * outputPixels <= 2 * outputs;
}

/** Weights that are used as they are, of a convolution with so many output pixels. */
export function plainWeights(
  context: Context,
  layer: Conv2dLayer,
  outputPixels: number,
): ConvolutionWeights {
  const name = `${layer.name}.weight`;
  const { inputChannels: inputs, outputChannels: outputs } = layer;
  const taps = tapsOf(layer);
  const inputsFirst = taps > 1 && inputs > 1 && movesColumns(outputPixels, outputs);
  // With one tap, or one input, both orders are the same.
  const layout: ParameterLayout =
    inputsFirst || taps === 1 || inputs === 1
      ? { kind: "flat" }
      : { kind: "tapsFirst", inputs, taps };
  return {
    matrix: parameterInput(context, name, layout, [outputs, taps * inputs]),
    inputsFirst,
    transposed: (chosen) =>
      parameterInput(
        context,
        name,
        taps === 1 ? { kind: "flat" } : { kind: "transposed", inputs, taps, chosen },
        [chosen.length * outputs, inputs],
      ),
    keepGradients: (strips, later) => {
      context.parameterGradients.push({
        parameter: name,
        layout,
        gradients: ofMatrix(context.builder, strips, later),
      });
    },
  };
}

import type { Parameter } from "../network/description.ts";

/**
 * How a parameter lies in memory inside a graph. Weights outside have torch's layout; inside, a
 * convolution is a matrix product whose inner axis runs over taps and then input channels.
 */
export type ParameterLayout =
  /** As outside. */
  | { readonly kind: "flat" }
  /** Convolution weights [outputs, inputs, taps] as [outputs, taps, inputs]. */
  | { readonly kind: "tapsFirst"; readonly inputs: number; readonly taps: number }
  /** Some taps of convolution weights, as [chosen taps, outputs, inputs]. */
  | {
      readonly kind: "transposed";
      readonly inputs: number;
      readonly taps: number;
      readonly chosen: readonly number[];
    }
  /** Depthwise weights [channels, taps] as [taps, channels]. */
  | { readonly kind: "depthwise"; readonly taps: number };

/** A parameter that a graph reads, under the name of the graph's input. */
export interface ParameterFeed {
  readonly input: string;
  readonly shape: readonly number[];
  readonly parameter: Parameter;
  readonly layout: ParameterLayout;
}

/** A gradient that a graph gives, under the name of the graph's output. */
export interface GradientResult {
  readonly output: string;
  /** Where it begins in the output, which short gradients share. */
  readonly first: number;
  readonly parameter: Parameter;
  readonly layout: ParameterLayout;
}

/** Number of values of a parameter in a layout. */
export function sizeInside(parameter: Parameter, layout: ParameterLayout): number {
  if (layout.kind !== "transposed") return parameter.size;
  return (parameter.size / layout.taps) * layout.chosen.length;
}

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
  readonly shape: readonly number[];
  readonly parameter: Parameter;
  readonly layout: ParameterLayout;
}

/** Calls `move(outside, inside)` for each value: its index in the parameter and in the graph. */
function eachPair(
  size: number,
  layout: ParameterLayout,
  move: (outside: number, inside: number) => void,
): void {
  switch (layout.kind) {
    case "flat":
      for (let i = 0; i < size; i += 1) move(i, i);
      break;
    case "tapsFirst": {
      const { inputs, taps } = layout;
      const outputs = size / (inputs * taps);
      let inside = 0;
      for (let output = 0; output < outputs; output += 1)
        for (let tap = 0; tap < taps; tap += 1)
          for (let input = 0; input < inputs; input += 1) {
            move((output * inputs + input) * taps + tap, inside);
            inside += 1;
          }
      break;
    }
    case "transposed": {
      const { inputs, taps, chosen } = layout;
      const outputs = size / (inputs * taps);
      let inside = 0;
      for (const tap of chosen)
        for (let output = 0; output < outputs; output += 1)
          for (let input = 0; input < inputs; input += 1) {
            move((output * inputs + input) * taps + tap, inside);
            inside += 1;
          }
      break;
    }
    case "depthwise": {
      const { taps } = layout;
      const channels = size / taps;
      for (let channel = 0; channel < channels; channel += 1)
        for (let tap = 0; tap < taps; tap += 1)
          move(channel * taps + tap, tap * channels + channel);
      break;
    }
  }
}

/** Number of values of a parameter in a layout. */
export function sizeInside(parameter: Parameter, layout: ParameterLayout): number {
  if (layout.kind !== "transposed") return parameter.size;
  return (parameter.size / layout.taps) * layout.chosen.length;
}

/** Copies a parameter out of the flat weight vector into the graph's layout. */
export function arrange(
  weights: Float32Array,
  parameter: Parameter,
  layout: ParameterLayout,
  target: Float32Array,
): void {
  const values = weights.subarray(parameter.offset, parameter.offset + parameter.size);
  if (layout.kind === "flat") target.set(values);
  else
    eachPair(parameter.size, layout, (outside, inside) => {
      target[inside] = values[outside] ?? NaN;
    });
}

/** Puts a gradient in the graph's layout into its place in a flat vector. */
export function restore(
  gradient: Float32Array,
  parameter: Parameter,
  layout: ParameterLayout,
  target: Float32Array,
): void {
  const values = target.subarray(parameter.offset, parameter.offset + parameter.size);
  if (layout.kind === "flat") values.set(gradient);
  else
    eachPair(parameter.size, layout, (outside, inside) => {
      values[outside] = gradient[inside] ?? NaN;
    });
}

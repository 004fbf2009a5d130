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

/** Number of values of a parameter in a layout. */
export function sizeInside(parameter: Parameter, layout: ParameterLayout): number {
  if (layout.kind !== "transposed") return parameter.size;
  return (parameter.size / layout.taps) * layout.chosen.length;
}

/** [rows, columns] to [columns, rows], row by row of the target. */
function transpose(
  source: Float32Array,
  target: Float32Array,
  rows: number,
  columns: number,
): void {
  let at = 0;
  for (let column = 0; column < columns; column += 1)
    for (let row = 0, from = column; row < rows; row += 1, from += columns) {
      target[at] = source[from] ?? NaN;
      at += 1;
    }
}

/** Copies a parameter out of the flat weight vector into the graph's layout. */
export function arrange(
  weights: Float32Array,
  parameter: Parameter,
  layout: ParameterLayout,
  target: Float32Array,
): void {
  const values = weights.subarray(parameter.offset, parameter.offset + parameter.size);
  switch (layout.kind) {
    case "flat":
      target.set(values);
      break;
    case "tapsFirst": {
      const { inputs, taps } = layout;
      const size = inputs * taps;
      for (let from = 0; from < values.length; from += size)
        transpose(
          values.subarray(from, from + size),
          target.subarray(from, from + size),
          inputs,
          taps,
        );
      break;
    }
    case "transposed": {
      const { inputs, taps, chosen } = layout;
      const rows = values.length / taps;
      chosen.forEach((tap, place) => {
        let from = tap;
        const end = (place + 1) * rows;
        for (let at = place * rows; at < end; at += 1, from += taps)
          target[at] = values[from] ?? NaN;
      });
      if (rows % inputs !== 0) throw new Error(`${parameter.name} does not fit its layout`);
      break;
    }
    case "depthwise":
      transpose(values, target, values.length / layout.taps, layout.taps);
      break;
  }
}

/** Puts a gradient in the graph's layout into its place in a flat vector. */
export function restore(
  gradient: Float32Array,
  parameter: Parameter,
  layout: ParameterLayout,
  target: Float32Array,
): void {
  const values = target.subarray(parameter.offset, parameter.offset + parameter.size);
  switch (layout.kind) {
    case "flat":
      values.set(gradient);
      break;
    case "tapsFirst": {
      const { inputs, taps } = layout;
      const size = inputs * taps;
      for (let from = 0; from < values.length; from += size)
        transpose(
          gradient.subarray(from, from + size),
          values.subarray(from, from + size),
          taps,
          inputs,
        );
      break;
    }
    case "transposed":
      throw new Error(`${parameter.name}: gradients have one layout, and this is not it`);
    case "depthwise":
      transpose(gradient, values, layout.taps, values.length / layout.taps);
      break;
  }
}

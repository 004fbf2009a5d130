import { GraphBuilder } from "./builder.ts";
import type { Graph, Tensor } from "./ir.ts";
import type { GradientResult, ParameterFeed, ParameterLayout } from "./layout.ts";

/** True where a layout is what stands outside, so that nothing has to be moved. */
export function standsAsOutside(layout: ParameterLayout): boolean {
  return layout.kind === "flat";
}

function arranged(builder: GraphBuilder, values: Tensor, layout: ParameterLayout): Tensor {
  const size = values.shape[0] ?? 0;
  switch (layout.kind) {
    case "flat":
      return values;
    case "tapsFirst": {
      const { inputs, taps } = layout;
      return builder.transpose(
        builder.reshape(values, [size / (inputs * taps), inputs, taps]),
        [0, 2, 1],
      );
    }
    case "transposed": {
      const { inputs, taps, chosen } = layout;
      if (size % (inputs * taps) !== 0) throw new Error("a parameter does not fit its layout");
      const byTap = builder.transpose(builder.reshape(values, [size / taps, taps]), [1, 0]);
      return builder.gatherRows(byTap, Int32Array.from(chosen));
    }
    case "depthwise":
      return builder.transpose(builder.reshape(values, [size / layout.taps, layout.taps]), [1, 0]);
  }
}

function restored(builder: GraphBuilder, inside: Tensor, layout: ParameterLayout): Tensor {
  const size = inside.shape[0] ?? 0;
  switch (layout.kind) {
    case "flat":
      return inside;
    case "tapsFirst": {
      const { inputs, taps } = layout;
      return builder.transpose(
        builder.reshape(inside, [size / (inputs * taps), taps, inputs]),
        [0, 2, 1],
      );
    }
    case "transposed":
      throw new Error("gradients have one layout, and this is not it");
    case "depthwise":
      return builder.transpose(builder.reshape(inside, [layout.taps, size / layout.taps]), [1, 0]);
  }
}

/**
 * From parameters as they lie outside, flat under their names, to the feeds of a graph under
 * theirs. Millions of values change places at every step: an engine does it at the speed of memory.
 */
export function arrangementGraph(feeds: readonly ParameterFeed[]): Graph {
  const builder = new GraphBuilder();
  for (const { input, parameter, layout } of feeds) {
    const values = builder.input(`outside.${parameter.name}`, [parameter.size]);
    builder.output(input, arranged(builder, values, layout));
  }
  return builder.finish();
}

/** The name under which a restoration gives an output that lies as outside already. */
export const wholeOf = (output: string): string => `whole.${output}`;

/**
 * From the gradients of a graph under their outputs' names to parameters as they lie outside.
 *
 * @param whole sizes of outputs that lie so already, given as they are, to bring them from a device
 */
export function restorationGraph(
  gradients: readonly GradientResult[],
  whole: ReadonlyMap<string, number> = new Map(),
): Graph {
  const builder = new GraphBuilder();
  for (const { output, parameter, layout } of gradients) {
    const inside = builder.input(output, [parameter.size]);
    builder.output(parameter.name, restored(builder, inside, layout));
  }
  for (const [output, size] of whole)
    builder.output(wholeOf(output), builder.input(output, [size]));
  return builder.finish();
}

/** Names of an addition's inputs: what was added up so far, and what is to be added to it. */
export const totalOf = (output: string): string => `total.${output}`;
export const partOf = (output: string): string => `part.${output}`;

/** Two values for each name added up under that name. @param sizes numbers of values */
export function additionGraph(sizes: ReadonlyMap<string, number>): Graph {
  const builder = new GraphBuilder();
  for (const [output, size] of sizes) {
    const total = builder.input(totalOf(output), [size]);
    builder.output(output, builder.add(total, builder.input(partOf(output), [size])));
  }
  return builder.finish();
}

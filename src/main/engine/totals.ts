import { restore } from "../graph/layout.ts";
import type { StepGraph } from "../graph/step.ts";

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + (part[i] ?? 0);
}

/** Adds up the gradients of micro-batches in the graph's layout, and gives them in torch's. */
export class GradientTotals {
  private readonly sums = new Map<string, Float32Array>();
  private step: StepGraph | null = null;

  /** Takes the outputs of one run; layouts are the same for every size of micro-batch. */
  add(step: StepGraph, outputs: ReadonlyMap<string, Float32Array>): void {
    for (const { output } of step.gradients) {
      const part = outputs.get(output);
      if (part === undefined) throw new Error(`the graph gave no ${output}`);
      const sum = this.sums.get(output);
      if (sum === undefined) this.sums.set(output, part.slice());
      else addTo(sum, part);
    }
    this.step ??= step;
  }

  /** The sum times a factor, flat, in the order of the network's parameters. */
  flat(parameterCount: number, factor = 1): Float32Array {
    const flat = new Float32Array(parameterCount);
    for (const { output, parameter, layout } of this.step?.gradients ?? []) {
      const sum = this.sums.get(output);
      if (sum !== undefined) restore(sum, parameter, layout, flat);
    }
    if (factor !== 1) for (let i = 0; i < flat.length; i += 1) flat[i] = (flat[i] ?? 0) * factor;
    return flat;
  }
}

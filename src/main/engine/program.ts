import type { Graph } from "../graph/ir.ts";

/**
 * A graph made ready to run on one engine. `run` takes every input of the graph by name and gives
 * every output, in the arrays of `into` where that names one; other arrays that it gives are
 * overwritten by the next run.
 */
export interface Program {
  run(
    feeds: ReadonlyMap<string, Float32Array>,
    into?: ReadonlyMap<string, Float32Array>,
  ): Promise<ReadonlyMap<string, Float32Array>>;
  dispose(): Promise<void>;
}

/** The one thing that engines do differently. */
export type Prepare = (graph: Graph, label: string) => Promise<Program>;

export function resultOf(outputs: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const result = outputs.get(name);
  if (result === undefined) throw new Error(`the graph gave no ${name}`);
  return result;
}

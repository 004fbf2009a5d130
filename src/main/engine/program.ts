import type { Graph } from "../graph/ir.ts";

/**
 * A value that stays on the device where an engine computes, for later runs of that engine's
 * programs. Only the engine that made it can look inside.
 */
export interface KeptValue {
  /** Gives its memory back; freeing it twice does nothing more. No run may use it afterwards. */
  free(): Promise<void>;
}

export type Value = Float32Array | KeptValue;

/**
 * A graph made ready to run on one engine. `run` takes every input of the graph by name and gives
 * every output: those that it was prepared to keep as values of the device, which the caller frees,
 * the others in the arrays of `into` where that names one; other arrays that it gives are
 * overwritten by the next run. A program may be disposed of before the values that it kept.
 */
export interface Program {
  run(
    feeds: ReadonlyMap<string, Value>,
    into?: ReadonlyMap<string, Float32Array>,
  ): Promise<ReadonlyMap<string, Value>>;
  dispose(): Promise<void>;
}

/**
 * The one thing that engines do differently.
 *
 * @param kept the outputs that are to stay on the device; asked only of an engine that can keep them
 */
export type Prepare = (graph: Graph, label: string, kept?: ReadonlySet<string>) => Promise<Program>;

/** An output that came back as an array. */
export function resultOf(outputs: ReadonlyMap<string, Value>, name: string): Float32Array {
  const result = outputs.get(name);
  if (!(result instanceof Float32Array)) throw new Error(`the graph gave no array ${name}`);
  return result;
}

/** An output that stayed on the device. */
export function keptOf(outputs: ReadonlyMap<string, Value>, name: string): KeptValue {
  const result = outputs.get(name);
  if (result === undefined || result instanceof Float32Array)
    throw new Error(`the graph kept no ${name}`);
  return result;
}

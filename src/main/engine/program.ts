import type { StepGraph } from "../graph/step.ts";

/**
 * A graph made ready to run on one engine. `run` takes every input of the graph by name and
 * gives every output; the arrays it gives are overwritten by the next run.
 */
export interface Program {
  run(feeds: ReadonlyMap<string, Float32Array>): Promise<ReadonlyMap<string, Float32Array>>;
  dispose(): Promise<void>;
}

/** The one thing that engines do differently. */
export type Prepare = (step: StepGraph, label: string) => Promise<Program>;

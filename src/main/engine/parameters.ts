import { arrangementGraph, standsAsOutside } from "../graph/arrangement.ts";
import { sizeInside, type ParameterFeed } from "../graph/layout.ts";
import { keptOf, type KeptValue, type Prepare, type Program, type Value } from "./program.ts";

/**
 * The parameters in the layouts that graphs want, arranged at most once for each set of weights
 * however many micro-batches and graphs need them.
 */
export interface ArrangedParameters {
  /** The weights may change, and what was kept on a device is freed: nothing is arranged any more. */
  forget(): void;
  /** Adds every feed of a graph to `feeds`. */
  addTo(
    feeds: Map<string, Value>,
    weights: Float32Array,
    wanted: readonly ParameterFeed[],
  ): Promise<void>;
  dispose(): Promise<void>;
}

/** The programs that arrange parameters, one for each set of feeds that is asked for together. */
class Arrangements {
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly prepare: Prepare;
  private readonly label: string;
  private readonly keeping: boolean;

  constructor(prepare: Prepare, label: string, keeping: boolean) {
    this.prepare = prepare;
    this.label = label;
    this.keeping = keeping;
  }

  async run(
    weights: Float32Array,
    feeds: readonly ParameterFeed[],
    into?: ReadonlyMap<string, Float32Array>,
  ): Promise<ReadonlyMap<string, Value>> {
    const names = feeds.map(({ input }) => input);
    const key = names.join(" ");
    let program = this.programs.get(key);
    if (program === undefined) {
      const kept = this.keeping ? new Set(names) : undefined;
      program = this.prepare(arrangementGraph(feeds), `${this.label} weights`, kept);
      this.programs.set(key, program);
    }
    const from = new Map(
      feeds.map((feed) => [`outside.${feed.parameter.name}`, outsideOf(weights, feed)]),
    );
    return (await program).run(from, into);
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }
}

/** Parameters in this process's arrays. What stands as it does outside is not copied. */
export class ParametersInArrays implements ArrangedParameters {
  private readonly arrangements: Arrangements;
  private readonly arrays = new Map<string, Float32Array>();
  private readonly arranged = new Set<string>();

  constructor(prepare: Prepare, label: string) {
    this.arrangements = new Arrangements(prepare, label, false);
  }

  forget(): void {
    this.arranged.clear();
  }

  async addTo(
    feeds: Map<string, Value>,
    weights: Float32Array,
    wanted: readonly ParameterFeed[],
  ): Promise<void> {
    const missing = wanted.filter(
      ({ input, layout }) => !standsAsOutside(layout) && !this.arranged.has(input),
    );
    if (missing.length > 0) {
      const into = new Map(missing.map((feed) => [feed.input, this.arrayOf(feed)]));
      await this.arrangements.run(weights, missing, into);
      for (const { input } of missing) this.arranged.add(input);
    }
    for (const feed of wanted) {
      feeds.set(
        feed.input,
        standsAsOutside(feed.layout) ? outsideOf(weights, feed) : this.arrayOf(feed),
      );
    }
  }

  dispose(): Promise<void> {
    return this.arrangements.dispose();
  }

  private arrayOf(feed: ParameterFeed): Float32Array {
    let array = this.arrays.get(feed.input);
    if (array === undefined) {
      array = new Float32Array(sizeInside(feed.parameter, feed.layout));
      this.arrays.set(feed.input, array);
    }
    return array;
  }
}

/** Parameters that cross to a device once, in whichever layout, and stay there. */
export class ParametersOnDevice implements ArrangedParameters {
  private readonly arrangements: Arrangements;
  private readonly kept = new Map<string, KeptValue>();

  constructor(prepare: Prepare, label: string) {
    this.arrangements = new Arrangements(prepare, label, true);
  }

  forget(): void {
    this.kept.clear();
  }

  async addTo(
    feeds: Map<string, Value>,
    weights: Float32Array,
    wanted: readonly ParameterFeed[],
  ): Promise<void> {
    const missing = wanted.filter(({ input }) => !this.kept.has(input));
    if (missing.length > 0) {
      const outputs = await this.arrangements.run(weights, missing);
      for (const { input } of missing) this.kept.set(input, keptOf(outputs, input));
    }
    for (const { input } of wanted) {
      const value = this.kept.get(input);
      if (value === undefined) throw new Error(`${input} is not on the device`);
      feeds.set(input, value);
    }
  }

  dispose(): Promise<void> {
    return this.arrangements.dispose();
  }
}

function outsideOf(weights: Float32Array, { parameter }: ParameterFeed): Float32Array {
  return weights.subarray(parameter.offset, parameter.offset + parameter.size);
}

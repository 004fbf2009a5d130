import { arrangementGraph, standsAsOutside } from "../graph/arrangement.ts";
import { sizeInside, type ParameterFeed } from "../graph/layout.ts";
import type { Prepare, Program } from "./program.ts";

/**
 * The parameters in the layouts that graphs want, arranged at most once for each set of weights
 * however many micro-batches and graphs need them.
 */
export class ArrangedParameters {
  private readonly prepare: Prepare;
  private readonly label: string;
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly arrays = new Map<string, Float32Array>();
  private readonly arranged = new Set<string>();

  constructor(prepare: Prepare, label: string) {
    this.prepare = prepare;
    this.label = label;
  }

  /** The weights may have changed: nothing is arranged any more. */
  forget(): void {
    this.arranged.clear();
  }

  /** Adds every feed of a graph to `feeds`. What stands as it does outside is not copied. */
  async addTo(
    feeds: Map<string, Float32Array>,
    weights: Float32Array,
    wanted: readonly ParameterFeed[],
  ): Promise<void> {
    const missing = wanted.filter(
      ({ input, layout }) => !standsAsOutside(layout) && !this.arranged.has(input),
    );
    if (missing.length > 0) await this.arrange(weights, missing);
    for (const feed of wanted) {
      feeds.set(
        feed.input,
        standsAsOutside(feed.layout) ? outsideOf(weights, feed) : this.arrayOf(feed),
      );
    }
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) await (await program).dispose();
    this.programs.clear();
  }

  private async arrange(weights: Float32Array, feeds: readonly ParameterFeed[]): Promise<void> {
    const key = feeds.map(({ input }) => input).join(" ");
    let program = this.programs.get(key);
    if (program === undefined) {
      program = this.prepare(arrangementGraph(feeds), `${this.label} weights`);
      this.programs.set(key, program);
    }
    const from = new Map(
      feeds.map((feed) => [`outside.${feed.parameter.name}`, outsideOf(weights, feed)]),
    );
    await (await program).run(from, new Map(feeds.map((feed) => [feed.input, this.arrayOf(feed)])));
    for (const { input } of feeds) this.arranged.add(input);
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

function outsideOf(weights: Float32Array, { parameter }: ParameterFeed): Float32Array {
  return weights.subarray(parameter.offset, parameter.offset + parameter.size);
}

import {
  additionGraph,
  partOf,
  restorationGraph,
  standsAsOutside,
  totalOf,
  wholeOf,
} from "../graph/arrangement.ts";
import { sizeOf } from "../graph/ir.ts";
import type { GradientResult } from "../graph/layout.ts";
import type { StepGraph } from "../graph/step.ts";
import {
  keptOf,
  resultOf,
  type KeptValue,
  type Prepare,
  type Program,
  type Value,
} from "./program.ts";

/**
 * Adds up the gradients of micro-batches in the graph's layout, and gives them in torch's. One
 * serves many batches.
 */
export interface GradientTotals {
  /** Begins a batch. */
  begin(): void;
  /**
   * The arrays that the gradients of a coming run are to land in, by output: where there are arrays,
   * the first run of a batch makes the sums themselves. None where they are to be added to those.
   */
  targets(step: StepGraph): ReadonlyMap<string, Float32Array>;
  /** Takes the outputs of one run; layouts are the same for every size of micro-batch. */
  add(step: StepGraph, outputs: ReadonlyMap<string, Value>): Promise<void>;
  /** Writes the sum into `flat`, in the order of the network's parameters; zero without a run. */
  writeInto(flat: Float32Array): Promise<void>;
  dispose(): Promise<void>;
}

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + (part[i] ?? 0);
}

/** Totals in this process's arrays, which are as large as the network and serve every batch. */
export class TotalsInArrays implements GradientTotals {
  private readonly prepare: Prepare;
  private readonly label: string;
  private readonly sums = new Map<string, Float32Array>();
  private program: Promise<Program> | null = null;
  private gradients: readonly GradientResult[] = [];
  private runs = 0;

  constructor(prepare: Prepare, label: string) {
    this.prepare = prepare;
    this.label = label;
  }

  begin(): void {
    this.runs = 0;
  }

  targets({ graph, gradients }: StepGraph): ReadonlyMap<string, Float32Array> {
    const targets = new Map<string, Float32Array>();
    if (this.runs > 0) return targets;
    for (const { output } of gradients) {
      const size = sizeOf(graph.outputs.get(output)?.shape ?? []);
      let sum = this.sums.get(output);
      if (sum?.length !== size) {
        sum = new Float32Array(size);
        this.sums.set(output, sum);
      }
      targets.set(output, sum);
    }
    return targets;
  }

  add(step: StepGraph, outputs: ReadonlyMap<string, Value>): Promise<void> {
    this.gradients = step.gradients;
    this.runs += 1;
    if (this.runs > 1)
      for (const output of outputsOf(this.gradients))
        addTo(resultOf(this.sums, output), resultOf(outputs, output));
    return Promise.resolve();
  }

  async writeInto(flat: Float32Array): Promise<void> {
    if (this.runs === 0 || !covers(this.gradients, flat)) flat.fill(0);
    if (this.runs === 0) return;
    const feeds = new Map<string, Float32Array>();
    const into = new Map<string, Float32Array>();
    const moved = this.gradients.filter(({ layout }) => !standsAsOutside(layout));
    for (const { output, first, parameter, layout } of this.gradients) {
      const place = flat.subarray(parameter.offset, parameter.offset + parameter.size);
      const values = resultOf(this.sums, output);
      if (standsAsOutside(layout)) {
        place.set(values.subarray(first, first + parameter.size));
        continue;
      }
      feeds.set(output, values);
      into.set(parameter.name, place);
    }
    if (moved.length === 0) return;
    this.program ??= this.prepare(restorationGraph(moved), `${this.label} gradients`);
    await (await this.program).run(feeds, into);
  }

  async dispose(): Promise<void> {
    await (await this.program)?.dispose();
    this.program = null;
  }
}

/** Totals that are kept and added on a device, and cross once, when they are asked for. */
export class TotalsOnDevice implements GradientTotals {
  private readonly prepare: Prepare;
  private readonly label: string;
  private addition: Promise<Program> | null = null;
  private restoration: Promise<Program> | null = null;
  private gradients: readonly GradientResult[] = [];
  /** Values of each output. */
  private sizes: ReadonlyMap<string, number> = new Map();
  private totals: ReadonlyMap<string, KeptValue> | null = null;

  constructor(prepare: Prepare, label: string) {
    this.prepare = prepare;
    this.label = label;
  }

  begin(): void {
    this.totals = null;
  }

  targets(): ReadonlyMap<string, Float32Array> {
    return new Map();
  }

  async add({ gradients, graph }: StepGraph, outputs: ReadonlyMap<string, Value>): Promise<void> {
    const names = [...outputsOf(gradients)];
    const parts = new Map(names.map((name) => [name, keptOf(outputs, name)]));
    if (this.totals === null) {
      this.gradients = gradients;
      this.sizes = new Map(
        names.map((name) => [name, sizeOf(graph.outputs.get(name)?.shape ?? [])]),
      );
      this.totals = parts;
      return;
    }
    this.addition ??= this.prepare(
      additionGraph(this.sizes),
      `${this.label} totals`,
      new Set(names),
    );
    const feeds = new Map<string, Value>();
    for (const [name, value] of this.totals) feeds.set(totalOf(name), value);
    for (const [name, value] of parts) feeds.set(partOf(name), value);
    const sums = await (await this.addition).run(feeds);
    this.totals = new Map(names.map((name) => [name, keptOf(sums, name)]));
    for (const value of feeds.values()) if (!(value instanceof Float32Array)) await value.free();
  }

  async writeInto(flat: Float32Array): Promise<void> {
    if (!covers(this.gradients, flat) || this.totals === null) flat.fill(0);
    if (this.totals === null) return;
    const placeOf = ({ parameter }: GradientResult): Float32Array =>
      flat.subarray(parameter.offset, parameter.offset + parameter.size);
    const moved = this.gradients.filter(({ layout }) => !standsAsOutside(layout));
    const unmoved = this.gradients.filter(({ layout }) => standsAsOutside(layout));
    const whole = outputsOf(unmoved);
    if (this.restoration === null) {
      const sizes = new Map([...this.sizes].filter(([name]) => whole.has(name)));
      this.restoration = this.prepare(restorationGraph(moved, sizes), `${this.label} gradients`);
    }
    const into = new Map(moved.map((result) => [result.parameter.name, placeOf(result)]));
    const outputs = await (await this.restoration).run(this.totals, into);
    for (const result of unmoved) {
      const { output, first, parameter } = result;
      const values = resultOf(outputs, wholeOf(output));
      placeOf(result).set(values.subarray(first, first + parameter.size));
    }
  }

  async dispose(): Promise<void> {
    await (await this.addition)?.dispose();
    await (await this.restoration)?.dispose();
    this.addition = null;
    this.restoration = null;
  }
}

function outputsOf(gradients: readonly GradientResult[]): ReadonlySet<string> {
  return new Set(gradients.map(({ output }) => output));
}

/** True where gradients fill every place of all parameters. */
function covers(gradients: readonly GradientResult[], flat: Float32Array): boolean {
  return gradients.reduce((sum, { parameter }) => sum + parameter.size, 0) === flat.length;
}

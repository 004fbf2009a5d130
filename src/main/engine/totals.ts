import { restorationGraph, standsAsOutside } from "../graph/arrangement.ts";
import type { GradientResult } from "../graph/layout.ts";
import type { StepGraph } from "../graph/step.ts";
import { resultOf, type Prepare, type Program } from "./program.ts";

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + (part[i] ?? 0);
}

/**
 * Adds up the gradients of micro-batches in the graph's layout, and gives them in torch's. One
 * serves many batches, since its arrays are as large as the network.
 */
export class GradientTotals {
  private readonly prepare: Prepare;
  private readonly label: string;
  private readonly sums = new Map<string, Float32Array>();
  private program: Promise<Program> | null = null;
  private gradients: readonly GradientResult[] = [];
  /** The outputs of the only run so far, which need no copy if no other follows. */
  private only: ReadonlyMap<string, Float32Array> | null = null;
  private runs = 0;

  constructor(prepare: Prepare, label: string) {
    this.prepare = prepare;
    this.label = label;
  }

  /** Begins a batch. */
  begin(): void {
    this.only = null;
    this.runs = 0;
  }

  /**
   * Keeps what a coming run would overwrite. To be called before any run of a program whose
   * outputs were added.
   */
  settle(): void {
    if (this.only === null) return;
    for (const output of this.outputs()) {
      const part = resultOf(this.only, output);
      const sum = this.sums.get(output);
      if (sum === undefined) this.sums.set(output, part.slice());
      else sum.set(part);
    }
    this.only = null;
  }

  /** Takes the outputs of one run; layouts are the same for every size of micro-batch. */
  add(step: StepGraph, outputs: ReadonlyMap<string, Float32Array>): void {
    this.gradients = step.gradients;
    this.runs += 1;
    if (this.runs === 1) {
      this.only = outputs;
      return;
    }
    this.settle();
    for (const output of this.outputs()) {
      const sum = this.sums.get(output);
      if (sum === undefined) throw new Error(`nothing to add ${output} to`);
      addTo(sum, resultOf(outputs, output));
    }
  }

  /** The sum, flat, in the order of the network's parameters; zero where nothing was added. */
  async flat(parameterCount: number): Promise<Float32Array> {
    const flat = new Float32Array(parameterCount);
    if (this.runs === 0) return flat;
    const from = this.only ?? this.sums;
    const feeds = new Map<string, Float32Array>();
    const into = new Map<string, Float32Array>();
    const moved = this.gradients.filter(({ layout }) => !standsAsOutside(layout));
    for (const { output, first, parameter, layout } of this.gradients) {
      const place = flat.subarray(parameter.offset, parameter.offset + parameter.size);
      const values = resultOf(from, output);
      if (standsAsOutside(layout)) {
        place.set(values.subarray(first, first + parameter.size));
        continue;
      }
      feeds.set(output, values);
      into.set(parameter.name, place);
    }
    if (moved.length > 0) {
      this.program ??= this.prepare(restorationGraph(moved), `${this.label} gradients`);
      await (await this.program).run(feeds, into);
    }
    return flat;
  }

  private outputs(): ReadonlySet<string> {
    return new Set(this.gradients.map(({ output }) => output));
  }

  async dispose(): Promise<void> {
    await (await this.program)?.dispose();
    this.program = null;
  }
}

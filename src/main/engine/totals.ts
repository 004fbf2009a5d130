import { restorationGraph, standsAsOutside } from "../graph/arrangement.ts";
import { sizeOf } from "../graph/ir.ts";
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
  private runs = 0;

  constructor(prepare: Prepare, label: string) {
    this.prepare = prepare;
    this.label = label;
  }

  /** Begins a batch. */
  begin(): void {
    this.runs = 0;
  }

  /**
   * The arrays that the gradients of a coming run are to land in, by output: the first run of a
   * batch makes the sums themselves. None where they are to be added to those.
   */
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

  /** Takes the outputs of one run; layouts are the same for every size of micro-batch. */
  add(step: StepGraph, outputs: ReadonlyMap<string, Float32Array>): void {
    this.gradients = step.gradients;
    this.runs += 1;
    if (this.runs === 1) return;
    for (const output of new Set(this.gradients.map((gradient) => gradient.output)))
      addTo(resultOf(this.sums, output), resultOf(outputs, output));
  }

  /** Writes the sum into `flat`, in the order of the network's parameters; zero without a run. */
  async writeInto(flat: Float32Array): Promise<void> {
    const covered = this.gradients.reduce((sum, { parameter }) => sum + parameter.size, 0);
    if (this.runs === 0 || covered < flat.length) flat.fill(0);
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

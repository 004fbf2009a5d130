import { operandsOf, type Graph, type Operation } from "../../graph/ir.ts";
import type { Program } from "../program.ts";
import { execute, fixedTensors, type TensorFlow, type TfTensor } from "./operations.ts";

interface Step {
  readonly operation: Operation;
  readonly fixed: readonly TfTensor[];
  /** Tensors that nothing needs after this operation. */
  readonly finished: readonly number[];
}

/** Finds for each operation the tensors that it is the last to use. */
function planSteps(tf: TensorFlow, graph: Graph): Step[] {
  const kept = new Set<number>([...graph.outputs.values()].map((tensor) => tensor.id));
  for (const operation of graph.operations)
    if (operation.kind === "constant") kept.add(operation.output.id);
  const steps: Step[] = [];
  for (const operation of graph.operations.toReversed()) {
    const finished: number[] = [];
    for (const { id } of operandsOf(operation)) {
      if (kept.has(id)) continue;
      kept.add(id);
      finished.push(id);
    }
    steps.push({ operation, fixed: fixedTensors(tf, operation), finished });
  }
  return steps.toReversed();
}

/** Executes a graph operation by operation, freeing each tensor after its last use. */
export function openProgram(tf: TensorFlow, graph: Graph, label: string): Program {
  const steps = planSteps(tf, graph);

  const run = async (
    feeds: ReadonlyMap<string, Float32Array>,
    into: ReadonlyMap<string, Float32Array> = new Map(),
  ): Promise<ReadonlyMap<string, Float32Array>> => {
    const alive = new Map<number, TfTensor>();
    const borrowed = new Set<number>();
    try {
      for (const { operation, fixed, finished } of steps) {
        const { output } = operation;
        if (operation.kind === "input") {
          const data = feeds.get(operation.name);
          if (data === undefined) throw new Error(`${label} needs ${operation.name}`);
          // A copy, since the library may read the array only later.
          alive.set(output.id, tf.tensor(data.slice(), [...output.shape], "float32"));
        } else if (operation.kind === "constant") {
          const [constant] = fixed;
          if (constant === undefined) throw new Error(`${label} lost a constant`);
          alive.set(output.id, constant);
          borrowed.add(output.id);
        } else {
          const operands = operandsOf(operation).map(({ id }) => {
            const tensor = alive.get(id);
            if (tensor === undefined) throw new Error(`${label}: tensor ${id} is gone`);
            return tensor;
          });
          alive.set(
            output.id,
            tf.tidy(() => execute(tf, operation, operands, fixed)),
          );
        }
        for (const id of finished) {
          alive.get(id)?.dispose();
          alive.delete(id);
        }
      }
      const results = new Map<string, Float32Array>();
      for (const [name, { id }] of graph.outputs) {
        const data = await alive.get(id)?.data();
        if (!(data instanceof Float32Array)) throw new Error(`${label} gave no ${name}`);
        const target = into.get(name);
        target?.set(data);
        results.set(name, target ?? data);
      }
      return results;
    } finally {
      for (const [id, tensor] of alive) if (!borrowed.has(id)) tensor.dispose();
    }
  };

  return {
    run,
    dispose: () => {
      for (const { fixed } of steps) for (const tensor of fixed) tensor.dispose();
      return Promise.resolve();
    },
  };
}

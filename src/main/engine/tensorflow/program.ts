import { operandsOf, type Graph, type Operation } from "../../graph/ir.ts";
import type { KeptValue, Program, Value } from "../program.ts";
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

/** A tensor that outlives the run that made it. */
class KeptTensor implements KeptValue {
  readonly tensor: TfTensor;

  constructor(tensor: TfTensor) {
    this.tensor = tensor;
  }

  free(): Promise<void> {
    this.tensor.dispose();
    return Promise.resolve();
  }
}

/**
 * Executes a graph operation by operation, freeing each tensor after its last use. Outputs in
 * `kept` stay with the backend.
 */
export function openProgram(
  tf: TensorFlow,
  graph: Graph,
  label: string,
  kept: ReadonlySet<string> = new Set(),
): Program {
  const steps = planSteps(tf, graph);

  const fedTensor = (value: Value | undefined, name: string, shape: number[]): TfTensor => {
    // A copy, since the library may read the array only later.
    if (value instanceof Float32Array) return tf.tensor(value.slice(), shape, "float32");
    // Another tensor over the same memory, which may go after its last use.
    if (value instanceof KeptTensor) return tf.reshape(value.tensor, shape);
    throw new Error(`${label} needs ${name}`);
  };

  const run = async (
    feeds: ReadonlyMap<string, Value>,
    into: ReadonlyMap<string, Float32Array> = new Map(),
  ): Promise<ReadonlyMap<string, Value>> => {
    const alive = new Map<number, TfTensor>();
    const borrowed = new Set<number>();
    try {
      for (const { operation, fixed, finished } of steps) {
        const { output } = operation;
        if (operation.kind === "input") {
          const { name } = operation;
          alive.set(output.id, fedTensor(feeds.get(name), name, [...output.shape]));
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
      const results = new Map<string, Value>();
      for (const [name, { id }] of graph.outputs) {
        if (kept.has(name)) continue;
        const data = await alive.get(id)?.data();
        if (!(data instanceof Float32Array)) throw new Error(`${label} gave no ${name}`);
        const target = into.get(name);
        target?.set(data);
        results.set(name, target ?? data);
      }
      // Last, so that nothing is kept by a run that fails.
      for (const [name, { id }] of graph.outputs) {
        const tensor = alive.get(id);
        if (kept.has(name) && tensor !== undefined)
          results.set(name, new KeptTensor(tf.clone(tensor)));
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

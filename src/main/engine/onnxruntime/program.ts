import * as ort from "onnxruntime-node";
import { sizeOf, type Graph } from "../../graph/ir.ts";
import { keepsMemory } from "../allocator.ts";
import type { Program } from "../program.ts";
import { lower, type LoweringOptions } from "./lower.ts";
import { writeModel } from "./model.ts";

/**
 * How long a thread that waits for work keeps its core busy: long enough for the gap between two
 * operators, too short to take the core from the very thread that it waits for when other programs
 * compute beside it.
 */
const spinMicroseconds = 30;

export interface SessionOptions extends LoweringOptions {
  readonly executionProviders: readonly string[];
  readonly threads: number;
}

/** A NaN that no arithmetic gives. */
const unlikelyBits = 0x7fe5ca1e;

function bitsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [left, right] = [bitsOf(a), bitsOf(b)];
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false;
  return true;
}

/**
 * Compiles a graph into an onnxruntime session. Outputs land in arrays that are allocated once:
 * a fresh array of millions of values for each run costs more in page faults than the product
 * that fills it.
 */
export async function openProgram(
  graph: Graph,
  label: string,
  options: SessionOptions,
): Promise<Program> {
  const model = lower(graph, label, options);
  const session = await ort.InferenceSession.create(writeModel(model), {
    executionProviders: [...options.executionProviders],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    // A pattern is kept beside the blocks of the run that it was learned from: 40 % more memory
    // at the same speed.
    enableMemPattern: false,
    enableCpuMemArena: !keepsMemory(),
    extra: {
      session: { intra_op: { allow_spinning: "1", spin_duration_us: String(spinMicroseconds) } },
    },
  });
  const shapes = new Map<string, readonly number[]>();
  for (const operation of graph.operations)
    if (operation.kind === "input") shapes.set(operation.name, operation.output.shape);

  for (const [name, { shape }] of graph.outputs) shapes.set(name, shape);

  const own = new Map<string, Float32Array>();
  const ownArray = (name: string, shape: readonly number[]): Float32Array => {
    let array = own.get(name);
    if (array === undefined) {
      array = new Float32Array(sizeOf(shape));
      own.set(name, array);
    }
    return array;
  };

  const tensors = new Map<string, ort.Tensor>();
  const tensorFor = (name: string, data: Float32Array): ort.Tensor => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new Error(`${label} has no ${name}`);
    const known = tensors.get(name);
    if (known !== undefined && known.data === data) return known;
    const tensor = new ort.Tensor("float32", data, shape);
    tensors.set(name, tensor);
    return tensor;
  };

  /** Whether the provider writes into the arrays that it is given; null before the first run. */
  let fills: boolean | null = null;

  return {
    run: async (feeds, into = new Map()) => {
      const results = new Map<string, Float32Array>();
      const fetches: Record<string, ort.Tensor> = {};
      for (const [name, { shape }] of graph.outputs) {
        const data = into.get(name) ?? ownArray(name, shape);
        results.set(name, data);
        fetches[name] = tensorFor(name, data);
      }
      const inputs: Record<string, ort.Tensor> = {};
      for (const name of session.inputNames) {
        const data = feeds.get(name);
        if (data === undefined) throw new Error(`${label} needs ${name}`);
        inputs[name] = tensorFor(name, data);
      }
      if (fills === null) for (const target of results.values()) bitsOf(target).fill(unlikelyBits);
      const outputs = await session.run(inputs, fetches);
      // What is returned is a copy at best, and of millions of values a second one takes its time.
      if (fills === true) return results;
      let filled = true;
      for (const [name, target] of results) {
        const data = outputs[name]?.data;
        if (!(data instanceof Float32Array) || sameBits(data, target)) continue;
        filled = false;
        target.set(data);
      }
      fills ??= filled;
      return results;
    },
    dispose: () => session.release(),
  };
}

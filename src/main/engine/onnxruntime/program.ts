import * as ort from "onnxruntime-node";
import { sizeOf, type Graph } from "../../graph/ir.ts";
import { keepsMemory } from "../allocator.ts";
import type { KeptValue, Program, Value } from "../program.ts";
import { channelBlock } from "./blocks.ts";
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

/** A tensor in a buffer of the device. Its memory belongs to the session that made it. */
class DeviceTensor implements KeptValue {
  private readonly tensor: ort.Tensor;
  private readonly freed: () => Promise<void>;
  private alive = true;

  constructor(tensor: ort.Tensor, freed: () => Promise<void>) {
    this.tensor = tensor;
    this.freed = freed;
  }

  /** The same values under another shape of as many. */
  shaped(shape: readonly number[]): ort.Tensor {
    if (!this.alive) throw new Error("a value of the device was freed before it was used");
    const options = { dataType: "float32", dims: shape } as const;
    return ort.Tensor.fromGpuBuffer(this.tensor.gpuBuffer, options);
  }

  async free(): Promise<void> {
    if (!this.alive) return;
    this.alive = false;
    this.tensor.dispose();
    await this.freed();
  }
}

/**
 * Compiles a graph into an onnxruntime session. Outputs land in arrays that are allocated once:
 * a fresh array of millions of values for each run costs more in page faults than the product
 * that fills it. Outputs in `kept` stay on the device, which only WebGPU's provider can do.
 */
export async function openProgram(
  graph: Graph,
  label: string,
  options: SessionOptions,
  kept: ReadonlySet<string> = new Set(),
): Promise<Program> {
  const block = options.fusedOperators ? await channelBlock() : null;
  const model = lower(graph, label, { ...options, channelBlock: block });
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
    ...(kept.size === 0 ? {} : { preferredOutputLocation: locations(graph, kept) }),
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

  const shapeOf = (name: string): readonly number[] => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new Error(`${label} has no ${name}`);
    return shape;
  };

  const tensors = new Map<string, ort.Tensor>();
  const tensorFor = (name: string, data: Float32Array): ort.Tensor => {
    const known = tensors.get(name);
    if (known !== undefined && known.data === data) return known;
    const tensor = new ort.Tensor("float32", data, shapeOf(name));
    tensors.set(name, tensor);
    return tensor;
  };

  /** Whether the provider writes into the arrays that it is given; null before the first run. */
  let fills: boolean | null = null;

  // A session that is released while a tensor of its lives takes the process down when that tensor
  // is freed.
  let alive = 0;
  let closing = false;
  const keep = (name: string, tensor: ort.Tensor | undefined): DeviceTensor => {
    if (tensor?.location !== "gpu-buffer") throw new Error(`${label} did not keep ${name}`);
    alive += 1;
    return new DeviceTensor(tensor, async () => {
      alive -= 1;
      if (closing && alive === 0) await session.release();
    });
  };

  const inputsFrom = (feeds: ReadonlyMap<string, Value>): Record<string, ort.Tensor> => {
    const inputs: Record<string, ort.Tensor> = {};
    for (const name of session.inputNames) {
      const value = feeds.get(name);
      if (value instanceof Float32Array) inputs[name] = tensorFor(name, value);
      else if (value instanceof DeviceTensor) inputs[name] = value.shaped(shapeOf(name));
      else throw new Error(`${label} needs ${name}`);
    }
    return inputs;
  };

  /** Through onnxruntime's binding of values to places, which takes no arrays for outputs. */
  const runKeeping = async (
    feeds: ReadonlyMap<string, Value>,
    into: ReadonlyMap<string, Float32Array>,
  ): Promise<ReadonlyMap<string, Value>> => {
    const outputs = await session.run(inputsFrom(feeds));
    const results = new Map<string, Value>();
    for (const name of kept) results.set(name, keep(name, outputs[name]));
    for (const [name, { shape }] of graph.outputs) {
      if (kept.has(name)) continue;
      const target = into.get(name) ?? ownArray(name, shape);
      const data = outputs[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`${label} gave no ${name}`);
      target.set(data);
      results.set(name, target);
    }
    return results;
  };

  return {
    run: async (feeds, into = new Map()) => {
      if (kept.size > 0) return runKeeping(feeds, into);
      const results = new Map<string, Float32Array>();
      const fetches: Record<string, ort.Tensor> = {};
      for (const [name, { shape }] of graph.outputs) {
        const data = into.get(name) ?? ownArray(name, shape);
        results.set(name, data);
        fetches[name] = tensorFor(name, data);
      }
      if (fills === null) for (const target of results.values()) bitsOf(target).fill(unlikelyBits);
      const outputs = await session.run(inputsFrom(feeds), fetches);
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
    dispose: async () => {
      closing = true;
      if (alive === 0) await session.release();
    },
  };
}

/** Where each output of a session is to land. */
function locations(
  graph: Graph,
  kept: ReadonlySet<string>,
): Record<string, ort.Tensor.DataLocation> {
  return Object.fromEntries(
    [...graph.outputs.keys()].map((name) => [name, kept.has(name) ? "gpu-buffer" : "cpu"]),
  );
}

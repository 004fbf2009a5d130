import { kernelModule } from "./kernel.wasm.ts";

/** What one step of Adam is computed with; see `adamStep` in optimiser.ts. */
export interface AdamNumbers {
  readonly beta1: number;
  readonly beta2: number;
  /** Of the gradient and of the first moment, the learning rate included. */
  readonly ofGradient: number;
  readonly ofMoment: number;
  /** The share of itself that a weight loses. */
  readonly decay: number;
  readonly inverseBias: number;
  readonly variance: number;
  readonly floor: number;
  readonly epsilon: number;
}

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  adam(
    gradient: number,
    first: number,
    second: number,
    weights: number,
    count: number,
    beta1: number,
    beta2: number,
    ofGradient: number,
    ofMoment: number,
    kept: number,
    inverseBias: number,
    variance: number,
    floor: number,
    epsilon: number,
  ): void;
  descent(
    gradient: number,
    first: number,
    weights: number,
    count: number,
    momentum: number,
    decay: number,
    learningRate: number,
  ): void;
  average(averages: number, weights: number, count: number, kept: number): void;
}

/** Values of each array that are worked on at once: five arrays of them fit into a core's cache. */
const blockLength = 16_384;
const pageBytes = 65_536;
const places = { gradient: 0, first: 1, second: 2, weights: 3, average: 4 } as const;

/** Which array of a step a block belongs to. */
export type Place = keyof typeof places;

export interface WeightsKernel {
  readonly exports: KernelExports;
  /** Where a block begins, in bytes. */
  readonly at: (place: Place) => number;
  /** The block itself, [blockLength]. */
  readonly blocks: Readonly<Record<Place, Float32Array>>;
}

let opened: WeightsKernel | null = null;

/**
 * The loops over all weights, in WebAssembly with 128-bit vectors (kernel.wat), with one block of
 * each array in a memory of its own.
 */
function weightsKernel(): WeightsKernel {
  if (opened !== null) return opened;
  const module = new WebAssembly.Module(Buffer.from(kernelModule, "base64"));
  const exports = new WebAssembly.Instance(module).exports as unknown as KernelExports;
  const { memory } = exports;
  const bytes = Object.keys(places).length * blockLength * 4;
  memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes));
  const at = (place: Place): number => places[place] * blockLength * 4;
  const block = (place: Place): Float32Array =>
    new Float32Array(memory.buffer, at(place), blockLength);
  opened = {
    exports,
    at,
    blocks: {
      gradient: block("gradient"),
      first: block("first"),
      second: block("second"),
      weights: block("weights"),
      average: block("average"),
    },
  };
  return opened;
}

/**
 * Does `work` to arrays of equal length, block by block: each block of `arrays` is brought into the
 * kernel's memory, worked on, and those of `changed` are taken out again. `work` is given a multiple
 * of four; what lies behind the end of the arrays may be anything.
 */
export function overBlocks(
  arrays: Partial<Record<Place, Float32Array>>,
  changed: readonly Place[],
  work: (kernel: WeightsKernel, count: number) => void,
): void {
  const kernel = weightsKernel();
  const given = Object.entries(arrays) as [Place, Float32Array][];
  const length = given[0]?.[1].length ?? 0;
  if (given.some(([, array]) => array.length !== length))
    throw new RangeError("arrays of different length cannot be walked over together");
  for (let from = 0; from < length; from += blockLength) {
    const to = Math.min(length, from + blockLength);
    for (const [place, array] of given) kernel.blocks[place].set(array.subarray(from, to));
    work(kernel, Math.ceil((to - from) / 4) * 4);
    for (const place of changed)
      arrays[place]?.set(kernel.blocks[place].subarray(0, to - from), from);
  }
}

/** Adam over the kernel's blocks of gradient, moments and weights. */
export function adamBlock(kernel: WeightsKernel, count: number, numbers: AdamNumbers): void {
  const { exports, at } = kernel;
  exports.adam(
    at("gradient"),
    at("first"),
    at("second"),
    at("weights"),
    count,
    numbers.beta1,
    numbers.beta2,
    numbers.ofGradient,
    numbers.ofMoment,
    numbers.decay,
    numbers.inverseBias,
    numbers.variance,
    numbers.floor,
    numbers.epsilon,
  );
}

/** Stochastic gradient descent over the blocks of gradient, first moment and weights. */
export function descentBlock(
  { exports, at }: WeightsKernel,
  count: number,
  numbers: {
    readonly momentum: number;
    readonly weightDecay: number;
    readonly learningRate: number;
  },
): void {
  const { momentum, weightDecay, learningRate } = numbers;
  exports.descent(
    at("gradient"),
    at("first"),
    at("weights"),
    count,
    momentum,
    weightDecay,
    learningRate,
  );
}

/** Moves the block of the average towards that of the weights. */
export function averageBlock({ exports, at }: WeightsKernel, count: number, kept: number): void {
  exports.average(at("average"), at("weights"), count, kept);
}

import { UserError } from "../../../shared/errors.ts";
import type { NoiseKind } from "../../../shared/plan.ts";
import { kernelModule } from "./kernel.wasm.ts";

/** What one step of Adam is computed with; see `optimiserStep` in optimiser.ts. */
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
  /** What is kept of the average. */
  readonly kept: number;
}

export interface DescentNumbers {
  readonly momentum: number;
  readonly weightDecay: number;
  readonly learningRate: number;
  readonly kept: number;
}

interface KernelExports {
  addNoise(gradient: number, noise: number, count: number, factor: number): number;
  addNoiseOnGrid(
    gradient: number,
    sum: number,
    noise: number,
    count: number,
    factor: number,
  ): number;
  scale(gradient: number, count: number, factor: number): number;
  adam(
    gradient: number,
    first: number,
    second: number,
    weights: number,
    averages: number,
    count: number,
    beta1: number,
    beta2: number,
    ofGradient: number,
    ofMoment: number,
    decay: number,
    inverseBias: number,
    variance: number,
    floor: number,
    epsilon: number,
    kept: number,
  ): void;
  descent(
    gradient: number,
    first: number,
    weights: number,
    averages: number,
    count: number,
    momentum: number,
    decay: number,
    learningRate: number,
    kept: number,
  ): void;
}

/**
 * The arrays that the steps of a run work on, [parameters] each, in one memory of the kernel's
 * (kernel.wat): nothing is copied into it or out of it, and nothing is allocated in a step. The
 * memory is shared, so that threads can write into it.
 */
export interface WeightsMemory {
  readonly parameterCount: number;
  readonly weights: Float32Array;
  /** The moving average of the weights. */
  readonly average: Float32Array;
  /** The Adams' first moment, SGD's momentum buffer. */
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** A step's sum of gradients, and then its gradient. */
  readonly gradient: Float32Array;
  /** A step's noise; null where none is added. */
  readonly noise: Float64Array | null;
  /** A step's sum of gradients in whole grid steps; null where it is not taken on the grid. */
  readonly sumOnGrid: Float64Array | null;
  readonly kernel: WeightsKernel;
}

/**
 * The loops over all weights, with 128-bit vectors. The first three give whether all values of the
 * gradient are finite.
 */
export interface WeightsKernel {
  /** gradient = (gradient + noise) factor, in float64, rounded once. */
  readonly addNoise: (factor: number) => boolean;
  /** gradient = (sumOnGrid + noise) factor, in float64, rounded once. */
  readonly addNoiseOnGrid: (factor: number) => boolean;
  /** gradient = gradient factor, in float64, rounded once. */
  readonly scale: (factor: number) => boolean;
  /** Moves moments, weights and average, in float32. */
  readonly adam: (numbers: AdamNumbers) => void;
  readonly descent: (numbers: DescentNumbers) => void;
}

const pageBytes = 65_536;
const mostPages = 65_536;
/** A vector's values: arrays are filled up to a multiple of it with zeros. */
const lanes = 4;
/** Values of one call: a loop is recompiled for speed between its first calls, not within one. */
const blockLength = 65_536;
/** Arrays begin with a cache line. */
const alignmentBytes = 64;

let compiled: WebAssembly.Module | null = null;

/** Where each array of a memory begins, in bytes. */
interface Places {
  readonly of: (bytesOfValue: number) => number;
  readonly end: () => number;
}

function placesFor(count: number): Places {
  let end = 0;
  return {
    of: (bytesOfValue) => {
      const at = end;
      const bytes = Math.ceil(count / lanes) * lanes * bytesOfValue;
      end = Math.ceil((at + bytes) / alignmentBytes) * alignmentBytes;
      return at;
    },
    end: () => end,
  };
}

/**
 * Makes room for the weights of one run, all zero.
 *
 * @param noise the kind that the run's steps add; null for a reference run
 * @throws UserError "resource" where a memory cannot be as large, from about 120 million parameters
 *   on, or the machine has none to give.
 */
export function openWeightsMemory(parameterCount: number, noise: NoiseKind | null): WeightsMemory {
  const places = placesFor(parameterCount);
  const [weights, average, first, second, gradient] = [4, 4, 4, 4, 4].map(places.of) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const noiseAt = noise === null ? null : places.of(8);
  const gridAt = noise === "discrete-gaussian" ? places.of(8) : null;
  const memory = memoryOf(places.end(), parameterCount);

  compiled ??= new WebAssembly.Module(Buffer.from(kernelModule, "base64"));
  const instance = new WebAssembly.Instance(compiled, { run: { memory } });
  const loops = instance.exports as unknown as KernelExports;
  const floats = (at: number): Float32Array => new Float32Array(memory.buffer, at, parameterCount);
  const doubles = (at: number | null): Float64Array | null =>
    at === null ? null : new Float64Array(memory.buffer, at, parameterCount);
  const count = Math.ceil(parameterCount / lanes) * lanes;
  /** Calls a loop for each block, with how many values lie before it. */
  const overBlocks = (loop: (before: number, count: number) => void): void => {
    for (let before = 0; before < count; before += blockLength)
      loop(before, Math.min(blockLength, count - before));
  };
  const allFinite = (loop: (before: number, count: number) => number): boolean => {
    let notFinite = 0;
    overBlocks((before, some) => (notFinite |= loop(before, some)));
    return notFinite === 0;
  };
  const there = (at: number | null): number => {
    if (at === null) throw new Error("this memory has no room for such noise");
    return at;
  };
  return {
    parameterCount,
    weights: floats(weights),
    average: floats(average),
    firstMoment: floats(first),
    secondMoment: floats(second),
    gradient: floats(gradient),
    noise: doubles(noiseAt),
    sumOnGrid: doubles(gridAt),
    kernel: {
      addNoise: (factor) =>
        allFinite((before, some) =>
          loops.addNoise(gradient + 4 * before, there(noiseAt) + 8 * before, some, factor),
        ),
      addNoiseOnGrid: (factor) =>
        allFinite((before, some) =>
          loops.addNoiseOnGrid(
            gradient + 4 * before,
            there(gridAt) + 8 * before,
            there(noiseAt) + 8 * before,
            some,
            factor,
          ),
        ),
      scale: (factor) =>
        allFinite((before, some) => loops.scale(gradient + 4 * before, some, factor)),
      adam: (numbers) => {
        overBlocks((before, some) => {
          loops.adam(
            gradient + 4 * before,
            first + 4 * before,
            second + 4 * before,
            weights + 4 * before,
            average + 4 * before,
            some,
            numbers.beta1,
            numbers.beta2,
            numbers.ofGradient,
            numbers.ofMoment,
            numbers.decay,
            numbers.inverseBias,
            numbers.variance,
            numbers.floor,
            numbers.epsilon,
            numbers.kept,
          );
        });
      },
      descent: ({ momentum, weightDecay, learningRate, kept }) => {
        overBlocks((before, some) => {
          loops.descent(
            gradient + 4 * before,
            first + 4 * before,
            weights + 4 * before,
            average + 4 * before,
            some,
            momentum,
            weightDecay,
            learningRate,
            kept,
          );
        });
      },
    },
  };
}

function memoryOf(bytes: number, parameterCount: number): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(bytes / pageBytes));
  const refuse = (reason: string): UserError =>
    new UserError(
      "resource",
      `Training a network of ${parameterCount} parameters takes ${Math.ceil(bytes / 2 ** 20)} MiB ` +
        `for its weights alone, and ${reason}. Choose a smaller network.`,
    );
  if (pages > mostPages) throw refuse("no more than 4096 are possible");
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    if (error instanceof RangeError) throw refuse("the machine has none left");
    throw error;
  }
}

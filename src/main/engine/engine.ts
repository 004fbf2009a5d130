import type { NetworkDescription } from "../network/description.ts";

/** What the settings screen and `engine list` say of an engine. */
export interface EngineDescription {
  /** Stable name, as used by `--engine`: "onnxruntime-cpu", "onnxruntime-webgpu", "tensorflow", ... */
  readonly name: string;
  /** The device that computes, in words: "AMD EPYC, 2 threads". Null where the engine is absent. */
  readonly device: string | null;
  /** The version of the library behind it. */
  readonly version: string | null;
  /** The version of the graphics driver, where it is known. */
  readonly driver?: string | null;
  /** Memory of the device in mebibytes; null or left out where it is not known. */
  readonly memoryMebibytes?: number | null;
  readonly available: boolean;
  /** Why it is absent and what would bring it; null where it is available. */
  readonly reason: string | null;
  /** What its loader said, as it said it; null or left out where it said nothing. */
  readonly detail?: string | null;
}

/**
 * How the gradient of one privacy unit is bounded before it is summed.
 *
 * - "flat": multiplied by min(1, C / norm) (Abadi et al. 2016, arXiv 1607.00133).
 * - "automatic": multiplied by C / (norm + 0.01) (Bu et al. 2022, arXiv 2206.07136, AUTO-S), so
 *   that the result never exceeds C either.
 */
export interface Clipping {
  readonly kind: "flat" | "automatic";
  /** C, the bound on the L2 norm of one unit's contribution. Positive and finite. */
  readonly norm: number;
}

/**
 * One or more privacy units with their views and labels, in the order of the caller.
 *
 * `images` is [units, views, 1, height, width] in [0, 1]; `labels` is [units, labels] with 0 or 1,
 * or NaN where a label is missing: a missing label adds nothing to loss or gradient.
 */
export interface UnitBatch {
  readonly units: number;
  readonly views: number;
  readonly images: Float32Array;
  readonly labels: Float32Array;
}

/** The result of a private step before noise: all that depends on patients. */
export interface ClippedSum {
  /** Sum of the clipped unit gradients, flat, in the order of the network's parameters. */
  readonly sum: Float32Array;
  /** L2 norm of each unit's gradient before clipping, [units]; NaN where it was not finite. */
  readonly norms: Float32Array;
  /** Loss of each unit: binary cross-entropy, weighted, mean over labels and views, [units]. */
  readonly losses: Float32Array;
  /** Units whose gradient was not finite and counted as zero. */
  readonly nonFinite: number;
}

/** The gradient of the mean loss of a batch, for the reference run. */
export interface OrdinaryGradient {
  /** Gradient of the mean over units of the unit losses, flat. */
  readonly gradient: Float32Array;
  readonly losses: Float32Array;
}

/** What went to a device and came back from it since a network was compiled. */
export interface DeviceTraffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * A network compiled for one resolution on one engine. Weights are fed with each call, flat, in
 * the order of the network's parameters, so the caller owns the only copy that matters.
 *
 * Calls must not overlap. A batch of any size is cut into micro-batches inside; the result does
 * not depend on the cut. Zero units are allowed and give a zero sum.
 */
export interface CompiledNetwork {
  readonly network: NetworkDescription;
  readonly parameterCount: number;
  /** Undefined or left out where arrays are computed on where they lie. */
  readonly traffic?: DeviceTraffic | undefined;
  /** Logits [images, labels] of images [images, 1, height, width]. */
  infer(weights: Float32Array, images: Float32Array, count: number): Promise<Float32Array>;
  /** The sum lands in `into` where that is given, else in an array of its own; so below. */
  clippedSum(
    weights: Float32Array,
    batch: UnitBatch,
    clipping: Clipping,
    into?: Float32Array,
  ): Promise<ClippedSum>;
  ordinaryGradient(
    weights: Float32Array,
    batch: UnitBatch,
    into?: Float32Array,
  ): Promise<OrdinaryGradient>;
  /** Releases sessions and device memory. */
  dispose(): Promise<void>;
}

export interface CompileOptions {
  readonly resolutionPixels: number;
  /** Units computed at once; null lets the engine choose from the memory at hand. */
  readonly microbatch: number | null;
  /** Threads inside an operator; null means all physical cores. */
  readonly threads: number | null;
  /** What the positives of each label weigh in the loss, [labels]; 1 each where null or left out. */
  readonly positiveWeights?: readonly number[] | null;
  /** Told in words of what was changed on the way, such as a smaller micro-batch. */
  readonly report?: (line: string) => void;
  /**
   * Called before each micro-batch. What it throws ends the calculation with that error; the
   * network can be used again.
   */
  readonly interrupt?: () => void;
}

export interface Engine {
  readonly description: EngineDescription;
  compile(network: NetworkDescription, options: CompileOptions): Promise<CompiledNetwork>;
}

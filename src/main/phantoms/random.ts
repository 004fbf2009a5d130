import { createHash } from "node:crypto";

/** A seeded stream of random numbers. Phantoms only: never for sampling or noise of a private run. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** An index drawn in proportion to the weights. */
  weighted(weights: readonly number[]): number;
  /** An unsigned 32-bit integer. */
  bits(): number;
}

/**
 * A stream that depends only on its name. Every concern (anatomy, position, noise of one image)
 * has its own name, so that changing one finding leaves everything else as it was.
 */
export function randomStream(...name: readonly (string | number)[]): RandomStream {
  const digest = createHash("sha256").update(name.join("/")).digest();
  let a = digest.readUInt32LE(0) | 0;
  let b = digest.readUInt32LE(4) | 0;
  let c = digest.readUInt32LE(8) | 0;
  let counter = digest.readUInt32LE(12) | 0;

  // sfc32 (Chris Doty-Humphrey, PractRand)
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  const uniform = (): number => bits() / 4294967296;
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

  return {
    bits,
    uniform,
    normal,
    between: (low, high) => low + (high - low) * uniform(),
    chance: (probability) => uniform() < probability,
    weighted: (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      let rest = uniform() * total;
      for (let index = 0; index < weights.length - 1; index++) {
        rest -= weights[index] ?? 0;
        if (rest < 0) return index;
      }
      return weights.length - 1;
    },
  };
}

/**
 * A unique identifier under the 2.25 root (DICOM PS3.5 B.2) made from a name: the decimal form of
 * a name-based 128-bit UUID, so that the same name always gives the same identifier.
 */
export function uidFromName(...name: readonly (string | number)[]): string {
  const bytes = createHash("sha256").update(name.join("/")).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80; // version 8: a hash of our own choice (RFC 9562)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${bytes.toString("hex")}`)}`;
}

const GAUSSIAN_TABLE_SIZE = 65536;
let gaussianTable: Float32Array | undefined;

/** Standard normal quantiles at 65,536 even probabilities: index it with 16 random bits. */
export function gaussianQuantiles(): Float32Array {
  if (gaussianTable) return gaussianTable;
  const table = new Float32Array(GAUSSIAN_TABLE_SIZE);
  for (let index = 0; index < GAUSSIAN_TABLE_SIZE / 2; index++) {
    const value = normalQuantile((index + 0.5) / GAUSSIAN_TABLE_SIZE);
    table[index] = value;
    table[GAUSSIAN_TABLE_SIZE - 1 - index] = -value;
  }
  gaussianTable = table;
  return table;
}

/** The standard normal quantile (Abramowitz and Stegun 26.2.23, absolute error below 4.5e-4). */
export function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability);
  const t = Math.sqrt(-2 * Math.log(probability));
  const numerator = 2.515517 + t * (0.802853 + t * 0.010328);
  const denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return numerator / denominator - t;
}

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Interval } from "../../shared/comparison.ts";
import { drawPatientCounts, seededGenerator } from "./random.ts";

/** Statistics of one run in one sample: written to `out`, NaN where undefined. */
export interface SampledStatistics {
  readonly size: number;
  readonly compute: (patientWeights: Uint16Array, out: Float64Array) => void;
}

export interface BootstrapOptions {
  readonly samples: number;
  readonly seed: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A statistic must be defined in this share of the samples to have an interval. */
const definedShareAtLeast = 0.95;

/** How long a stretch of samples may hold the process before others get their turn. */
const turnMilliseconds = 30;

/**
 * Patient-clustered bootstrap: each sample draws as many patients with replacement as there are,
 * with all their images. All runs see the same samples, so that differences between them are
 * paired. Yields between stretches of samples.
 *
 * @returns for each run a matrix of samples x size
 * @throws the signal's reason when aborted
 */
export async function clusteredBootstrap(
  patients: number,
  runs: readonly SampledStatistics[],
  options: BootstrapOptions,
): Promise<Float64Array[]> {
  const results = runs.map((run) => new Float64Array(options.samples * run.size));
  const next = seededGenerator(options.seed);
  const weights = new Uint16Array(patients);
  let turnEnds = performance.now() + turnMilliseconds;
  for (let sample = 0; sample < options.samples; sample += 1) {
    drawPatientCounts(next, weights);
    runs.forEach((run, index) => {
      const from = sample * run.size;
      const out = results[index]?.subarray(from, from + run.size);
      if (out) run.compute(weights, out);
    });
    if (performance.now() < turnEnds) continue;
    options.onProgress?.(sample + 1, options.samples);
    await nextTurn();
    options.signal?.throwIfAborted();
    turnEnds = performance.now() + turnMilliseconds;
  }
  options.onProgress?.(options.samples, options.samples);
  return results;
}

/**
 * Percentile interval (Efron and Tibshirani 1993, chapter 13) around an estimate. Null where the
 * estimate is undefined, or where the statistic was undefined in more than 5 % of the samples,
 * since too few patients then carry it for an interval to mean anything.
 */
export function percentileInterval(
  estimate: number,
  sampled: Float64Array,
  confidence: number,
): Interval | null {
  if (!Number.isFinite(estimate)) return null;
  const defined = sampled.filter((value) => Number.isFinite(value)).sort();
  if (defined.length === 0 || defined.length < definedShareAtLeast * sampled.length) return null;
  const tail = (1 - confidence) / 2;
  return { estimate, low: quantile(defined, tail), high: quantile(defined, 1 - tail) };
}

/** Linear interpolation between order statistics (Hyndman and Fan 1996, type 7). */
export function quantile(sorted: Float64Array, probability: number): number {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (position - below) * (high - low);
}

/** One statistic over all samples, out of the matrix that clusteredBootstrap returns. */
export function sampledColumn(matrix: Float64Array, size: number, index: number): Float64Array {
  return Float64Array.from(
    { length: matrix.length / size },
    (_, s) => matrix[s * size + index] ?? NaN,
  );
}

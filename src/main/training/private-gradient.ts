import type { TrainingPlan } from "../../shared/plan.ts";
import type { Clipping, CompiledNetwork, UnitBatch } from "../engine/engine.ts";
import { addOnGrid } from "../privacy/grid.ts";
import { noiseShape, unitOfNoise, type NoiseShape } from "../privacy/noise.ts";
import type { NoiseSource } from "./noise-source.ts";

/** What makes a step private, as the plan has it. */
export interface PrivateMechanism {
  readonly clipping: Clipping;
  readonly noise: NoiseShape;
  /** The fixed divisor of the noised sum. */
  readonly divisor: number;
  /** The standard deviation that the noise adds to each coordinate of the gradient. */
  readonly gradientDeviation: number;
}

/** The mechanism of a plan; null for a reference run. */
export function mechanismOf(plan: TrainingPlan): PrivateMechanism | null {
  const { privacy, recipe, divisor } = plan;
  if (privacy === null) return null;
  const { noiseMultiplier } = privacy;
  return {
    clipping: recipe.clipping,
    noise: noiseShape(recipe.noise, noiseMultiplier, recipe.clipping.norm),
    divisor,
    gradientDeviation: (noiseMultiplier * recipe.clipping.norm) / divisor,
  };
}

/**
 * What enters a step: the units with images, and those that are a whole contribution of length C on
 * one coordinate, the gradient canaries of an audited run (canaries.ts).
 */
export interface StepBatch extends UnitBatch {
  /** A coordinate for each of the latter; none where absent. */
  readonly gradientCanaries?: Uint32Array;
}

/** The gradient that may be released, and beside it what may not. */
export interface PrivateGradient {
  /** (clipped sum + noise) / divisor, [parameters]. */
  readonly gradient: Float32Array;
  /** As in ClippedSum. */
  readonly norms: Float32Array;
  readonly losses: Float32Array;
  readonly nonFinite: number;
  /** How long the finished sum waited for its noise. */
  readonly waitedForNoiseMilliseconds: number;
}

/**
 * The one place where noise meets a gradient: the sum of the clipped unit gradients, plus noise on
 * every coordinate, also where no unit was sampled, over the fixed divisor (Abadi et al. 2016,
 * arXiv 1607.00133, Algorithm 1). The noise is drawn while the engine works, so the caller has
 * journaled the step.
 */
export async function privateGradient(
  weights: Float32Array,
  batch: StepBatch,
  network: CompiledNetwork,
  mechanism: PrivateMechanism,
  source: NoiseSource,
): Promise<PrivateGradient> {
  const { clipping, noise: shape, divisor } = mechanism;
  const drawing = source.draw();
  // Where the engine fails first, its error is the one that counts.
  drawing.catch(() => undefined);
  const clipped =
    shape.kind === "gaussian"
      ? await network.clippedSum(weights, batch, clipping)
      : await clippedSumOnGrid(weights, batch, network, clipping);
  const summedAt = performance.now();
  const noise = await drawing;
  const waitedForNoiseMilliseconds = performance.now() - summedAt;

  const unit = unitOfNoise(shape);
  const { sum, norms, losses, nonFinite } = clipped;
  for (const coordinate of batch.gradientCanaries ?? []) {
    sum[coordinate] = (sum[coordinate] ?? 0) + clipping.norm / unit;
  }
  // The sum is this step's own: where it has the gradient's type it becomes the gradient, since a
  // fresh array of millions of values costs as much as this loop.
  const gradient = sum instanceof Float32Array ? sum : new Float32Array(sum.length);
  const factor = unit / divisor;
  for (let i = 0; i < gradient.length; i += 1) {
    // On the grid both are whole numbers below 2^53, and their sum is exact.
    gradient[i] = ((sum[i] ?? 0) + (noise[i] ?? NaN)) * factor;
  }
  return { gradient, norms, losses, nonFinite, waitedForNoiseMilliseconds };
}

interface SumOnGrid extends Omit<PrivateGradient, "gradient" | "waitedForNoiseMilliseconds"> {
  /** Whole numbers of grid steps. */
  readonly sum: Float64Array;
}

/**
 * The sum of the clipped unit gradients on the grid. Units are computed one at a time, so that
 * what one contributes depends on no other, not even through rounding.
 */
async function clippedSumOnGrid(
  weights: Float32Array,
  batch: UnitBatch,
  network: CompiledNetwork,
  clipping: Clipping,
): Promise<SumOnGrid> {
  const sum = new Float64Array(weights.length);
  const norms = new Float32Array(batch.units);
  const losses = new Float32Array(batch.units);
  let nonFinite = 0;
  for (let unit = 0; unit < batch.units; unit += 1) {
    const one = await network.clippedSum(weights, unitOf(batch, unit), clipping);
    norms[unit] = one.norms[0] ?? NaN;
    losses[unit] = one.losses[0] ?? NaN;
    if (one.nonFinite > 0 || !addOnGrid(sum, one.sum, clipping.norm)) nonFinite += 1;
  }
  return { sum, norms, losses, nonFinite };
}

/** One unit of a batch as a batch of its own. */
function unitOf(batch: UnitBatch, unit: number): UnitBatch {
  const part = (values: Float32Array): Float32Array => {
    const each = values.length / batch.units;
    return values.subarray(unit * each, (unit + 1) * each);
  };
  return { units: 1, views: batch.views, images: part(batch.images), labels: part(batch.labels) };
}

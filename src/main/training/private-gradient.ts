import type { TrainingPlan } from "../../shared/plan.ts";
import type { Clipping, CompiledNetwork, UnitBatch } from "../engine/engine.ts";
import { addOnGrid } from "../privacy/grid.ts";
import { noiseShape, unitOfNoise, type NoiseShape } from "../privacy/noise.ts";
import type { WeightsMemory } from "./kernel/kernel.ts";
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
  /**
   * (clipped sum + noise) / divisor, [parameters]: the memory's own array, which the next step
   * overwrites.
   */
  readonly gradient: Float32Array;
  /** Whether all its values are finite. */
  readonly finite: boolean;
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
 *
 * @param memory its weights are those of the step, and its gradient is where the result lands
 */
export async function privateGradient(
  memory: WeightsMemory,
  batch: StepBatch,
  network: CompiledNetwork,
  mechanism: PrivateMechanism,
  source: NoiseSource,
): Promise<PrivateGradient> {
  const { clipping, noise: shape, divisor } = mechanism;
  const onGrid = shape.kind === "discrete-gaussian";
  const sum = onGrid ? memory.sumOnGrid : memory.gradient;
  if (sum === null || memory.noise === null) throw new Error("there is no room for such noise");
  const drawing = source.draw();
  // Where the engine fails first, its error is the one that counts.
  drawing.catch(() => undefined);
  const clipped = onGrid
    ? await sumOnGrid(memory, batch, network, clipping)
    : await plainSum(memory, batch, network, clipping);
  const summedAt = performance.now();
  // Nothing but what this draw gave may be added: not what an earlier one left in the memory.
  putInto(memory.noise, await drawing);
  const waitedForNoiseMilliseconds = performance.now() - summedAt;

  const unit = unitOfNoise(shape);
  for (const coordinate of batch.gradientCanaries ?? []) {
    sum[coordinate] = (sum[coordinate] ?? 0) + clipping.norm / unit;
  }
  const factor = unit / divisor;
  const finite = onGrid
    ? // Both are whole numbers below 2^53, and their sum is exact.
      memory.kernel.addNoiseOnGrid(factor)
    : memory.kernel.addNoise(factor);
  return { ...clipped, gradient: memory.gradient, finite, waitedForNoiseMilliseconds };
}

/** Copies an array to where it is worked on, unless it was made there. */
export function putInto<T extends Float32Array | Float64Array>(place: T, values: T): void {
  if (values === place) return;
  if (values.length !== place.length)
    throw new Error(`${values.length} values for ${place.length} parameters`);
  place.set(values);
}

type SumOfUnits = Pick<PrivateGradient, "norms" | "losses" | "nonFinite">;

/** The sum of the clipped unit gradients, into the memory's gradient. */
async function plainSum(
  memory: WeightsMemory,
  batch: UnitBatch,
  network: CompiledNetwork,
  clipping: Clipping,
): Promise<SumOfUnits> {
  const { weights, gradient } = memory;
  const { sum, norms, losses, nonFinite } = await network.clippedSum(
    weights,
    batch,
    clipping,
    gradient,
  );
  putInto(gradient, sum);
  return { norms, losses, nonFinite };
}

/**
 * The sum of the clipped unit gradients in whole grid steps, into the memory's sum on the grid.
 * Units are computed one at a time, so that what one contributes depends on no other, not even
 * through rounding.
 */
async function sumOnGrid(
  memory: WeightsMemory,
  batch: UnitBatch,
  network: CompiledNetwork,
  clipping: Clipping,
): Promise<SumOfUnits> {
  const { weights, gradient, sumOnGrid: sum } = memory;
  if (sum === null) throw new Error("there is no room for a sum on the grid");
  sum.fill(0);
  const norms = new Float32Array(batch.units);
  const losses = new Float32Array(batch.units);
  let nonFinite = 0;
  for (let unit = 0; unit < batch.units; unit += 1) {
    const one = await network.clippedSum(weights, unitOf(batch, unit), clipping, gradient);
    norms[unit] = one.norms[0] ?? NaN;
    losses[unit] = one.losses[0] ?? NaN;
    if (one.nonFinite > 0 || !addOnGrid(sum, one.sum, clipping.norm)) nonFinite += 1;
  }
  return { norms, losses, nonFinite };
}

/** One unit of a batch as a batch of its own. */
function unitOf(batch: UnitBatch, unit: number): UnitBatch {
  const part = (values: Float32Array): Float32Array => {
    const each = values.length / batch.units;
    return values.subarray(unit * each, (unit + 1) * each);
  };
  return { units: 1, views: batch.views, images: part(batch.images), labels: part(batch.labels) };
}

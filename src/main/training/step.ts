import { UserError } from "../../shared/errors.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import type { CompiledNetwork, UnitBatch } from "../engine/engine.ts";
import { fillGaussian, type RandomStream } from "../privacy/random.ts";
import {
  createNadamState,
  learningRateAt,
  nadamStep,
  updateAverage,
  type NadamState,
} from "./optimiser.ts";

/** What training changes; everything that a checkpoint holds. */
export interface TrainingState {
  /** The number of the last step that changed the weights; 0 at the beginning. */
  step: number;
  readonly weights: Float32Array;
  /** The moving average of the weights: what is released. */
  readonly average: Float32Array;
  readonly optimiser: NadamState;
}

export function createTrainingState(initialWeights: Float32Array): TrainingState {
  return {
    step: 0,
    weights: initialWeights.slice(),
    average: initialWeights.slice(),
    optimiser: createNadamState(initialWeights.length),
  };
}

export interface StepOutcome {
  readonly units: number;
  /** Mean loss of the units; null for an empty batch. */
  readonly loss: number | null;
  /** Share of units whose gradient was longer than C; null in a reference run or empty batch. */
  readonly clippedShare: number | null;
  /** Units whose gradient was not finite and counted as zero. */
  readonly nonFinite: number;
}

export interface StepTools {
  readonly plan: TrainingPlan;
  readonly network: CompiledNetwork;
  /** Resolves once the step stands in the journal on disk; rejects where it may not be taken. */
  readonly journal: (step: number) => Promise<void>;
  /** The stream of the noise; unused in a reference run. */
  readonly noise: RandomStream;
  /** Called once the noise of a step has been drawn, before it is used. */
  readonly onNoiseDrawn?: (step: number) => void;
}

/** The floor of the corrected second moment; chosen on phantoms, see docs/privacy.md. */
export const noiseFloorShare = 0.1;

/**
 * One step of a run, in place. `step` is its number in the plan and the journal; after an
 * interruption it can lie further ahead than the state, since interrupted steps are spent.
 *
 * Private (DP-SGD, Abadi et al. 2016, arXiv 1607.00133, Algorithm 1): the sum of the clipped unit
 * gradients; the step is journaled; only then Gaussian noise of standard deviation sigma C is
 * drawn for every coordinate, also when no unit was sampled; the noised sum is divided by the
 * plan's fixed divisor. Reference: the sum of the unit gradients over the same divisor.
 */
export async function takeStep(
  state: TrainingState,
  step: number,
  batch: UnitBatch,
  tools: StepTools,
): Promise<StepOutcome> {
  const { plan, network } = tools;
  const { privacy, recipe, divisor } = plan;
  const gradient = new Float32Array(state.weights.length);
  let losses: Float32Array;
  let clippedShare: number | null = null;
  let nonFinite = 0;

  if (privacy === null) {
    const result = await network.ordinaryGradient(state.weights, batch);
    losses = result.losses;
    await tools.journal(step);
    if (batch.units > 0) scaleInto(gradient, result.gradient, batch.units / divisor);
  } else {
    const result = await network.clippedSum(state.weights, batch, recipe.clipping);
    losses = result.losses;
    nonFinite = result.nonFinite;
    if (batch.units > 0) {
      clippedShare =
        result.norms.filter((norm) => norm > recipe.clipping.norm).length / batch.units;
    }
    await tools.journal(step);
    fillGaussian(tools.noise, gradient, privacy.noiseMultiplier * recipe.clipping.norm);
    tools.onNoiseDrawn?.(step);
    for (let i = 0; i < gradient.length; i += 1) {
      gradient[i] = ((result.sum[i] ?? 0) + (gradient[i] ?? 0)) / divisor;
    }
  }
  refuseNonFinite(gradient);

  const noiseDeviation =
    privacy === null ? 0 : (privacy.noiseMultiplier * recipe.clipping.norm) / divisor;
  nadamStep(
    state.optimiser,
    state.weights,
    gradient,
    learningRateAt(recipe, step),
    privacy === null ? null : { variance: noiseDeviation ** 2, floorShare: noiseFloorShare },
  );
  updateAverage(state.average, state.weights, recipe.averagingDecay, step);
  state.step = step;
  return { units: batch.units, loss: meanOfFinite(losses), clippedShare, nonFinite };
}

function refuseNonFinite(gradient: Float32Array): void {
  let sum = 0;
  for (const value of gradient) sum += value;
  if (!Number.isFinite(sum)) {
    throw new UserError(
      "conflict",
      "Training diverged: the gradient is no longer finite. Use a lower learning rate.",
    );
  }
}

function scaleInto(target: Float32Array, source: Float32Array, factor: number): void {
  for (let i = 0; i < target.length; i += 1) target[i] = (source[i] ?? 0) * factor;
}

function meanOfFinite(values: Float32Array): number | null {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return null;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

import { UserError } from "../../shared/errors.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import type { CompiledNetwork } from "../engine/engine.ts";
import {
  createOptimiserState,
  learningRateAt,
  optimiserStep,
  type OptimiserState,
} from "./optimiser.ts";
import type { NoiseSource } from "./noise-source.ts";
import { mechanismOf, privateGradient, type StepBatch } from "./private-gradient.ts";

/** What training changes; everything that a checkpoint holds. */
export interface TrainingState {
  /** The number of the last step that changed the weights; 0 at the beginning. */
  step: number;
  readonly weights: Float32Array;
  /** The moving average of the weights: what is released. */
  readonly average: Float32Array;
  readonly optimiser: OptimiserState;
}

export function createTrainingState(initialWeights: Float32Array): TrainingState {
  return {
    step: 0,
    weights: initialWeights.slice(),
    average: initialWeights.slice(),
    optimiser: createOptimiserState(initialWeights.length),
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
  /** How long the finished sum waited for its noise; null in a reference run. */
  readonly waitedForNoiseMilliseconds: number | null;
}

export interface StepTools {
  readonly plan: TrainingPlan;
  readonly network: CompiledNetwork;
  /** Resolves once the step stands in the journal on disk; rejects where it may not be taken. */
  readonly journal: (step: number) => Promise<void>;
  /** Null in a reference run. */
  readonly noise: NoiseSource | null;
  /** Called when the noise of a step is about to be drawn. */
  readonly beforeNoise?: (step: number) => void;
  /** Called with the noised mean gradient of a step before the weights change. */
  readonly onNoisedGradient?: (gradient: Float32Array) => void;
}

/** The floor of the corrected second moment; chosen on phantoms, see docs/privacy.md. */
export const noiseFloorShare = 0.1;

/**
 * One step of a run, in place. `step` is its number in the plan and the journal; after an
 * interruption it can lie further ahead than the state, since interrupted steps are spent.
 *
 * The step is journaled first; only then is its noise drawn, while the engine works. Private: the
 * noised sum of the clipped unit gradients (private-gradient.ts). Reference: the sum of the unit
 * gradients over the same divisor.
 */
export async function takeStep(
  state: TrainingState,
  step: number,
  batch: StepBatch,
  tools: StepTools,
): Promise<StepOutcome> {
  const { plan, network, noise } = tools;
  const { recipe, divisor } = plan;
  const mechanism = mechanismOf(plan);
  let gradient: Float32Array;
  let outcome: StepOutcome;

  await tools.journal(step);
  if (mechanism === null) {
    const result = await network.ordinaryGradient(state.weights, batch);
    gradient = result.gradient;
    scale(gradient, batch.units / divisor);
    for (const coordinate of batch.gradientCanaries ?? []) {
      gradient[coordinate] = (gradient[coordinate] ?? 0) + recipe.clipping.norm / divisor;
    }
    outcome = {
      units: batch.units,
      loss: meanOfFinite(result.losses),
      clippedShare: null,
      nonFinite: 0,
      waitedForNoiseMilliseconds: null,
    };
  } else {
    if (noise === null) throw new Error("a private step has no source of noise");
    tools.beforeNoise?.(step);
    const result = await privateGradient(state.weights, batch, network, mechanism, noise);
    const { norms, losses, nonFinite, waitedForNoiseMilliseconds } = result;
    const clipped = norms.filter((norm) => norm > recipe.clipping.norm).length;
    gradient = result.gradient;
    outcome = {
      units: batch.units,
      loss: meanOfFinite(losses),
      clippedShare: batch.units > 0 ? clipped / batch.units : null,
      nonFinite,
      waitedForNoiseMilliseconds,
    };
  }
  refuseNonFinite(gradient);
  tools.onNoisedGradient?.(gradient);

  optimiserStep(
    state.optimiser,
    state.weights,
    gradient,
    recipe,
    learningRateAt(recipe, step, plan.steps),
    mechanism === null
      ? null
      : { variance: mechanism.gradientDeviation ** 2, floorShare: noiseFloorShare },
    { average: state.average, decay: recipe.averagingDecay, step },
  );
  state.step = step;
  return outcome;
}

function refuseNonFinite(gradient: Float32Array): void {
  // Four sums, since each addition to one waits for the last; and by index, since an iterator takes
  // ten times as long and more over millions of values.
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < gradient.length; i += 4) {
    a += gradient[i] ?? 0;
    b += gradient[i + 1] ?? 0;
    c += gradient[i + 2] ?? 0;
    d += gradient[i + 3] ?? 0;
  }
  if (!Number.isFinite(a + b + c + d)) {
    throw new UserError(
      "conflict",
      "Training diverged: the gradient is no longer finite. Use a lower learning rate.",
    );
  }
}

function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) * factor;
}

function meanOfFinite(values: Float32Array): number | null {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return null;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

import { UserError } from "../../shared/errors.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import type { CompiledNetwork } from "../engine/engine.ts";
import type { WeightsMemory } from "./kernel/kernel.ts";
import {
  createOptimiserState,
  learningRateAt,
  optimiserStep,
  type OptimiserState,
} from "./optimiser.ts";
import type { NoiseSource } from "./noise-source.ts";
import { mechanismOf, privateGradient, putInto, type StepBatch } from "./private-gradient.ts";

/** What training changes; everything that a checkpoint holds. */
export interface TrainingState {
  /** The number of the last step that changed the weights; 0 at the beginning. */
  step: number;
  /** Weights, their average, which is what is released, and the optimiser's moments. */
  readonly memory: WeightsMemory;
  readonly optimiser: OptimiserState;
}

/** The state before the first step, in a memory as it was opened. */
export function createTrainingState(
  memory: WeightsMemory,
  initialWeights: Float32Array,
): TrainingState {
  if (initialWeights.length !== memory.parameterCount)
    throw new Error(`${initialWeights.length} weights for ${memory.parameterCount} parameters`);
  memory.weights.set(initialWeights);
  memory.average.set(initialWeights);
  return { step: 0, memory, optimiser: createOptimiserState() };
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
  /**
   * Called with the noised mean gradient of a step before the weights change; the next step
   * overwrites it.
   */
  readonly onNoisedGradient?: (gradient: Float32Array) => void;
  /** Resolves once weights, average and moments may be changed. */
  readonly beforeChange?: () => Promise<void>;
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
  const { memory } = state;
  const mechanism = mechanismOf(plan);
  let finite: boolean;
  let outcome: StepOutcome;

  await tools.journal(step);
  if (mechanism === null) {
    const result = await ordinaryGradient(memory, batch, network, divisor);
    finite = result.finite;
    for (const coordinate of batch.gradientCanaries ?? []) {
      memory.gradient[coordinate] =
        (memory.gradient[coordinate] ?? 0) + recipe.clipping.norm / divisor;
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
    const result = await privateGradient(memory, batch, network, mechanism, noise);
    const { norms, losses, nonFinite, waitedForNoiseMilliseconds } = result;
    const clipped = norms.filter((norm) => norm > recipe.clipping.norm).length;
    finite = result.finite;
    outcome = {
      units: batch.units,
      loss: meanOfFinite(losses),
      clippedShare: batch.units > 0 ? clipped / batch.units : null,
      nonFinite,
      waitedForNoiseMilliseconds,
    };
  }
  if (!finite) {
    throw new UserError(
      "conflict",
      "Training diverged: the gradient is no longer finite. Use a lower learning rate.",
    );
  }
  tools.onNoisedGradient?.(memory.gradient);
  await tools.beforeChange?.();

  optimiserStep(
    memory,
    state.optimiser,
    recipe,
    learningRateAt(recipe, step, plan.steps),
    mechanism === null
      ? null
      : { variance: mechanism.gradientDeviation ** 2, floorShare: noiseFloorShare },
    { decay: recipe.averagingDecay, step },
  );
  state.step = step;
  return outcome;
}

/** The sum of the unit gradients over the divisor, into the memory's gradient. */
async function ordinaryGradient(
  memory: WeightsMemory,
  batch: StepBatch,
  network: CompiledNetwork,
  divisor: number,
): Promise<{ readonly losses: Float32Array; readonly finite: boolean }> {
  const { gradient, losses } = await network.ordinaryGradient(
    memory.weights,
    batch,
    memory.gradient,
  );
  putInto(memory.gradient, gradient);
  return { losses, finite: memory.kernel.scale(batch.units / divisor) };
}

function meanOfFinite(values: Float32Array): number | null {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return null;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

import type { OptimiserKind } from "../../shared/plan.ts";
import {
  adamBlock,
  averageBlock,
  descentBlock,
  overBlocks,
  type Place,
  type WeightsKernel,
} from "./kernel/kernel.ts";

/**
 * The optimisers and the moving average, all in one pass over typed arrays in place, without an
 * allocation; the arithmetic itself is in kernel/kernel.wat. In a private run the Adams correct
 * their second moment by what the noise adds to it.
 */

/** torch's defaults for both Adams; NAdam's momentum decay with them. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;
const momentumDecay = 4e-3;

/** What an optimiser remembers between steps; one form for all, so that checkpoints have one. */
export interface OptimiserState {
  /** The Adams' first moment, SGD's momentum buffer. */
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Product of NAdam's momenta so far. */
  momentumProduct: number;
  steps: number;
}

export function createOptimiserState(parameterCount: number): OptimiserState {
  return {
    firstMoment: new Float32Array(parameterCount),
    secondMoment: new Float32Array(parameterCount),
    momentumProduct: 1,
    steps: 0,
  };
}

/** What is known of the noise in each coordinate of the gradient. */
export interface NoiseCorrection {
  /** (sigma C / divisor)^2: the variance that the noise adds to each coordinate. */
  readonly variance: number;
  /**
   * The corrected second moment is not let below this share of the noise's variance: what lies
   * beneath is the noise's own scatter, and dividing by it would only enlarge the noise.
   */
  readonly floorShare: number;
}

/** What a recipe says of its optimiser. */
export interface OptimiserChoice {
  readonly optimiser: OptimiserKind;
  /** SGD's momentum; the Adams have their own. */
  readonly momentum: number;
  readonly weightDecay: number;
}

/** The moving average of the weights, where a step is to move it too. */
export interface Averaging {
  readonly average: Float32Array;
  readonly decay: number;
  /** The number of the step, from 1. */
  readonly step: number;
}

/**
 * One step in place.
 *
 * - "nadam": Dozat 2016, with torch's schedule of the momentum (torch.optim.NAdam).
 * - "adamw": Loshchilov and Hutter 2019 (arXiv 1711.05101), as torch.optim.AdamW.
 * - "sgd": with momentum, as torch.optim.SGD; its weight decay is added to the gradient.
 *
 * The Adams' weight decay is decoupled: weights shrink by learning rate times decay.
 *
 * With a correction the Adams' second moment is max(v - variance, floor), as in DP-AdamBC (Tang et
 * al. 2023, arXiv 2312.14334, Algorithm 1): otherwise the noise's variance dominates the
 * denominator and Adam turns into momentum with a rate set by the noise.
 *
 * @param weights and `gradient` [parameterCount]; the gradient is only read
 * @param averaging what is moved towards the new weights in the same pass (see `updateAverage`)
 */
export function optimiserStep(
  state: OptimiserState,
  weights: Float32Array,
  gradient: Float32Array,
  choice: OptimiserChoice,
  learningRate: number,
  correction: NoiseCorrection | null,
  averaging: Averaging | null = null,
): void {
  state.steps += 1;
  const update =
    choice.optimiser === "sgd"
      ? descent(choice, learningRate)
      : adam(state, choice, learningRate, correction);
  const kept = averaging === null ? null : keptOfAverage(averaging.decay, averaging.step);
  const { firstMoment: first, secondMoment: second } = state;
  const moments: Partial<Record<"first" | "second", Float32Array>> =
    choice.optimiser === "sgd" ? { first } : { first, second };
  const average = averaging === null ? {} : { average: averaging.average };
  const changed = { weights, ...moments, ...average };
  overBlocks({ gradient, ...changed }, Object.keys(changed) as Place[], (kernel, count) => {
    update(kernel, count);
    if (kept !== null) averageBlock(kernel, count, kept);
  });
}

type BlockUpdate = (kernel: WeightsKernel, count: number) => void;

function adam(
  state: OptimiserState,
  { optimiser, weightDecay }: OptimiserChoice,
  learningRate: number,
  correction: NoiseCorrection | null,
): BlockUpdate {
  const { ofGradient, ofMoment } = optimiser === "nadam" ? nadamRates(state) : adamRates(state);
  const numbers = {
    beta1,
    beta2,
    epsilon,
    ofGradient: learningRate * ofGradient,
    ofMoment: learningRate * ofMoment,
    decay: learningRate * weightDecay,
    inverseBias: 1 / (1 - beta2 ** state.steps),
    variance: correction?.variance ?? 0,
    floor: correction === null ? 0 : correction.floorShare * correction.variance,
  };
  return (kernel, count) => {
    adamBlock(kernel, count, numbers);
  };
}

function descent({ momentum, weightDecay }: OptimiserChoice, learningRate: number): BlockUpdate {
  return (kernel, count) => {
    descentBlock(kernel, count, { momentum, weightDecay, learningRate });
  };
}

/** How much of the gradient and of the first moment enters a step, before the learning rate. */
interface AdamRates {
  readonly ofGradient: number;
  readonly ofMoment: number;
}

function nadamRates(state: OptimiserState): AdamRates {
  const t = state.steps;
  const momentum = beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  const next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentumDecay));
  state.momentumProduct *= momentum;
  return {
    ofGradient: (1 - momentum) / (1 - state.momentumProduct),
    ofMoment: next / (1 - state.momentumProduct * next),
  };
}

function adamRates(state: OptimiserState): AdamRates {
  return { ofGradient: 0, ofMoment: 1 / (1 - beta1 ** state.steps) };
}

/**
 * The learning rate of step 1, 2, ... of `steps`: linear warm-up, then constant (De et al. 2022),
 * or half a cosine down towards zero (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5,
 * without restarts): the first step after the warm-up has the full rate.
 */
export function learningRateAt(
  recipe: {
    readonly learningRate: number;
    readonly warmupSteps: number;
    readonly schedule: "constant" | "cosine";
  },
  step: number,
  steps: number,
): number {
  const { learningRate, warmupSteps, schedule } = recipe;
  if (step < warmupSteps) return (learningRate * step) / warmupSteps;
  if (schedule === "constant") return learningRate;
  // The last step of the warm-up has the full rate already.
  const begin = Math.max(1, warmupSteps);
  const done = Math.min(1, (step - begin) / Math.max(1, steps - begin + 1));
  return 0.5 * learningRate * (1 + Math.cos(Math.PI * done));
}

/**
 * What is kept of the average in step t (from 1): min(decay, (1 + t) / (10 + t)). It starts low, so
 * that the initial weights are soon forgotten (De et al. 2022, arXiv 2204.13650, Appendix C.1; the
 * schedule is TensorFlow's). Decay 0 copies the weights.
 */
function keptOfAverage(decay: number, step: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/** Moves the average towards the weights after a step, in place. */
export function updateAverage(
  average: Float32Array,
  weights: Float32Array,
  decay: number,
  step: number,
): void {
  const kept = keptOfAverage(decay, step);
  overBlocks({ average, weights }, ["average"], (kernel, count) => {
    averageBlock(kernel, count, kept);
  });
}

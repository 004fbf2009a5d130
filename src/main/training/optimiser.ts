import type { OptimiserKind } from "../../shared/plan.ts";
import type { WeightsMemory } from "./kernel/kernel.ts";

/**
 * The optimisers and the moving average, all in one pass over the run's memory, without an
 * allocation or a copy; the arithmetic itself is in kernel/kernel.wat. In a private run the Adams
 * correct their second moment by what the noise adds to it.
 */

/** torch's defaults for both Adams; NAdam's momentum decay with them. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;
const momentumDecay = 4e-3;

/** What an optimiser remembers between steps beside the moments in the run's memory. */
export interface OptimiserState {
  /** Product of NAdam's momenta so far. */
  momentumProduct: number;
  steps: number;
}

export function createOptimiserState(): OptimiserState {
  return { momentumProduct: 1, steps: 0 };
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

/** How the average of the weights moves. */
export interface Averaging {
  readonly decay: number;
  /** The number of the step, from 1. */
  readonly step: number;
}

/**
 * One step by the gradient in the memory: moves its weights, their average and its moments.
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
 */
export function optimiserStep(
  { kernel }: WeightsMemory,
  state: OptimiserState,
  choice: OptimiserChoice,
  learningRate: number,
  correction: NoiseCorrection | null,
  averaging: Averaging,
): void {
  state.steps += 1;
  const kept = keptOfAverage(averaging);
  const { optimiser, momentum, weightDecay } = choice;
  if (optimiser === "sgd") {
    kernel.descent({ momentum, weightDecay, learningRate, kept });
    return;
  }
  const { ofGradient, ofMoment } = optimiser === "nadam" ? nadamRates(state) : adamRates(state);
  kernel.adam({
    beta1,
    beta2,
    epsilon,
    ofGradient: learningRate * ofGradient,
    ofMoment: learningRate * ofMoment,
    decay: learningRate * weightDecay,
    inverseBias: 1 / (1 - beta2 ** state.steps),
    variance: correction?.variance ?? 0,
    floor: correction === null ? 0 : correction.floorShare * correction.variance,
    kept,
  });
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
function keptOfAverage({ decay, step }: Averaging): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

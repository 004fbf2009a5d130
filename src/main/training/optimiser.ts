import type { OptimiserKind } from "../../shared/plan.ts";

/**
 * The optimisers, each one pass over typed arrays in place, without an allocation. In a private
 * run the Adams correct their second moment by what the noise adds to it.
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
 */
export function optimiserStep(
  state: OptimiserState,
  weights: Float32Array,
  gradient: Float32Array,
  choice: OptimiserChoice,
  learningRate: number,
  correction: NoiseCorrection | null,
): void {
  state.steps += 1;
  if (choice.optimiser === "sgd") {
    sgdStep(state, weights, gradient, choice, learningRate);
    return;
  }
  const rates = choice.optimiser === "nadam" ? nadamRates(state) : adamRates(state);
  adamStep(state, weights, gradient, {
    ...rates,
    learningRate,
    kept: 1 - learningRate * choice.weightDecay,
    inverseBias: 1 / (1 - beta2 ** state.steps),
    variance: correction?.variance ?? 0,
    floor: correction === null ? 0 : correction.floorShare * correction.variance,
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

function adamStep(
  state: OptimiserState,
  weights: Float32Array,
  gradient: Float32Array,
  numbers: AdamRates & {
    readonly learningRate: number;
    readonly kept: number;
    readonly inverseBias: number;
    readonly variance: number;
    readonly floor: number;
  },
): void {
  const { firstMoment, secondMoment } = state;
  const { kept, inverseBias, variance, floor } = numbers;
  const ofGradient = numbers.learningRate * numbers.ofGradient;
  const ofMoment = numbers.learningRate * numbers.ofMoment;
  for (let i = 0; i < weights.length; i += 1) {
    const g = gradient[i] ?? 0;
    const first = beta1 * (firstMoment[i] ?? 0) + (1 - beta1) * g;
    const second = beta2 * (secondMoment[i] ?? 0) + (1 - beta2) * g * g;
    firstMoment[i] = first;
    secondMoment[i] = second;
    const corrected = second * inverseBias - variance;
    const denominator = Math.sqrt(corrected > floor ? corrected : floor) + epsilon;
    weights[i] = kept * (weights[i] ?? 0) - (ofGradient * g + ofMoment * first) / denominator;
  }
}

function sgdStep(
  state: OptimiserState,
  weights: Float32Array,
  gradient: Float32Array,
  { momentum, weightDecay }: OptimiserChoice,
  learningRate: number,
): void {
  const { firstMoment: buffer } = state;
  for (let i = 0; i < weights.length; i += 1) {
    const weight = weights[i] ?? 0;
    const moved = momentum * (buffer[i] ?? 0) + (gradient[i] ?? 0) + weightDecay * weight;
    buffer[i] = moved;
    weights[i] = weight - learningRate * moved;
  }
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
 * Moves the average towards the weights after step t (from 1), in place. The decay starts low, as
 * min(decay, (1 + t) / (10 + t)), so that the initial weights are soon forgotten (De et al. 2022,
 * arXiv 2204.13650, Appendix C.1; the schedule is TensorFlow's). Decay 0 copies the weights.
 */
export function updateAverage(
  average: Float32Array,
  weights: Float32Array,
  decay: number,
  step: number,
): void {
  const kept = Math.min(decay, (1 + step) / (10 + step));
  for (let i = 0; i < average.length; i += 1) {
    average[i] = kept * (average[i] ?? 0) + (1 - kept) * (weights[i] ?? 0);
  }
}

/**
 * NAdam (Dozat 2016, "Incorporating Nesterov momentum into Adam") with torch's schedule of the
 * momentum (torch.optim.NAdam: beta1 0.9, beta2 0.999, eps 1e-8, momentum_decay 4e-3) and, for a
 * private run, the second moment corrected by the noise.
 */

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;
const momentumDecay = 4e-3;

/** What NAdam remembers between steps. */
export interface NadamState {
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Product of the momenta so far. */
  momentumProduct: number;
  steps: number;
}

export function createNadamState(parameterCount: number): NadamState {
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

/**
 * One step in place. With a correction the second moment is max(v - variance, floor), as in
 * DP-AdamBC (Tang et al. 2023, arXiv 2312.14334, Algorithm 1): otherwise the noise's variance
 * dominates the denominator and Adam turns into momentum with a rate set by the noise.
 *
 * @param weights and `gradient` [parameterCount]
 */
export function nadamStep(
  state: NadamState,
  weights: Float32Array,
  gradient: Float32Array,
  learningRate: number,
  correction: NoiseCorrection | null,
): void {
  state.steps += 1;
  const t = state.steps;
  const momentum = beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  const nextMomentum = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentumDecay));
  state.momentumProduct *= momentum;
  const gradientRate = (learningRate * (1 - momentum)) / (1 - state.momentumProduct);
  const momentRate = (learningRate * nextMomentum) / (1 - state.momentumProduct * nextMomentum);
  const secondBias = 1 - beta2 ** t;
  const variance = correction?.variance ?? 0;
  const floor = correction === null ? 0 : correction.floorShare * variance;
  const { firstMoment, secondMoment } = state;
  for (let i = 0; i < weights.length; i += 1) {
    const g = gradient[i] ?? 0;
    const first = beta1 * (firstMoment[i] ?? 0) + (1 - beta1) * g;
    const second = beta2 * (secondMoment[i] ?? 0) + (1 - beta2) * g * g;
    firstMoment[i] = first;
    secondMoment[i] = second;
    const denominator = Math.sqrt(Math.max(second / secondBias - variance, floor)) + epsilon;
    weights[i] = (weights[i] ?? 0) - (gradientRate * g + momentRate * first) / denominator;
  }
}

/** The learning rate of a step (from 1): linear warm-up, then constant (De et al. 2022). */
export function learningRateAt(
  recipe: { readonly learningRate: number; readonly warmupSteps: number },
  step: number,
): number {
  if (step >= recipe.warmupSteps) return recipe.learningRate;
  return (recipe.learningRate * step) / recipe.warmupSteps;
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

import { logSumOfExponentials } from "../numeric.ts";

/**
 * One step of a mechanism as its dominating pair sees it: P is the mixture over sensitivities j of
 * N(j, sigma^2) with `weights[j]`, Q is N(0, sigma^2). For the Poisson-subsampled Gaussian the
 * weights are (1 - q, q) (Zhu, Dong, Wang 2022, arXiv 2106.08567, Section 5); for k images of one
 * patient under image-level sampling they are binomial(k, q) on 0 ... k (mixture of Gaussians:
 * Choquette-Choo et al. 2024, arXiv 2310.15526). "Remove" is the direction P against Q, "add" is
 * Q against P.
 */
export interface GaussianMixture {
  /** The probability of each sensitivity 0 ... k; sums to 1 less `dropped`. */
  readonly weights: Float64Array;
  /** Weight of the largest sensitivities left out as negligible; it counts as a total loss. */
  readonly dropped: number;
  /** sigma, positive and finite. */
  readonly noiseMultiplier: number;
  readonly steps: number;
}

/**
 * The mixture for a unit with `contributions` clipped contributions, each sampled on its own with
 * probability q. Sensitivities whose joint probability stays below `negligible` are dropped.
 */
export function mixtureOf(
  samplingRate: number,
  noiseMultiplier: number,
  steps: number,
  contributions: number,
  negligible: number,
): GaussianMixture {
  const weights = new Float64Array(contributions + 1);
  if (samplingRate === 1) {
    weights[contributions] = 1;
    return { weights, dropped: 0, noiseMultiplier, steps };
  }
  let logWeight = contributions * Math.log1p(-samplingRate);
  const logOdds = Math.log(samplingRate) - Math.log1p(-samplingRate);
  for (let j = 0; j <= contributions; j += 1) {
    weights[j] = Math.exp(logWeight);
    logWeight += logOdds + Math.log((contributions - j) / (j + 1));
  }
  let dropped = 0;
  let kept = contributions;
  while (kept > 1 && dropped + (weights[kept] ?? 0) <= negligible) {
    dropped += weights[kept] ?? 0;
    kept -= 1;
  }
  return { weights: weights.slice(0, kept + 1), dropped, noiseMultiplier, steps };
}

/** The largest sensitivity that the mixture keeps. */
export function largestSensitivity(mixture: GaussianMixture): number {
  return mixture.weights.length - 1;
}

/** Privacy loss log(P/Q) at outcome z; strictly increasing in z. */
export function lossAt(mixture: GaussianMixture, z: number): number {
  const { weights, noiseMultiplier } = mixture;
  const terms = Array.from(
    weights,
    (weight, j) => Math.log(weight) + (j * (2 * z - j)) / (2 * noiseMultiplier * noiseMultiplier),
  );
  return logSumOfExponentials(terms);
}

/**
 * The outcome z at which the privacy loss is `loss`; -Infinity at or below the smallest loss,
 * log(weights[0]).
 *
 * With two components it is explicit. Otherwise each component alone gives an upper bound on z,
 * and from the smallest of them Newton's method on a convex function converges from the right.
 */
export function outcomeAt(mixture: GaussianMixture, loss: number): number {
  const { weights, noiseMultiplier } = mixture;
  const variance = noiseMultiplier * noiseMultiplier;
  const logExcess = logExcessLoss(mixture, loss);
  if (logExcess === -Infinity) return -Infinity;
  let z = Infinity;
  for (let j = 1; j < weights.length; j += 1) {
    const weight = weights[j] ?? 0;
    if (weight > 0) z = Math.min(z, ((logExcess - Math.log(weight)) * variance) / j + j / 2);
  }
  if (weights.length === 2) return z;
  for (let iteration = 0; iteration < 50; iteration += 1) {
    let sum = 0;
    let slope = 0;
    for (let j = 1; j < weights.length; j += 1) {
      const term = (weights[j] ?? 0) * Math.exp((j * (2 * z - j)) / (2 * variance) - logExcess);
      sum += term;
      slope += term * j;
    }
    const move = (Math.log(sum) * sum * variance) / slope;
    z -= move;
    if (Math.abs(move) <= 1e-14 * (Math.abs(z) + noiseMultiplier)) break;
  }
  return z;
}

/** log(exp(loss) - weights[0]) without cancellation; -Infinity where it would be negative. */
function logExcessLoss({ weights }: GaussianMixture, loss: number): number {
  const rest = weights[0] ?? 0;
  if (rest === 0) return loss;
  if (loss > 30) return loss + Math.log1p(-rest * Math.exp(-loss));
  let taken = 0;
  for (let j = 1; j < weights.length; j += 1) taken += weights[j] ?? 0;
  return Math.log(Math.max(0, Math.expm1(loss) + taken));
}

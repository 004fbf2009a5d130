import { UserError } from "../../shared/errors.ts";
import {
  checkDelta,
  checkEpsilon,
  checkImagesPerPatient,
  isSilent,
  type SubsampledGaussian,
} from "./mechanism.ts";
import { deltaByPld, epsilonByPld } from "./pld/pld.ts";
import { deltaByRdp, epsilonByRdp } from "./rdp.ts";

/** Which proof an epsilon rests on. "best" is the smaller of the two: both are upper bounds. */
export type Accountant = "rdp" | "pld" | "best";

/** An upper bound on epsilon, with both accountants' figures beside it. */
export interface EpsilonBound {
  readonly epsilon: number;
  /** The accountant whose figure `epsilon` is. */
  readonly accountant: "rdp" | "pld";
  /** Epsilon by Renyi divergences; null where it was not asked for or cannot know the answer. */
  readonly rdp: number | null;
  /** Epsilon by the privacy loss distribution; null where it was not asked for. */
  readonly pld: number | null;
}

/**
 * Epsilon at delta of everything in `mechanisms` together, in any order.
 *
 * @param mechanisms what was run on the same units; may be empty (epsilon 0)
 * @param delta strictly between 0 and 1
 * @param imagesPerPatient for image-level sampling: the epsilon of a patient with this many
 *   images, each sampled and clipped on its own, in those mechanisms that do not say themselves
 *   how many. Known to the PLD accountant only.
 * @throws UserError of kind "input" for a value outside its range
 */
export function epsilonOf(
  mechanisms: readonly SubsampledGaussian[],
  delta: number,
  accountant: Accountant = "best",
  imagesPerPatient = 1,
): EpsilonBound {
  checkDelta(delta);
  const { byRdp, byPld } = choose(mechanisms, accountant, imagesPerPatient);
  const rdp = byRdp ? epsilonByRdp(mechanisms, delta) : null;
  const pld = byPld ? epsilonByPld(mechanisms, delta, imagesPerPatient) : null;
  const { value, accountant: by } = smaller(rdp, pld);
  return { epsilon: value, accountant: by, rdp, pld };
}

/** An upper bound on delta, with both accountants' figures beside it. */
export interface DeltaBound {
  readonly delta: number;
  /** The accountant whose figure `delta` is. */
  readonly accountant: "rdp" | "pld";
  readonly rdp: number | null;
  readonly pld: number | null;
}

/** Delta at epsilon of everything in `mechanisms` together; otherwise as `epsilonOf`. */
export function deltaOf(
  mechanisms: readonly SubsampledGaussian[],
  epsilon: number,
  accountant: Accountant = "best",
  imagesPerPatient = 1,
): DeltaBound {
  checkEpsilon(epsilon);
  const { byRdp, byPld } = choose(mechanisms, accountant, imagesPerPatient);
  const rdp = byRdp ? deltaByRdp(mechanisms, epsilon) : null;
  const pld = byPld ? deltaByPld(mechanisms, epsilon, imagesPerPatient) : null;
  const { value, accountant: by } = smaller(rdp, pld);
  return { delta: value, accountant: by, rdp, pld };
}

function choose(
  mechanisms: readonly SubsampledGaussian[],
  accountant: Accountant,
  imagesPerPatient: number,
): { byRdp: boolean; byPld: boolean } {
  checkImagesPerPatient(imagesPerPatient);
  const most = mechanisms
    .filter((mechanism) => !isSilent(mechanism))
    .reduce((images, one) => Math.max(images, one.imagesPerPatient ?? imagesPerPatient), 1);
  if (accountant === "rdp" && most > 1) {
    throw new UserError(
      "input",
      `The RDP accountant knows one image per patient only; use "pld" or "best" for ${most}.`,
    );
  }
  return { byRdp: accountant !== "pld" && most === 1, byPld: accountant !== "rdp" };
}

function smaller(
  rdp: number | null,
  pld: number | null,
): { value: number; accountant: "rdp" | "pld" } {
  return pld !== null && (rdp === null || pld <= rdp)
    ? { value: pld, accountant: "pld" }
    : { value: rdp ?? Infinity, accountant: "rdp" };
}

import { noiseMultiplierFor, stepsFor } from "../privacy/calibrate.ts";
import { epsilonFigure } from "../privacy/figures.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { patientMechanisms, type Spending } from "./spending.ts";

/**
 * The cap of a cohort's ledger: what all its private runs together may spend on the patient with
 * the most images, at the ledger's delta. Runs that wait or are under way count with all the steps
 * of their plans, so that two of them cannot both take what is left.
 */
export interface Budget {
  /** Null where the cohort has none. */
  readonly cap: number | null;
  /** What the other runs have spent or may still spend. */
  readonly committed: readonly SubsampledGaussian[];
}

/** Epsilon for the patient with the most images if `run` takes all the steps it has. */
export function epsilonWithRun(budget: Budget, run: Spending, delta: number): number {
  const mechanisms = [...budget.committed, ...patientMechanisms(run)];
  return epsilonFigure({ mechanisms, delta });
}

/**
 * The largest epsilon that a run of this plan could be given and still keep within the cap: a
 * figure of the plan's own unit, rounded down to three digits, so that whoever types it in passes.
 *
 * @returns null where nothing fits
 */
export function largestEpsilonThatFits(budget: Budget, run: Spending): number | null {
  const { cap, committed } = budget;
  const { privacy, samplingRate, steps } = run.plan;
  if (cap === null || privacy === null) return null;
  const { delta } = privacy;
  if (epsilonFigure({ mechanisms: committed, delta }) >= cap) return null;
  const [mechanism] = patientMechanisms({ ...run, stepsSpent: steps });
  if (mechanism === undefined) return null;
  let noiseMultiplier: number;
  try {
    const target = { ...mechanism, epsilon: cap, delta, alreadySpent: committed };
    ({ noiseMultiplier } = noiseMultiplierFor(target));
  } catch {
    // No noise is enough: what is left is less than the accountants can tell from nothing.
    return null;
  }
  const { epsilon } = epsilonOf([{ samplingRate, noiseMultiplier, steps }], delta);
  const rounded = roundDown(epsilon);
  return rounded > 0 ? rounded : null;
}

/** Down to three significant digits. */
function roundDown(value: number): number {
  const scale = 10 ** (2 - Math.floor(Math.log10(value)));
  return Number((Math.floor(value * scale * (1 + 1e-12)) / scale).toPrecision(3));
}

/** How many steps of its plan a run may take under the cap; all of them where there is none. */
export function stepsThatFit(budget: Budget, run: Spending): number {
  const { cap, committed } = budget;
  const { privacy, steps } = run.plan;
  if (cap === null || privacy === null) return steps;
  const { delta } = privacy;
  const whole = { ...run, stepsSpent: steps };
  if (epsilonWithRun(budget, whole, delta) <= cap) return steps;
  const [mechanism] = patientMechanisms(whole);
  if (mechanism === undefined) return steps;
  return stepsFor({ ...mechanism, epsilon: cap, delta, alreadySpent: committed, atMost: steps });
}

import { noiseMultiplierFor, stepsFor } from "../privacy/calibrate.ts";
import { epsilonFigure } from "../privacy/figures.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { withEpsilon } from "./recipe.ts";
import {
  classCountsOf,
  ofPatient,
  patientMechanisms,
  plannedSpending,
  unitMechanisms,
  type Spending,
} from "./spending.ts";

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
  const { privacy, steps } = run.plan;
  if (cap === null || privacy === null) return null;
  const { delta } = privacy;
  if (epsilonFigure({ mechanisms: committed, delta }) >= cap) return null;
  const whole = { ...run, stepsSpent: steps, classCountsSpent: true };
  const mechanism = stepsOf(whole);
  if (mechanism === null) return null;
  let noiseMultiplier: number;
  try {
    const target = { ...ofPatient(mechanism, whole), epsilon: cap, delta, alreadySpent: committed };
    ({ noiseMultiplier } = noiseMultiplierFor(target));
  } catch {
    // No noise is enough: what is left is less than the accountants can tell from nothing.
    return null;
  }
  const { epsilon } = epsilonOf([{ ...mechanism, noiseMultiplier }], delta);
  return privacy.classCounts === undefined
    ? positive(roundDown(epsilon))
    : largestWithClassCounts(budget, run, epsilon);
}

/**
 * The class counts' own noise moves with the epsilon that is asked for, so the largest one is found
 * by trying: from what the steps alone may have, by a hundredth less each time, until the plan fits.
 */
function largestWithClassCounts(budget: Budget, run: Spending, most: number): number | null {
  for (let epsilon = most; epsilon > 0.01 * most; epsilon *= 0.99) {
    const rounded = positive(roundDown(epsilon));
    if (rounded === null) return null;
    const plan = withEpsilon(run.plan, rounded);
    const delta = plan.privacy?.delta ?? 0;
    if (epsilonWithRun(budget, plannedSpending(plan, run), delta) <= (budget.cap ?? Infinity)) {
      return rounded;
    }
  }
  return null;
}

/** The steps of a run as one of its units meets them; null where it has none. */
function stepsOf(run: Spending): SubsampledGaussian | null {
  return unitMechanisms({ ...run, classCountsSpent: false })[0] ?? null;
}

function positive(value: number): number | null {
  return value > 0 ? value : null;
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
  // The class counts are drawn before the first step, or not at all.
  const whole = { ...run, stepsSpent: steps, classCountsSpent: true };
  if (epsilonWithRun(budget, whole, delta) <= cap) return steps;
  const mechanism = stepsOf(whole);
  if (mechanism === null) return steps;
  const counts = classCountsOf(whole).map((one) => ofPatient(one, whole));
  return stepsFor({
    ...ofPatient(mechanism, whole),
    epsilon: cap,
    delta,
    alreadySpent: [...committed, ...counts],
    atMost: steps,
  });
}

import { privacyChecklist, type ChecklistFacts } from "../../shared/checklist.ts";
import type { PrivacyQuote } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import { meaningOf } from "../privacy/meaning.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { epsilonFigure } from "../privacy/figures.ts";
import { epsilonWithRun, largestEpsilonThatFits, type Budget } from "./budget.ts";
import { makePlan, type PlanChoices } from "./recipe.ts";
import { patientFigures, plannedSpending, unitMechanisms, type Spending } from "./spending.ts";

/** All that the figures of a quote are computed from: plain data, so that it crosses to a worker. */
export interface QuoteQuestion {
  readonly choices: PlanChoices & { readonly epsilon: number };
  readonly mostImagesOfAPatient: number;
  readonly medianImagesOfAPatient: number;
  readonly patients: ChecklistFacts["patients"];
  /** Private runs that have spent anything so far. */
  readonly earlierRuns: number;
  /** What the runs of the ledger have spent on the patient with the most images. */
  readonly before: readonly SubsampledGaussian[];
  readonly budget: Budget;
}

/**
 * The figures of a chosen epsilon: the noise and the steps, what the cohort's ledger holds before
 * and after, and what an attacker could at best conclude from this run.
 *
 * @throws UserError as `makePlan`
 */
export function figuresOfQuote(question: QuoteQuestion): PrivacyQuote {
  const plan = makePlan(question.choices);
  const { privacy, samplingRate, steps, units, recipe } = plan;
  if (privacy === null) throw new UserError("input", "A reference run has no privacy to quote.");
  const { noiseMultiplier, delta, epsilon } = privacy;
  const run = plannedSpending(plan, question);
  const bound = epsilonOf(unitMechanisms(run), delta);
  const patient = patientFigures(run);
  const meaning = meaningOf(epsilon, delta, recipe.unit);
  return {
    targetEpsilon: question.choices.epsilon,
    epsilon,
    delta,
    noiseMultiplier,
    samplingRate,
    steps,
    units,
    // Asked for with both accountants, so never null.
    rdp: bound.rdp ?? epsilon,
    pld: bound.pld,
    accountant: privacy.accountant,
    patient,
    ...budgetFigures(question, run, delta),
    worstCasePosterior: meaning.posteriorFromEven,
    sentence: meaning.sentence,
    tradeOff: meaning.tradeOff,
    patientSentence:
      patient === null ? null : meaningOf(patient.epsilon, delta, "patient").sentence,
    checklist: privacyChecklist({
      plan,
      epsilon,
      patient,
      patients: question.patients,
      earlierRuns: question.earlierRuns,
      withReference: true,
    }),
  };
}

function budgetFigures(
  { budget, before }: QuoteQuestion,
  run: Spending,
  delta: number,
): Pick<PrivacyQuote, "spentBefore" | "spentAfter" | "cap" | "overCap"> {
  // What waits or is under way counts as if it went through, as it does when the run is started.
  const spentAfter = epsilonWithRun(budget, run, delta);
  const over = budget.cap !== null && spentAfter > budget.cap;
  return {
    spentBefore: epsilonFigure({ mechanisms: before, delta }),
    spentAfter,
    cap: budget.cap,
    overCap: over ? { largestEpsilon: largestEpsilonThatFits(budget, run) } : null,
  };
}

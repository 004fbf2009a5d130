import type { PrivacyQuote } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import { meaningOf } from "../privacy/meaning.ts";
import type { Database } from "../store/database.ts";
import { planRun, trainingUnits, type RunChoices } from "./planning.ts";
import { planWarnings } from "./recipe.ts";
import { spendingRuns } from "./run-summaries.ts";
import { composedEpsilon } from "./spending.ts";

/**
 * What the slider shows at once for a chosen epsilon: the noise and the steps, what the cohort's
 * ledger holds before and after, and what an attacker could at best conclude from this run.
 *
 * @throws UserError with what is wrong and what to do, as `planRun`.
 */
export function quotePrivacy(
  database: Database,
  choices: RunChoices & { readonly epsilon: number },
): PrivacyQuote {
  const plan = planRun(database, choices);
  const { privacy, samplingRate, steps, units, recipe } = plan;
  if (privacy === null) throw new UserError("input", "A reference run has no privacy to quote.");
  const { noiseMultiplier, delta, epsilon } = privacy;
  const bound = epsilonOf([{ samplingRate, noiseMultiplier, steps }], delta);
  const before = spendingRuns(database, choices.cohortId);
  const planned = {
    plan,
    stepsSpent: steps,
    mostImagesOfAPatient: trainingUnits(database, choices.cohortId).mostImagesOfAPatient,
  };
  const meaning = meaningOf(epsilon, delta, recipe.unit);
  return {
    targetEpsilon: choices.epsilon,
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
    spentBefore: composedEpsilon(before, delta),
    spentAfter: composedEpsilon([...before, planned], delta),
    worstCasePosterior: meaning.posteriorFromEven,
    sentence: meaning.sentence,
    tradeOff: meaning.tradeOff,
    warnings: planWarnings(plan),
  };
}

import type { PrivacyQuote } from "../../shared/domain.ts";
import type { Database } from "../store/database.ts";
import { currentSplit } from "../store/splits.ts";
import { countPatientsByPart } from "../store/training-images.ts";
import { askAccountant } from "./account-service.ts";
import { budgetOf } from "./cap.ts";
import { planChoices, trainingUnits, type RunChoices } from "./planning.ts";
import type { QuoteQuestion } from "./quote-figures.ts";
import { spendingRuns } from "./spending-runs.ts";
import { patientMechanisms } from "./spending.ts";

/**
 * What the slider shows for a chosen epsilon. The store is read here, the accountants work in a
 * thread of their own, so that nothing else waits for them.
 *
 * @throws UserError with what is wrong and what to do, as `planChoices` and `makePlan`.
 */
export async function quotePrivacy(
  database: Database,
  choices: RunChoices & { readonly epsilon: number },
): Promise<PrivacyQuote> {
  return askAccountant({ kind: "quote", question: quoteQuestion(database, choices) });
}

/** What a quote is computed from. */
export function quoteQuestion(
  database: Database,
  choices: RunChoices & { readonly epsilon: number },
): QuoteQuestion {
  const { epsilon } = choices;
  const { cohortId } = choices;
  const units = trainingUnits(database, cohortId);
  const before = spendingRuns(database, cohortId);
  const split = currentSplit(database, cohortId);
  return {
    choices: { ...planChoices(database, choices), epsilon },
    mostImagesOfAPatient: units.mostImagesOfAPatient,
    medianImagesOfAPatient: units.medianImagesOfAPatient,
    patients: {
      ...(split === null ? { validation: 0, test: 0 } : countPatientsByPart(database, split.id)),
      trained: units.patients,
    },
    earlierRuns: before.filter((run) => run.stepsSpent > 0).length,
    before: before.flatMap((run) => patientMechanisms(run)),
    budget: budgetOf(database, cohortId),
  };
}

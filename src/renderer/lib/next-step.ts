import type { CohortOverview, CohortSummary } from "../../shared/domain.ts";

export type Step = "add-films" | "import-labels" | "make-split" | "train";

/** What a cohort needs next on the way from films to a trained pair of networks. */
export function nextStep(
  cohort: Pick<CohortSummary, "images" | "labelled">,
  overview: Pick<CohortOverview, "split"> | null,
): Step {
  if (cohort.images === 0) return "add-films";
  if (cohort.labelled === 0) return "import-labels";
  if (overview === null || overview.split === null) return "make-split";
  return "train";
}

import { schemeOf } from "../../shared/plan.ts";
import { findingsOf, keysOf } from "../../shared/findings.ts";
import { formatDelta, formatEpsilon } from "../../shared/format.ts";
import type { RunRecord } from "../store/runs.ts";
import { exactEpsilon } from "./spending.ts";

/** The words that go with weights that nothing protects. */
export const nonPrivateWarning = "non-private: must stay inside";

/**
 * What an exported file says of itself, as text pairs: the same for weights and models. It names
 * the run and its plan, no patient, no file and no place.
 */
export function releaseFacts(run: RunRecord): Record<string, string> {
  const { plan } = run;
  const { recipe, privacy } = plan;
  const summary = {
    unit: recipe.unit,
    units: plan.units,
    samplingRate: plan.samplingRate,
    steps: run.stepsJournaled,
    stepsPlanned: plan.steps,
    expectedBatch: recipe.expectedBatch,
    learningRate: recipe.learningRate,
    clipping: privacy === null ? null : recipe.clipping,
    noiseMultiplier: privacy?.noiseMultiplier ?? null,
    classCountsNoiseMultiplier: privacy?.classCounts?.noiseMultiplier ?? null,
    averagingDecay: recipe.averagingDecay,
    startedFromFile: recipe.initialWeights !== null,
  };
  return {
    producer: "Silhouette",
    run: run.id,
    kind: run.kind,
    network: recipe.network,
    resolutionPixels: String(recipe.resolutionPixels),
    pixelPipeline: plan.pixelPipeline,
    labels: JSON.stringify(keysOf(schemeOf(plan))),
    labelTitles: JSON.stringify(findingsOf(schemeOf(plan)).map(({ title }) => title)),
    positiveAtGrade: String(plan.positiveAtGrade),
    plan: JSON.stringify(summary),
    ...privacyFacts(run),
  };
}

function privacyFacts(run: RunRecord): Record<string, string> {
  const { privacy, recipe } = run.plan;
  if (privacy === null) return { privacy: nonPrivateWarning };
  const epsilon = exactEpsilon(run.plan, run.stepsJournaled) ?? privacy.epsilon;
  return {
    privacy:
      `(${formatEpsilon(epsilon)}, ${formatDelta(privacy.delta)})-differentially private for one ` +
      `${recipe.unit}, add or remove`,
    // Never rounded down.
    epsilon: String(epsilon),
    delta: String(privacy.delta),
    ...(recipe.initialWeights === null
      ? {}
      : {
          privacyCondition: "holds only if the starting weights were public or private themselves",
        }),
  };
}

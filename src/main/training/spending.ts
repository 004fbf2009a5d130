import type { TrainingPlan } from "../../shared/plan.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { epsilonFromRdp, rdpOfOneStep } from "../privacy/rdp.ts";

const oneStepDivergences = new Map<string, Float64Array>();
const exactFigures = new Map<string, number>();

/**
 * A quick upper bound on the epsilon of the first t steps of a plan at its delta, for a live
 * display; null for a reference run. It is the Renyi figure, which costs next to nothing once one
 * step's divergences are known, and never more than the plan's own epsilon, since fewer steps
 * never spend more.
 */
export function liveEpsilon(plan: TrainingPlan, steps: number): number | null {
  const { privacy, samplingRate } = plan;
  if (privacy === null) return null;
  if (steps === 0) return 0;
  const key = `${samplingRate} ${privacy.noiseMultiplier}`;
  const oneStep =
    oneStepDivergences.get(key) ?? rdpOfOneStep(samplingRate, privacy.noiseMultiplier);
  oneStepDivergences.set(key, oneStep);
  const divergences = oneStep.map((divergence) => divergence * steps);
  return Math.min(privacy.epsilon, epsilonFromRdp(divergences, privacy.delta).value);
}

/** Epsilon of the first t steps of a plan at its delta by the better accountant; null likewise. */
export function exactEpsilon(plan: TrainingPlan, steps: number): number | null {
  const { privacy, samplingRate } = plan;
  if (privacy === null) return null;
  if (steps === 0) return 0;
  if (steps === plan.steps) return privacy.epsilon;
  const { noiseMultiplier, delta } = privacy;
  const key = `${samplingRate} ${noiseMultiplier} ${steps} ${delta}`;
  const figure =
    exactFigures.get(key) ?? epsilonOf([{ samplingRate, noiseMultiplier, steps }], delta).epsilon;
  exactFigures.set(key, figure);
  return figure;
}

/** What the ledger knows of a run's spending. */
export interface Spending {
  readonly plan: TrainingPlan;
  readonly stepsSpent: number;
  /** The most images that one patient of the training part has. */
  readonly mostImagesOfAPatient: number;
}

/**
 * What a run did to one patient.
 *
 * Where the run's unit is the image, a patient with k images enters a step with a random number of
 * contributions. That is dominated by one that enters with probability 1 - (1 - q)^k and then
 * contributes k times C: whoever could see the number of contributions replaced by its largest
 * value learns at least as much. An upper bound; the mixture of Gaussians is tighter.
 */
export function patientMechanism(run: Spending): SubsampledGaussian | null {
  const { privacy, samplingRate, recipe } = run.plan;
  if (privacy === null) return null;
  const k = recipe.unit === "image" ? Math.max(1, run.mostImagesOfAPatient) : 1;
  return {
    samplingRate: k === 1 ? samplingRate : 1 - (1 - samplingRate) ** k,
    noiseMultiplier: privacy.noiseMultiplier / k,
    steps: run.stepsSpent,
  };
}

/** Epsilon for a patient of all private runs together, failed and stopped ones included. */
export function composedEpsilon(runs: readonly Spending[], delta: number): number {
  const mechanisms = runs.flatMap((run) => patientMechanism(run) ?? []);
  return epsilonOf(mechanisms, delta).epsilon;
}

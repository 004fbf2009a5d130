import type { RunState } from "../../shared/domain.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { epsilonFromRdp, rdpOfOneStep } from "../privacy/rdp.ts";

/**
 * Epsilon of the first t steps of a plan at its delta, by the plan's accountant; null for a
 * reference run. The divergences of one step are computed once, for a live display.
 */
export function spendingCurve(plan: TrainingPlan): (steps: number) => number | null {
  const { privacy, samplingRate } = plan;
  if (privacy === null) return () => null;
  const { noiseMultiplier, delta, accountant } = privacy;
  if (accountant === "pld") {
    return (steps) =>
      epsilonOf([{ samplingRate, noiseMultiplier, steps }], delta, accountant).epsilon;
  }
  const oneStep = rdpOfOneStep(samplingRate, noiseMultiplier);
  return (steps) =>
    steps === 0
      ? 0
      : epsilonFromRdp(
          oneStep.map((divergence) => divergence * steps),
          delta,
        ).value;
}

/** A run as the ledger sees it. */
export interface SpendingRun {
  readonly runId: string;
  readonly state: RunState;
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
export function patientMechanism(run: SpendingRun): SubsampledGaussian | null {
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
export function composedEpsilon(runs: readonly SpendingRun[], delta: number): number {
  const mechanisms = runs.flatMap((run) => patientMechanism(run) ?? []);
  return epsilonOf(mechanisms, delta).epsilon;
}

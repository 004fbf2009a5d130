import type { PatientFigures } from "../../shared/domain.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import { epsilonFigure, knownFigure, type FigureQuestion } from "../privacy/figures.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { epsilonFromRdp, rdpOfOneStep } from "../privacy/rdp.ts";

const oneStepDivergences = new Map<string, Float64Array>();

/** A figure under way is asked for at this many places of a run, and holds up to the next. */
const liveStages = 50;

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
  const bound = quickBound({ samplingRate, noiseMultiplier: privacy.noiseMultiplier, steps });
  return Math.min(privacy.epsilon, bound(privacy.delta));
}

function quickBound(mechanism: SubsampledGaussian): (delta: number) => number {
  const { samplingRate, noiseMultiplier, steps } = mechanism;
  const key = `${samplingRate} ${noiseMultiplier}`;
  const oneStep = oneStepDivergences.get(key) ?? rdpOfOneStep(samplingRate, noiseMultiplier);
  oneStepDivergences.set(key, oneStep);
  const divergences = oneStep.map((divergence) => divergence * steps);
  return (delta) => epsilonFromRdp(divergences, delta).value;
}

/** Epsilon of the first t steps of a plan at its delta by the better accountant; null likewise. */
export function exactEpsilon(plan: TrainingPlan, steps: number): number | null {
  const { privacy } = plan;
  if (privacy === null) return null;
  if (steps === 0) return 0;
  if (steps === plan.steps) return privacy.epsilon;
  return epsilonFigure({ mechanisms: unitMechanisms(plan, steps), delta: privacy.delta });
}

/** What the first t steps of a plan do to one of its units; empty for a reference run. */
export function unitMechanisms(plan: TrainingPlan, steps: number): SubsampledGaussian[] {
  const { privacy, samplingRate } = plan;
  if (privacy === null) return [];
  return [{ samplingRate, noiseMultiplier: privacy.noiseMultiplier, steps }];
}

/** What the ledger knows of a run's spending. */
export interface Spending {
  readonly plan: TrainingPlan;
  readonly stepsSpent: number;
  /** The most images that one patient of the training part has, and the upper median. */
  readonly mostImagesOfAPatient: number;
  readonly medianImagesOfAPatient: number;
}

/** A plan as the ledger would hold it once all its steps are spent. */
export function plannedSpending(
  plan: TrainingPlan,
  units: Pick<Spending, "mostImagesOfAPatient" | "medianImagesOfAPatient">,
): Spending {
  const { mostImagesOfAPatient, medianImagesOfAPatient } = units;
  return { plan, stepsSpent: plan.steps, mostImagesOfAPatient, medianImagesOfAPatient };
}

/** Whose figure is asked for: that of the patient with the most images, or with the median. */
export type WhichPatient = "most" | "median";

/**
 * What a run did to one patient. Where the run's unit is the image, a patient with k images enters
 * a step with a binomial number of contributions: a mixture of Gaussians, which the PLD accountant
 * composes exactly (see `GaussianMixture`).
 */
export function patientMechanisms(
  run: Spending,
  which: WhichPatient = "most",
): SubsampledGaussian[] {
  const images = imagesOf(run, which);
  return unitMechanisms(run.plan, run.stepsSpent).map((mechanism) =>
    images === 1 ? mechanism : { ...mechanism, imagesPerPatient: images },
  );
}

function imagesOf(run: Spending, which: WhichPatient): number {
  if (run.plan.recipe.unit === "patient") return 1;
  return Math.max(1, which === "most" ? run.mostImagesOfAPatient : run.medianImagesOfAPatient);
}

/**
 * What all private runs together did to one patient, failed and stopped ones included. Runs of
 * both units compose: each mechanism carries its own number of contributions.
 */
export function patientQuestion(
  runs: readonly Spending[],
  delta: number,
  which: WhichPatient = "most",
): FigureQuestion {
  return { mechanisms: runs.flatMap((run) => patientMechanisms(run, which)), delta };
}

/** Epsilon for a patient of all private runs together. */
export function composedEpsilon(
  runs: readonly Spending[],
  delta: number,
  which: WhichPatient = "most",
): number {
  return epsilonFigure(patientQuestion(runs, delta, which));
}

/** A patient's epsilon of one run; null where the unit is the patient already, or nothing private. */
export function patientFigures(run: Spending): PatientFigures | null {
  const { privacy, recipe } = run.plan;
  if (privacy === null || recipe.unit === "patient") return null;
  const epsilonFor = (which: WhichPatient): number => composedEpsilon([run], privacy.delta, which);
  return {
    mostImages: imagesOf(run, "most"),
    epsilon: epsilonFor("most"),
    medianImages: imagesOf(run, "median"),
    medianEpsilon: epsilonFor("median"),
  };
}

/**
 * The same of a run under way, without waiting: the figures at the end of the stage that the run is
 * in (a fiftieth of its steps), which bound those of the steps so far. Until somebody has computed
 * them (`liveQuestions`), a looser bound takes their place: a patient with k images enters a step
 * with probability 1 - (1 - q)^k and then contributes at most k times C.
 */
export function livePatientFigures(run: Spending): PatientFigures | null {
  const { privacy, recipe, samplingRate } = run.plan;
  if (privacy === null || recipe.unit === "patient") return null;
  const epsilonFor = (which: WhichPatient): number => {
    if (run.stepsSpent === 0) return 0;
    const known = knownFigure(patientQuestion([stageOf(run)], privacy.delta, which));
    if (known !== undefined) return known;
    const images = imagesOf(run, which);
    return quickBound({
      samplingRate: 1 - (1 - samplingRate) ** images,
      noiseMultiplier: privacy.noiseMultiplier / images,
      steps: run.stepsSpent,
    })(privacy.delta);
  };
  return {
    mostImages: imagesOf(run, "most"),
    epsilon: epsilonFor("most"),
    medianImages: imagesOf(run, "median"),
    medianEpsilon: epsilonFor("median"),
  };
}

/** What `livePatientFigures` would like to know of the stage that a run is in. */
export function liveQuestions(run: Spending): FigureQuestion[] {
  const { privacy, recipe } = run.plan;
  if (privacy === null || recipe.unit === "patient" || run.stepsSpent === 0) return [];
  return (["most", "median"] as const).map((which) =>
    patientQuestion([stageOf(run)], privacy.delta, which),
  );
}

function stageOf(run: Spending): Spending {
  const stage = Math.max(1, Math.ceil(run.plan.steps / liveStages));
  const stepsSpent = Math.min(run.plan.steps, stage * Math.ceil(run.stepsSpent / stage));
  return { ...run, stepsSpent: Math.max(run.stepsSpent, stepsSpent) };
}

import type { PatientFigures } from "../../shared/domain.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import { classCountsMechanism } from "../privacy/class-counts.ts";
import { epsilonFigure, knownFigure, type FigureQuestion } from "../privacy/figures.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { epsilonFromRdp, rdpOfOneStep } from "../privacy/rdp.ts";

const oneStepDivergences = new Map<string, Float64Array>();

/** A figure under way is asked for at this many places of a run, and holds up to the next. */
const liveStages = 50;

/**
 * An upper bound on the epsilon of the first t steps of a plan at its delta, for a live display;
 * null for a reference run. It is the least of the plan's own epsilon, since fewer steps never spend
 * more; the Renyi figure, which costs next to nothing once one step's divergences are known; and the
 * better accountant's figure at the end of the stage that the run is in, once somebody has computed
 * it (`liveQuestions`). None of them falls as t grows.
 *
 * @param classCountsSpent as in `Spending`; they are drawn before the first step
 */
export function liveEpsilon(
  plan: TrainingPlan,
  steps: number,
  classCountsSpent = steps > 0,
): number | null {
  const { privacy } = plan;
  if (privacy === null) return null;
  const run = { plan, stepsSpent: steps, classCountsSpent };
  const mechanisms = unitMechanisms(run);
  if (mechanisms.length === 0) return 0;
  const { delta } = privacy;
  const staged = knownFigure({ mechanisms: unitMechanisms(stageOf(run)), delta });
  return Math.min(privacy.epsilon, quickBound(mechanisms)(delta), staged ?? Infinity);
}

function quickBound(mechanisms: readonly SubsampledGaussian[]): (delta: number) => number {
  const [first = new Float64Array(0), ...others] = mechanisms.map(divergencesOf);
  const sums = first.map((divergence, order) =>
    others.reduce((sum, other) => sum + (other[order] ?? NaN), divergence),
  );
  return (delta) => epsilonFromRdp(sums, delta).value;
}

function divergencesOf({ samplingRate, noiseMultiplier, steps }: SubsampledGaussian): Float64Array {
  const key = `${samplingRate} ${noiseMultiplier}`;
  const oneStep = oneStepDivergences.get(key) ?? rdpOfOneStep(samplingRate, noiseMultiplier);
  oneStepDivergences.set(key, oneStep);
  return oneStep.map((divergence) => divergence * steps);
}

/**
 * Epsilon of the first t steps of a plan at its delta by the better accountant, with the class
 * counts that were drawn before them; null likewise.
 */
export function exactEpsilon(
  plan: TrainingPlan,
  steps: number,
  classCountsSpent = steps > 0,
): number | null {
  const { privacy } = plan;
  if (privacy === null) return null;
  if (steps === plan.steps) return privacy.epsilon;
  const mechanisms = unitMechanisms({ plan, stepsSpent: steps, classCountsSpent });
  return epsilonFigure({ mechanisms, delta: privacy.delta });
}

/** What a run has done to one of its units; empty for a reference run. */
export function unitMechanisms(
  run: Pick<Spending, "plan" | "stepsSpent" | "classCountsSpent">,
): SubsampledGaussian[] {
  const { privacy, samplingRate } = run.plan;
  if (privacy === null) return [];
  const { noiseMultiplier } = privacy;
  const steps = { samplingRate, noiseMultiplier, steps: run.stepsSpent };
  return [...classCountsOf(run), ...(run.stepsSpent === 0 ? [] : [steps])];
}

/** The class counts that a run has drawn, or none. */
export function classCountsOf({
  plan,
  classCountsSpent,
}: Pick<Spending, "plan" | "classCountsSpent">): SubsampledGaussian[] {
  const counts = plan.privacy?.classCounts;
  return counts === undefined || !classCountsSpent
    ? []
    : [classCountsMechanism(counts.noiseMultiplier)];
}

/** What the ledger knows of a run's spending. */
export interface Spending {
  readonly plan: TrainingPlan;
  readonly stepsSpent: number;
  /** Whether the plan's class counts, where it has any, were drawn or may have been. */
  readonly classCountsSpent: boolean;
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
  return {
    plan,
    stepsSpent: plan.steps,
    classCountsSpent: true,
    mostImagesOfAPatient,
    medianImagesOfAPatient,
  };
}

/** Whose figure is asked for: that of the patient with the most images, or with the median. */
export type WhichPatient = "most" | "median";

/**
 * What a run did to one patient. Where the run's unit is the image, a patient with k images enters
 * a step with a binomial number of contributions: a mixture of Gaussians, which the PLD accountant
 * composes exactly (see `GaussianMixture`). To the class counts the patient's images then add their
 * answers one by one, k times as much as one image: the same mixture with q = 1.
 */
export function patientMechanisms(
  run: Spending,
  which: WhichPatient = "most",
): SubsampledGaussian[] {
  return unitMechanisms(run).map((mechanism) => ofPatient(mechanism, run, which));
}

/** A unit's mechanism as a patient meets it. */
export function ofPatient(
  mechanism: SubsampledGaussian,
  run: Spending,
  which: WhichPatient = "most",
): SubsampledGaussian {
  const images = imagesOf(run, which);
  return images === 1 ? mechanism : { ...mechanism, imagesPerPatient: images };
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
  const { privacy, recipe } = run.plan;
  if (privacy === null || recipe.unit === "patient") return null;
  const epsilonFor = (which: WhichPatient): number => {
    const mechanisms = unitMechanisms(run);
    if (mechanisms.length === 0) return 0;
    const known = knownFigure(patientQuestion([stageOf(run)], privacy.delta, which));
    if (known !== undefined) return known;
    const images = imagesOf(run, which);
    return quickBound(
      mechanisms.map((mechanism) => ({
        samplingRate: 1 - (1 - mechanism.samplingRate) ** images,
        noiseMultiplier: mechanism.noiseMultiplier / images,
        steps: mechanism.steps,
      })),
    )(privacy.delta);
  };
  return {
    mostImages: imagesOf(run, "most"),
    epsilon: epsilonFor("most"),
    medianImages: imagesOf(run, "median"),
    medianEpsilon: epsilonFor("median"),
  };
}

/**
 * What `liveEpsilon` and `livePatientFigures` would like to know of a run under way: the figures of
 * the stage that it is in, and of the next one, so that they are at hand when it gets there.
 */
export function liveQuestions(run: Spending): FigureQuestion[] {
  const { privacy, recipe } = run.plan;
  if (privacy === null) return [];
  const { delta } = privacy;
  const now = stageOf({ ...run, stepsSpent: Math.max(1, run.stepsSpent) });
  const next = stageOf({ ...now, stepsSpent: Math.min(run.plan.steps, now.stepsSpent + 1) });
  return [now, next].flatMap((stage) => [
    { mechanisms: unitMechanisms(stage), delta },
    ...(recipe.unit === "patient"
      ? []
      : (["most", "median"] as const).map((which) => patientQuestion([stage], delta, which))),
  ]);
}

/** The run as it will be at the end of the stage that it is in. */
function stageOf<Run extends Pick<Spending, "plan" | "stepsSpent">>(run: Run): Run {
  const stage = Math.max(1, Math.ceil(run.plan.steps / liveStages));
  return {
    ...run,
    stepsSpent: Math.min(run.plan.steps, stage * Math.ceil(run.stepsSpent / stage)),
  };
}

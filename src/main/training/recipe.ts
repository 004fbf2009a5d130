import type { Scheme } from "../../shared/findings.ts";
import { UserError } from "../../shared/errors.ts";
import type { Recipe, TrainingPlan } from "../../shared/plan.ts";
import { epsilonOf } from "../privacy/accountant.ts";
import { noiseMultiplierFor } from "../privacy/calibrate.ts";
import { classCountsMechanism } from "../privacy/class-counts.ts";

/** Below this neither a network nor a private one learns anything worth a budget. */
export const fewestTrainingUnits = 50;

/** Above this rate sampling hides hardly anyone, and a step is no longer a sample. */
export const highestSamplingRate = 0.5;

/**
 * Class counts are drawn with so much noise that by themselves they would take this share of the
 * target. Composed with the steps they cost far less: the noise of a run's steps rises by about 1 %.
 */
export const classCountsShare = 0.1;

/**
 * A recipe that needs no tuning: every tuning run on private data would spend budget. Large
 * expected batch, automatic clipping to C = 1, constant learning rate, moving average of the
 * weights (De et al. 2022, arXiv 2204.13650; Bu et al. 2022, arXiv 2206.07136). The
 * numbers are moderate ones: learning rates from 1e-3 to 8e-3 and batches up to a third of the
 * patients were tried on validation patients of a phantom cohort, and none stood out.
 *
 * @param trainingPatients patients in the training part
 * @param framePixels side of the frames in the image cache
 */
export function defaultRecipe(trainingPatients: number, framePixels: number): Recipe {
  const expectedBatch = Math.min(256, Math.max(1, Math.floor(trainingPatients / 8)));
  return {
    network: "resnet9-small",
    resolutionPixels: Math.min(64, framePixels),
    expectedBatch,
    epochs: 30,
    learningRate: 2e-3,
    warmupSteps: 0,
    clipping: { kind: "automatic", norm: 1 },
    averagingDecay: 0.98,
    viewsPerUnit: 1,
    unit: "patient",
    noise: "gaussian",
    augmentation: true,
    mirror: false,
    classWeights: "none",
    optimiser: "nadam",
    momentum: 0.9,
    weightDecay: 0,
    schedule: "constant",
    engine: "auto",
    initialWeights: null,
  };
}

/**
 * The default delta: 1 / (10 x patients), rounded down to one significant digit so that it can be
 * read and repeated.
 */
export function defaultDelta(patients: number): number {
  const exact = 1 / (10 * Math.max(1, patients));
  const exponent = Math.floor(Math.log10(exact));
  const digit = Math.floor(exact / 10 ** exponent + 1e-9);
  return Number(`${digit}e${exponent}`);
}

export interface PlanChoices {
  readonly recipe: Recipe;
  /** Null for a reference run. */
  readonly epsilon: number | null;
  /** Null for the default. */
  readonly delta: number | null;
  /** Units in the training part. */
  readonly units: number;
  readonly positiveAtGrade: number;
  readonly pixelPipeline: string;
  /** The cohort's set of labels; the study's where none is named. */
  readonly scheme?: Scheme;
}

/**
 * Makes the one value that the sampler, the noise, the divisor, the accountant, the ledger and the
 * report read. The noise is solved so that all steps together never exceed the target.
 *
 * @throws UserError "input" for an epsilon that is not a positive number, a delta outside (0, 1),
 *   or a cohort or batch with which no run is possible.
 */
export function makePlan(choices: PlanChoices): TrainingPlan {
  const { recipe, units, epsilon } = choices;
  const obstacle = planObstacle(recipe, units);
  if (obstacle !== null) throw new UserError("input", obstacle);
  const samplingRate = recipe.expectedBatch / units;
  const steps = Math.max(1, Math.round(recipe.epochs / samplingRate));
  return {
    version: 1,
    recipe,
    units,
    samplingRate,
    divisor: samplingRate * units,
    steps,
    privacy:
      epsilon === null
        ? null
        : privacyOf({
            epsilon,
            delta: choices.delta ?? defaultDelta(units),
            classCounts: recipe.classWeights === "private",
            samplingRate,
            steps,
          }),
    positiveAtGrade: choices.positiveAtGrade,
    pixelPipeline: choices.pixelPipeline,
    ...(choices.scheme === undefined ? {} : { scheme: choices.scheme }),
  };
}

/** Why no run with this recipe is possible on so many units, in words; null where one is. */
export function planObstacle(recipe: Recipe, units: number): string | null {
  const name = recipe.unit === "patient" ? "patients" : "images";
  if (units < fewestTrainingUnits) {
    return (
      `The training part has ${units} labelled ${name}; at least ${fewestTrainingUnits} are ` +
      "needed. Import more films and labels, or give the training part a larger share."
    );
  }
  if (recipe.expectedBatch > units * highestSamplingRate) {
    return (
      `A batch of ${recipe.expectedBatch} takes more than half of the ${units} training ${name} ` +
      `in each step. Choose a batch of at most ${Math.floor(units * highestSamplingRate)}.`
    );
  }
  const canaries = recipe.auditCanaries ?? 0;
  if (canaries > units) {
    return `${canaries} canaries would outnumber the ${units} training ${name}. Choose at most ${units}.`;
  }
  return null;
}

/** The same plan for another epsilon. @throws UserError as `makePlan` */
export function withEpsilon(plan: TrainingPlan, epsilon: number): TrainingPlan {
  const { privacy, samplingRate, steps } = plan;
  if (privacy === null) throw new Error("a reference run has no epsilon");
  const classCounts = privacy.classCounts !== undefined;
  const { delta } = privacy;
  return { ...plan, privacy: privacyOf({ epsilon, delta, classCounts, samplingRate, steps }) };
}

function privacyOf(target: {
  readonly epsilon: number;
  readonly delta: number;
  readonly classCounts: boolean;
  readonly samplingRate: number;
  readonly steps: number;
}): NonNullable<TrainingPlan["privacy"]> {
  const { epsilon, delta, samplingRate, steps } = target;
  if (!(epsilon > 0) || !Number.isFinite(epsilon)) {
    throw new UserError(
      "input",
      `Epsilon must be a number above 0, but it is ${epsilon}. ` +
        "For a run without privacy choose a reference run.",
    );
  }
  if (!(delta > 0 && delta < 1)) {
    throw new UserError("input", `Delta must lie between 0 and 1, but it is ${delta}.`);
  }
  const counts = target.classCounts
    ? classCountsMechanism(
        noiseMultiplierFor({
          epsilon: classCountsShare * epsilon,
          delta,
          samplingRate: 1,
          steps: 1,
        }).noiseMultiplier,
      )
    : null;
  const alreadySpent = counts === null ? [] : [counts];
  const { noiseMultiplier } = noiseMultiplierFor({
    epsilon,
    delta,
    samplingRate,
    steps,
    alreadySpent,
  });
  const bound = epsilonOf([...alreadySpent, { samplingRate, noiseMultiplier, steps }], delta);
  return {
    targetEpsilon: epsilon,
    delta,
    noiseMultiplier,
    ...(counts === null ? {} : { classCounts: { noiseMultiplier: counts.noiseMultiplier } }),
    epsilon: bound.epsilon,
    accountant: bound.accountant,
    neighbouring: "add-or-remove-one-unit",
  };
}

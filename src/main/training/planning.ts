import { randomBytes } from "node:crypto";
import type { CohortSummary, Obstacle } from "../../shared/domain.ts";
import { keysOf } from "../../shared/findings.ts";
import { UserError } from "../../shared/errors.ts";
import type { Recipe, TrainingPlan } from "../../shared/plan.ts";
import { networkChoices, networkOf } from "../network/networks.ts";
import { checkResolution } from "../network/validate.ts";
import { cohortSummary } from "../store/cohorts.ts";
import { transaction, type Database } from "../store/database.ts";
import { cohortDelta, insertRun } from "../store/runs.ts";
import { insertCanaries } from "../store/audits.ts";
import { reviewObstacle } from "../store/reviews.ts";
import { currentSplit, lockSplit } from "../store/splits.ts";
import {
  countTrainingUnits,
  summariseUnits,
  type TrainingUnits,
} from "../store/training-images.ts";
import { drawCanaries } from "./canaries.ts";
import { matchWeights } from "./initial-weights.ts";
import { budgetOf, requireWithinCap } from "./cap.ts";
import { brokenLedgerText, requireIntactLedger, verifyCohortLedger } from "./journal.ts";
import {
  defaultDelta,
  defaultRecipe,
  fewestTrainingUnits,
  makePlan,
  type PlanChoices,
} from "./recipe.ts";
import { plannedSpending } from "./spending.ts";

/** What a person chooses before a run. */
export interface RunChoices {
  readonly cohortId: number;
  readonly recipe: Recipe;
  /** Null for a reference run. */
  readonly epsilon: number | null;
  /** Null for the cohort's own delta, or the default where it has none yet. */
  readonly delta: number | null;
}

/** What the training screen begins with. */
export interface TrainingDefaults {
  readonly recipe: Recipe;
  readonly delta: number;
  readonly networks: readonly {
    readonly name: string;
    readonly title: string;
    readonly hint: string;
    readonly parameters: number;
  }[];
  /** Why training cannot start yet; empty where it can. */
  readonly obstacles: readonly Obstacle[];
  readonly trainingPatients: number;
}

/** @throws UserError "not-found" where there is no such cohort. */
export function trainingDefaults(database: Database, cohortId: number): TrainingDefaults {
  const cohort = cohortSummary(database, cohortId);
  const { patients } = trainingUnits(database, cohortId);
  return {
    recipe: defaultRecipe(patients, cohort.framePixels),
    delta: cohortDelta(database, cohortId) ?? defaultDelta(patients),
    networks: networkChoices(),
    obstacles: [...ledgerObstacles(database, cohortId), ...trainingObstacles(database, cohort)],
    trainingPatients: patients,
  };
}

/** A ledger that does not verify holds private runs back; a reference run spends nothing. */
function ledgerObstacles(database: Database, cohortId: number): Obstacle[] {
  const ledger = verifyCohortLedger(database, cohortId, "opening");
  return ledger.intact ? [] : [{ where: "ledger", text: brokenLedgerText(ledger) }];
}

/** Why no run can start on this cohort yet, in the order in which to mend it. */
function trainingObstacles(database: Database, cohort: CohortSummary): Obstacle[] {
  if (cohort.included === 0) {
    return [{ where: "films", text: "The cohort has no films yet. Import a folder first." }];
  }
  if (cohort.labelled === 0) {
    return [{ where: "labels", text: "No film has a label yet. Import a labels file first." }];
  }
  if (currentSplit(database, cohort.id) === null) {
    const text = "The patients are not split yet into training, validation and test.";
    return [{ where: "split", text }];
  }
  const unreviewed = reviewObstacle(database, cohort.id);
  if (unreviewed !== null) return [{ where: "review", text: unreviewed }];
  const { patients } = trainingUnits(database, cohort.id);
  if (patients >= fewestTrainingUnits) return [];
  const text =
    `The training part has ${patients} labelled patients; at least ${fewestTrainingUnits} are ` +
    "needed. Import more films and labels, or give the training part a larger share.";
  return [{ where: "films", text }];
}

/** The labelled patients and images of the training part; zeros where there is no split. */
export function trainingUnits(database: Database, cohortId: number): TrainingUnits {
  const split = currentSplit(database, cohortId);
  return split === null ? summariseUnits([]) : countTrainingUnits(database, split.id);
}

/**
 * The plan of a run with these choices on the cohort as it stands.
 *
 * @throws UserError with what is wrong and what to do.
 */
export function planRun(database: Database, choices: RunChoices): TrainingPlan {
  return makePlan(planChoices(database, choices));
}

/**
 * What a plan with these choices is made of; making it, which takes the accountants their time,
 * needs the store no more.
 *
 * @throws UserError with what is wrong and what to do.
 */
export function planChoices(database: Database, choices: RunChoices): PlanChoices {
  const { cohortId, recipe } = choices;
  const cohort = cohortSummary(database, cohortId);
  const [obstacle] = trainingObstacles(database, cohort);
  if (obstacle !== undefined) throw new UserError("conflict", obstacle.text);
  if (recipe.resolutionPixels > cohort.framePixels) {
    throw new UserError(
      "input",
      `The films of this cohort are kept at ${cohort.framePixels} pixels, so training at ` +
        `${recipe.resolutionPixels} is not possible. Choose ${cohort.framePixels} or less.`,
    );
  }
  checkResolution(networkOf(recipe, keysOf(cohort.scheme).length), recipe.resolutionPixels);
  const { patients, images } = trainingUnits(database, cohortId);
  const present = cohortDelta(database, cohortId);
  if (present !== null && choices.delta !== null && choices.delta !== present) {
    throw new UserError(
      "conflict",
      `The ledger of this cohort states epsilon at delta ${present}; it has one delta for all ` +
        `runs. Use delta ${present}.`,
    );
  }
  return {
    recipe,
    epsilon: choices.epsilon,
    // By patients also where the unit is the image: the ledger counts for patients.
    delta: choices.delta ?? present ?? defaultDelta(patients),
    units: recipe.unit === "patient" ? patients : images,
    positiveAtGrade: cohort.positiveAtGrade,
    pixelPipeline: cohort.pixelPipeline,
    scheme: cohort.scheme,
  };
}

/**
 * Writes the runs that one click asks for, queued: the private run (where epsilon is given) and,
 * if asked for or alone, its reference run with the same recipe, sampler and initial weights. The
 * split is locked from here on.
 *
 * @returns the ids, in the order in which to train
 * @throws UserError with what is wrong and what to do; then nothing is written.
 */
export function createRuns(
  database: Database,
  choices: RunChoices & { readonly withReference: boolean },
): string[] {
  const withPrivate = choices.epsilon !== null;
  if (withPrivate) requireIntactLedger(database, choices.cohortId);
  const withReference = choices.withReference || !withPrivate;
  const privatePlan = withPrivate ? planRun(database, choices) : null;
  const referencePlan = withReference ? planRun(database, { ...choices, epsilon: null }) : null;
  const { scheme } = cohortSummary(database, choices.cohortId);
  const { initialWeights: file } = choices.recipe;
  const startingWeights =
    file === null
      ? null
      : matchWeights(networkOf(choices.recipe, keysOf(scheme).length), file, keysOf(scheme));
  const privateId = privatePlan === null ? null : newRunId("p");
  const referenceId = referencePlan === null ? null : newRunId("r");
  return transaction(database, () => {
    const split = currentSplit(database, choices.cohortId);
    if (split === null) throw new UserError("conflict", "The cohort has no split any more.");
    if (privatePlan !== null) {
      // In the same transaction, so that two runs cannot both take what is left.
      const { cohortId } = choices;
      const run = plannedSpending(privatePlan, trainingUnits(database, cohortId));
      requireWithinCap(budgetOf(database, cohortId), run);
    }
    lockSplit(database, split.id);
    const common = {
      cohortId: choices.cohortId,
      splitId: split.id,
      ownerProcess: process.pid,
      startingWeights,
    };
    if (privateId !== null && privatePlan !== null) {
      insertRun(database, {
        ...common,
        id: privateId,
        kind: "private",
        pairId: referenceId,
        plan: privatePlan,
      });
    }
    if (referenceId !== null && referencePlan !== null) {
      insertRun(database, {
        ...common,
        id: referenceId,
        kind: "reference",
        pairId: privateId,
        plan: referencePlan,
      });
    }
    const runIds = [privateId, referenceId].filter((id) => id !== null);
    const canaries = drawCanaries(choices.recipe.auditCanaries ?? 0);
    if (canaries.included.length > 0) {
      // A pair has the same canaries in and out, so that the two differ in nothing but privacy.
      for (const runId of runIds) insertCanaries(database, runId, canaries);
    }
    return runIds;
  });
}

/** Short enough to type on a command line; the letter tells the kind. */
function newRunId(letter: "p" | "r"): string {
  return `${letter}-${randomBytes(4).toString("hex")}`;
}

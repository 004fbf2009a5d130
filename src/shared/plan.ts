import { z } from "zod";
import { schemeSchema, type Scheme } from "./findings.ts";

/** The privacy unit: whose presence the guarantee hides. */
export const privacyUnitSchema = z.enum(["patient", "image"]);
export type PrivacyUnit = z.infer<typeof privacyUnitSchema>;

export const clippingSchema = z.object({
  kind: z.enum(["flat", "automatic"]),
  /** C, the L2 norm that no unit's contribution exceeds. */
  norm: z.number().positive(),
});

/**
 * The noise: "gaussian" in double precision, or the exact "discrete-gaussian" on sums of whole
 * numbers, which leaves no low-order bits to attack and computes the units one at a time.
 */
export const noiseKindSchema = z.enum(["gaussian", "discrete-gaussian"]);
export type NoiseKind = z.infer<typeof noiseKindSchema>;

/**
 * What the positives of each label weigh in the loss: "none" lets all labels weigh the same, a
 * public constant; "private" weighs them by counts that are drawn with noise and accounted for.
 */
export const classWeightsSchema = z.enum(["none", "private"]);
export type ClassWeights = z.infer<typeof classWeightsSchema>;

export const optimiserSchema = z.enum(["nadam", "adamw", "sgd"]);
export type OptimiserKind = z.infer<typeof optimiserSchema>;

/** What a person may set before a run; every field has a default that needs no tuning. */
export const recipeSchema = z.object({
  network: z.string(),
  /**
   * The layers of a network of the user's own, whose name `network` then is; checked by the network
   * part. None where absent: `network` is one of the product's.
   */
  networkLayers: z.array(z.unknown()).max(1000).readonly().exactOptional(),
  resolutionPixels: z.number().int().min(16).max(1024),
  /** Expected number of units in a step (the logical batch). */
  expectedBatch: z.number().int().min(1),
  epochs: z.number().positive(),
  learningRate: z.number().positive(),
  /** Steps of linear warm-up of the learning rate. */
  warmupSteps: z.number().int().min(0),
  clipping: clippingSchema,
  /** Decay of the moving average of the weights; 0 switches it off. */
  averagingDecay: z.number().min(0).max(0.99999),
  /** Images of a patient that enter one step as views of one contribution. */
  viewsPerUnit: z.number().int().min(1).max(16),
  unit: privacyUnitSchema,
  /** Plans of before the choice have the Gaussian. */
  noise: noiseKindSchema.default("gaussian"),
  /** Shift, rotation and contrast. */
  augmentation: z.boolean(),
  /**
   * Half of the contributions mirrored, right and left labels exchanged with the image. Plans of
   * before this field, and of before the three below, meant their defaults.
   */
  mirror: z.boolean().default(false),
  classWeights: classWeightsSchema.default("none"),
  optimiser: optimiserSchema.default("nadam"),
  /** Of SGD; the Adams have their own. */
  momentum: z.number().min(0).max(0.999).default(0.9),
  weightDecay: z.number().min(0).max(1).default(0),
  /** The learning rate after the warm-up. */
  schedule: z.enum(["constant", "cosine"]).default("constant"),
  /** Engine name, or "auto". */
  engine: z.string(),
  /** A safetensors file with the weights to start from; null starts from nothing. */
  initialWeights: z.string().nullable(),
  /**
   * Canaries that the run is audited with: made-up patients beside the cohort's, each in the
   * training data by the toss of a fair coin. None where absent.
   */
  auditCanaries: z.number().int().min(0).max(1000).exactOptional(),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** A network as recipes name it: one of the product's, or the user's own with its layers. */
export type ChosenNetwork = Pick<Recipe, "network" | "networkLayers">;

/** What a recipe says of its network, and nothing else of it. */
export function chosenIn({ network, networkLayers }: ChosenNetwork): ChosenNetwork {
  return networkLayers === undefined ? { network } : { network, networkLayers };
}

/**
 * All that a run is: the sampler, the noise, the divisor, the accountant, the ledger and the
 * report read this one value, so that they cannot disagree. Frozen when the run is created.
 */
export const trainingPlanSchema = z.object({
  version: z.literal(1),
  recipe: recipeSchema,
  /** Units in the training part when the plan was made: treated as public, and stated. */
  units: z.number().int().min(1),
  /** q: each unit enters each step independently with this probability (Poisson sampling). */
  samplingRate: z.number().gt(0).max(1),
  /** The fixed divisor of a step's sum: q times units; never the actual batch size. */
  divisor: z.number().positive(),
  steps: z.number().int().min(1),
  /** Null in a reference run. */
  privacy: z
    .object({
      targetEpsilon: z.number().positive(),
      delta: z.number().gt(0).lt(1),
      /** sigma: the noise's standard deviation is sigma times C on the sum. */
      noiseMultiplier: z.number().positive(),
      /**
       * Where class weights are asked for: the noise on the label counts, which are drawn once before
       * the first step, in units of the most that one privacy unit can change them.
       */
      classCounts: z.object({ noiseMultiplier: z.number().positive() }).exactOptional(),
      /**
       * The epsilon of all steps, and of the class counts where there are any, by the accountant
       * named; never above the target.
       */
      epsilon: z.number().positive(),
      accountant: z.enum(["rdp", "pld"]),
      neighbouring: z.literal("add-or-remove-one-unit"),
    })
    .nullable(),
  /** Grade from which a finding counts as positive. */
  positiveAtGrade: z.number().int().min(1).max(4),
  pixelPipeline: z.string(),
  /** The cohort's set of labels. Plans of before the choice have the study's eight. */
  scheme: schemeSchema.exactOptional(),
});
export type TrainingPlan = z.infer<typeof trainingPlanSchema>;

/** The set of labels that a run learns, whose keys are its network's outputs in order. */
export function schemeOf(plan: TrainingPlan): Scheme {
  return plan.scheme ?? "sided";
}

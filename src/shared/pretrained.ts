import type { Recipe } from "./plan.ts";

/**
 * What a recipe changes where it starts from public weights: fewer and shorter steps, since there
 * is less to learn and the noise of more steps would undo it. Chosen on the validation patients of
 * a phantom cohort of another seed than any that is reported, from learning rates of 1e-3 and 3e-4
 * over 10 epochs (docs/benchmarks.md).
 */
export const pretrainedStart: Pick<Recipe, "epochs" | "learningRate"> = {
  epochs: 10,
  learningRate: 3e-4,
};

import type { Recipe } from "./plan.ts";

/**
 * What a recipe changes where it starts from public weights: fewer and shorter steps, since there
 * is less to learn and the noise of more steps would undo it. Chosen in trials on phantoms; what is
 * reported of it (docs/benchmarks.md) was measured on cohorts drawn afterwards.
 */
export const pretrainedStart: Pick<Recipe, "epochs" | "learningRate"> = {
  epochs: 10,
  learningRate: 3e-4,
};

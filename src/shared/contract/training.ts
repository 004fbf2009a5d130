import { z } from "zod";
import type { RunProgress, RunSummary, TelemetryPoint } from "../domain.ts";
import { recipeSchema, type Recipe } from "../plan.ts";
import { cohortId, nothing, procedure, runId } from "./procedure.ts";

export interface EngineRow {
  readonly name: string;
  readonly device: string | null;
  readonly version: string | null;
  readonly available: boolean;
  readonly reason: string | null;
}

export const trainingProcedures = {
  "training:defaults": procedure(z.object({ cohortId })).returns<{
    recipe: Recipe;
    delta: number;
    networks: readonly { name: string; title: string; hint: string; parameters: number }[];
    /** Why training cannot start yet; empty where it can. */
    obstacles: readonly string[];
    trainingPatients: number;
  }>(),
  "training:start": procedure(
    z.object({
      cohortId,
      recipe: recipeSchema,
      /** Null for a reference run only. */
      epsilon: z.number().nullable(),
      delta: z.number().nullable(),
      /** Also train the twin without clipping and noise. */
      withReference: z.boolean(),
    }),
  ).returns<{ runIds: readonly string[] }>(),
  "training:stop": procedure(z.object({ runId })).returns<RunSummary>(),
  "run:list": procedure(z.object({ cohortId })).returns<readonly RunSummary[]>(),
  "run:progress": procedure(z.object({ runId })).returns<RunProgress>(),
  "run:telemetry": procedure(z.object({ runId, afterStep: z.int().min(0).default(0) })).returns<
    readonly TelemetryPoint[]
  >(),
  "engine:list": procedure(nothing).returns<readonly EngineRow[]>(),
} as const;

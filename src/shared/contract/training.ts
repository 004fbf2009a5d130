import { z } from "zod";
import type { Obstacle, RunProgress, RunSummary, TelemetryPoint } from "../domain.ts";
import type { AutomaticChoice, RememberedChoice } from "../engine-choice.ts";
import { recipeSchema, type Recipe } from "../plan.ts";
import { cohortId, nothing, procedure, runId } from "./procedure.ts";

export interface EngineRow {
  readonly name: string;
  readonly device: string | null;
  readonly version: string | null;
  /** The version of the graphics driver, where it is known. */
  readonly driver?: string | null;
  /** Memory of the device, where it is known. */
  readonly memoryMebibytes?: number | null;
  readonly available: boolean;
  /** Why it is absent, and what would bring it. */
  readonly reason: string | null;
  /** What its loader said, as it said it. */
  readonly detail?: string | null;
}

export const trainingProcedures = {
  "training:defaults": procedure(z.object({ cohortId })).returns<{
    recipe: Recipe;
    delta: number;
    networks: readonly { name: string; title: string; hint: string; parameters: number }[];
    /** Why training cannot start yet; empty where it can. */
    obstacles: readonly Obstacle[];
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
  /** A network of the user's own from its file, checked for the cohort's labels. */
  "network:read": procedure(z.object({ cohortId, file: z.string().min(1) })).returns<{
    network: string;
    networkLayers: readonly unknown[];
    parameters: number;
  }>(),
  /** What "auto" was measured to be on the engines at hand, newest first; nothing is timed. */
  "engine:measured": procedure(z.object({})).returns<RememberedChoice[]>(),
  /** What "auto" stands for as far as it is known; nothing is timed. */
  "engine:automatic": procedure(
    z.object({
      network: recipeSchema.shape.network,
      networkLayers: recipeSchema.shape.networkLayers,
      resolutionPixels: recipeSchema.shape.resolutionPixels,
    }),
  ).returns<AutomaticChoice>(),
} as const;

import { z } from "zod";
import { schemeSchema, type FindingKey } from "../findings.ts";
import type { RunSummary } from "../domain.ts";
import type { StartingWeights } from "../starting-weights.ts";
import { recipeSchema } from "../plan.ts";
import { procedure, runId } from "./procedure.ts";

export const exportFormats = ["safetensors", "onnx"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** A file that left the data folder, and the card beside it. */
export interface ExportedModel {
  readonly file: string;
  readonly format: ExportFormat;
  readonly bytes: number;
  readonly sha256: string;
  /** The model card, Markdown. */
  readonly card: string;
}

/** One film with its scores. */
export interface ScoredFilm {
  readonly path: string;
  readonly viewPosition: string | null;
  /** A remark, such as that the file states no view; null where there is none. */
  readonly note: string | null;
  readonly scores: Readonly<Record<FindingKey, number>>;
}

/** What became of the films that somebody wanted scored. */
export interface FilmScores {
  readonly run: string;
  readonly pixelPipeline: string;
  readonly positiveAtGrade: number;
  readonly labels: readonly FindingKey[];
  readonly found: number;
  readonly scored: number;
  /** At most as many as were asked for, in the order of their paths. */
  readonly films: readonly ScoredFilm[];
  /** Not scored, with the reason: unreadable, or no frontal chest film. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** The table with every film; null where none was asked for. */
  readonly file: string | null;
  readonly seconds: number;
}

export const releaseProcedures = {
  /** What of a weights file a network would take. */
  "weights:match": procedure(
    z.object({
      network: z.string(),
      networkLayers: recipeSchema.shape.networkLayers,
      /** The cohort's set of labels, which the last layer has to fit. */
      scheme: schemeSchema.default("sided"),
      file: z.string().min(1),
    }),
  ).returns<StartingWeights>(),
  /** What a run has taken of the file that it started from; null where it started from nothing. */
  "weights:of-run": procedure(z.object({ runId })).returns<StartingWeights | null>(),
  "training:pause": procedure(z.object({ runId })).returns<RunSummary>(),
  "training:resume": procedure(z.object({ runId })).returns<RunSummary>(),
  "run:export": procedure(
    z.object({
      runId,
      format: z.enum(exportFormats),
      file: z.string().min(1),
      /** Also give the logits; ONNX only. */
      logits: z.boolean().default(false),
      /** Said in so many words by a person: the weights of a reference run protect nobody. */
      acceptNonPrivate: z.boolean().default(false),
    }),
  ).returns<ExportedModel>(),
  "predict:start": procedure(
    z.object({
      runId,
      paths: z.array(z.string().min(1)).min(1),
      /** CSV with every film, or null. */
      file: z.string().min(1).nullable().default(null),
      /** Films in the result; null for all. The table always has all. */
      limit: z.int().min(1).nullable().default(null),
    }),
  ).returns<{ jobId: string }>(),
  /** Writes the whole table of a scoring of this session. */
  "predict:save": procedure(z.object({ jobId: z.string(), file: z.string().min(1) })).returns<{
    file: string;
    rows: number;
  }>(),
} as const;

import { z } from "zod";
import type {
  CohortOverview,
  CohortSummary,
  ImageFilter,
  ImageRow,
  JobProgress,
  Ledger,
  PrivacyQuote,
  QuarantinedFile,
  RunProgress,
  RunSummary,
  SplitSummary,
  TelemetryPoint,
} from "./domain.ts";
import type { Comparison } from "./comparison.ts";
import { findingKeys } from "./findings.ts";
import { privacyUnitSchema, recipeSchema, type Recipe } from "./plan.ts";

/**
 * Every procedure of the core as `area:verb`, with the schema of its input and the type of its
 * output, and every event stream. Preload, core, command line and tests derive their types from
 * this file. The core validates each input against its schema before it acts.
 */
function procedure<Input extends z.ZodType>(input: Input) {
  return { returns: <Output>() => ({ input, output: z.custom<Output>() }) };
}

const cohortId = z.int().positive();
const imageId = z.int().positive();
const runId = z.string().min(1);
const nothing = z.object({});

export const imageFilterSchema = z.object({
  status: z.enum(["included", "set-aside"]).exactOptional(),
  sex: z.enum(["F", "M", "O"]).exactOptional(),
  part: z.enum(["train", "validation", "test"]).exactOptional(),
  ageFrom: z.number().exactOptional(),
  ageTo: z.number().exactOptional(),
  viewPosition: z.string().exactOptional(),
  finding: z.enum(findingKeys).exactOptional(),
  patient: z.string().exactOptional(),
}) satisfies z.ZodType<ImageFilter, unknown>;

export const imageSortSchema = z.object({
  column: z.enum([
    "id",
    "patient",
    "studyDate",
    "ageYears",
    "sex",
    "viewPosition",
    "status",
    "part",
  ]),
  descending: z.boolean(),
});

const quoteInput = z.object({
  cohortId,
  epsilon: z.number(),
  delta: z.number().nullable(),
  recipe: recipeSchema,
});

export interface EngineRow {
  readonly name: string;
  readonly device: string | null;
  readonly version: string | null;
  readonly available: boolean;
  readonly reason: string | null;
}

export interface LabelPreview {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly totalRows: number;
  readonly preset: string | null;
  /** Proposed meaning of the columns; null where none was recognised. */
  readonly mapping: LabelMapping;
  /** Why the file cannot be imported as mapped; empty where it can. */
  readonly problems: readonly string[];
}

/** Which column of a labels file carries what. */
export const labelMappingSchema = z.object({
  patient: z.string().nullable(),
  image: z.string().nullable(),
  file: z.string().nullable(),
  age: z.string().nullable(),
  sex: z.string().nullable(),
  comorbidityCount: z.string().nullable(),
  findings: z.partialRecord(z.enum(findingKeys), z.string()),
});
export type LabelMapping = z.infer<typeof labelMappingSchema>;

export const contract = {
  "app:info": procedure(nothing).returns<{
    version: string;
    dataFolder: string;
    node: string;
    coreProcess: number;
  }>(),

  "cohort:list": procedure(nothing).returns<readonly CohortSummary[]>(),
  "cohort:create": procedure(
    z.object({
      name: z.string().trim().min(1).max(120),
      framePixels: z.int().min(32).max(1024).default(256),
      positiveAtGrade: z.int().min(1).max(4).default(2),
    }),
  ).returns<CohortSummary>(),
  "cohort:rename": procedure(
    z.object({ cohortId, name: z.string().trim().min(1).max(120) }),
  ).returns<CohortSummary>(),
  "cohort:overview": procedure(z.object({ cohortId })).returns<CohortOverview>(),
  "cohort:images": procedure(
    z.object({
      cohortId,
      filter: imageFilterSchema.default({}),
      sort: imageSortSchema.default({ column: "id", descending: false }),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(500).default(100),
    }),
  ).returns<{ total: number; rows: readonly ImageRow[] }>(),
  "cohort:image": procedure(z.object({ imageId })).returns<
    ImageRow & {
      /** The path of the original, as far as it is still known on this machine. */
      readonly path: string | null;
      readonly rows: number;
      readonly columns: number;
      readonly bitsStored: number;
      readonly photometricInterpretation: string;
    }
  >(),
  "cohort:set-status": procedure(
    z.object({
      imageId,
      status: z.enum(["included", "set-aside"]),
      reason: z.string().nullable(),
    }),
  ).returns<ImageRow>(),
  "cohort:split": procedure(
    z.object({
      cohortId,
      train: z.number().min(0.1).max(0.9),
      validation: z.number().min(0.05).max(0.5),
      test: z.number().min(0.05).max(0.5),
    }),
  ).returns<SplitSummary>(),
  "cohort:quarantine": procedure(z.object({ cohortId })).returns<readonly QuarantinedFile[]>(),

  "intake:start": procedure(
    z.object({ cohortId, paths: z.array(z.string().min(1)).min(1) }),
  ).returns<{ jobId: string }>(),
  "phantoms:start": procedure(
    z.object({
      cohortId,
      patients: z.int().min(1).max(20_000),
      seed: z.int().min(0),
      sizePixels: z.int().min(64).max(2048),
    }),
  ).returns<{ jobId: string }>(),

  "labels:preview": procedure(
    z.object({ cohortId, file: z.string(), mapping: labelMappingSchema.nullable().default(null) }),
  ).returns<LabelPreview>(),
  "labels:import": procedure(
    z.object({ cohortId, file: z.string(), mapping: labelMappingSchema.nullable().default(null) }),
  ).returns<{ jobId: string }>(),

  "job:list": procedure(nothing).returns<readonly JobProgress[]>(),
  "job:cancel": procedure(z.object({ jobId: z.string() })).returns<JobProgress>(),
  "job:pause": procedure(
    z.object({ jobId: z.string(), paused: z.boolean() }),
  ).returns<JobProgress>(),

  "training:defaults": procedure(z.object({ cohortId })).returns<{
    recipe: Recipe;
    delta: number;
    networks: readonly { name: string; title: string; parameters: number }[];
    /** Why training cannot start yet; empty where it can. */
    obstacles: readonly string[];
    trainingPatients: number;
  }>(),
  "privacy:quote": procedure(quoteInput).returns<PrivacyQuote>(),
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

  "ledger:show": procedure(z.object({ cohortId })).returns<Ledger>(),

  "evaluation:compare": procedure(
    z.object({ privateRunId: runId.nullable(), referenceRunId: runId.nullable() }),
  ).returns<{ jobId: string }>(),
  "evaluation:comparison": procedure(
    z.object({ privateRunId: runId.nullable(), referenceRunId: runId.nullable() }),
  ).returns<Comparison | null>(),

  "report:write": procedure(
    z.object({ privateRunId: runId, referenceRunId: runId, file: z.string().min(1) }),
  ).returns<{ jobId: string }>(),

  "engine:list": procedure(nothing).returns<readonly EngineRow[]>(),
} as const;

export type Contract = typeof contract;
export type Procedure = keyof Contract;
/** What a caller may pass: fields with a default may be left out. */
export type InputOf<P extends Procedure> = z.input<Contract[P]["input"]>;
/** What the core's handler receives: defaults filled in. */
export type ParsedInputOf<P extends Procedure> = z.output<Contract[P]["input"]>;
export type OutputOf<P extends Procedure> = z.output<Contract[P]["output"]>;

/** Event streams from the core. */
export interface Events {
  "job:progress": JobProgress;
  "run:progress": RunProgress;
  /** Something that lists or counts of this cohort show has changed. */
  "cohort:changed": { readonly cohortId: number };
}
export type EventName = keyof Events;

/** Procedures that the window's shell answers itself: native dialogs and the file manager. */
export const shellContract = {
  "shell:choose-folders": procedure(nothing).returns<readonly string[]>(),
  "shell:choose-file": procedure(
    z.object({ title: z.string(), extensions: z.array(z.string()) }),
  ).returns<string | null>(),
  "shell:save-file": procedure(
    z.object({ title: z.string(), suggestedName: z.string(), extension: z.string() }),
  ).returns<string | null>(),
  "shell:open-report": procedure(z.object({ file: z.string() })).returns<{ opened: boolean }>(),
  "shell:reveal": procedure(z.object({ file: z.string() })).returns<{ revealed: boolean }>(),
} as const;
export type ShellContract = typeof shellContract;
export type ShellProcedure = keyof ShellContract;

export { privacyUnitSchema };

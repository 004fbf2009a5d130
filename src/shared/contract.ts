import { z } from "zod";
import { auditProcedures } from "./contract/audit.ts";
import { cohortProcedures } from "./contract/cohort.ts";
import { filmProcedures } from "./contract/films.ts";
import { intakeProcedures } from "./contract/intake.ts";
import { privacyProcedures } from "./contract/privacy.ts";
import { nothing, procedure } from "./contract/procedure.ts";
import { releaseProcedures } from "./contract/release.ts";
import { resultProcedures } from "./contract/results.ts";
import { trainingProcedures } from "./contract/training.ts";
import { upkeepProcedures } from "./contract/upkeep.ts";
import type { JobProgress, RunProgress } from "./domain.ts";

export { imageFilterSchema, imageSortSchema } from "./contract/cohort.ts";
export {
  labelMappingSchema,
  presetNames,
  uncertainPolicies,
  type ColumnMeaning,
  type FindingTally,
  type LabelMapping,
  type LabelPreview,
  type PresetName,
  type RowProblem,
  type TableLabels,
  type TableReading,
  type UncertainPolicy,
} from "./contract/intake.ts";
export type { EngineRow } from "./contract/training.ts";

/**
 * Every procedure of the core as `area:verb`, with the schema of its input and the type of its
 * output, and every event stream. Preload, core, command line and tests derive their types from
 * this file. The core validates each input against its schema before it acts.
 */
export const contract = {
  "app:info": procedure(nothing).returns<{
    version: string;
    dataFolder: string;
    node: string;
    coreProcess: number;
  }>(),
  "job:list": procedure(nothing).returns<readonly JobProgress[]>(),
  "job:cancel": procedure(z.object({ jobId: z.string() })).returns<JobProgress>(),
  "job:pause": procedure(
    z.object({ jobId: z.string(), paused: z.boolean() }),
  ).returns<JobProgress>(),
  ...cohortProcedures,
  ...intakeProcedures,
  ...filmProcedures,
  ...trainingProcedures,
  ...privacyProcedures,
  ...resultProcedures,
  ...auditProcedures,
  ...releaseProcedures,
  ...upkeepProcedures,
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

import { z } from "zod";
import type { FindingKey } from "../findings.ts";
import type { OwnLabel } from "../own-labels.ts";
import { cohortId, procedure } from "./procedure.ts";

/** The public data sets whose tables are understood. */
export const presetNames = [
  "taix-ray",
  "chexpert",
  "mimic-cxr-jpg",
  "nih-chestxray14",
  "vindr-cxr",
  "padchest",
] as const;
export type PresetName = (typeof presetNames)[number];

/** What an uncertain label of a data set counts as. */
export const uncertainPolicies = ["missing", "positive", "negative"] as const;
export type UncertainPolicy = (typeof uncertainPolicies)[number];

export interface ColumnMeaning {
  readonly column: string;
  readonly meaning: string;
}

/** How often a table says what of a finding; `uncertain` before the policy for it is applied. */
export interface FindingTally {
  readonly finding: FindingKey;
  readonly positive: number;
  readonly negative: number;
  readonly missing: number;
  readonly uncertain: number;
}

/** The labels that the columns of a table could be, for a cohort that has none yet. */
export interface TableLabels {
  readonly columns: readonly {
    readonly column: string;
    readonly label: OwnLabel;
    /** Whether all that stands in the column is a grade, or yes, no and uncertain. */
    readonly isFinding: boolean;
  }[];
  readonly rows: number;
}

export interface RowProblem {
  readonly row: number;
  readonly reason: string;
}

/** What an import would do, worked out without writing anything. */
export interface LabelPreview {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly totalRows: number;
  /** The data set that the table comes from; null for a table of one's own. */
  readonly preset: { readonly name: PresetName; readonly title: string } | null;
  /** What each column of a preset means; empty for a table of one's own. */
  readonly meanings: readonly ColumnMeaning[];
  /** Proposed meaning of the columns of a table of one's own. */
  readonly mapping: LabelMapping;
  /** What a person should know before the import. */
  readonly notes: readonly string[];
  /** Why the file cannot be imported as mapped; empty where it can. */
  readonly problems: readonly string[];
  readonly tally: readonly FindingTally[];
  /** Rows that fit a film of the cohort, and what is left over on either side. */
  readonly matched: number;
  readonly unmatched: { readonly count: number; readonly first: readonly RowProblem[] };
  readonly invalid: { readonly count: number; readonly first: readonly RowProblem[] };
  readonly filmsWithoutRow: number;
}

/** Which column of a labels file carries what. */
export const labelMappingSchema = z.object({
  patient: z.string().nullable(),
  image: z.string().nullable(),
  file: z.string().nullable(),
  age: z.string().nullable(),
  sex: z.string().nullable(),
  comorbidityCount: z.string().nullable(),
  study: z.string().nullable().default(null),
  view: z.string().nullable().default(null),
  /** The part of the split that the table itself gives: train, validation or test. */
  part: z.string().nullable().default(null),
  /** Columns taken as free subgroups, under their own names. */
  subgroups: z.array(z.string()).default([]),
  findings: z.record(z.string(), z.string()),
});
export type LabelMapping = z.infer<typeof labelMappingSchema>;

/** How a table is to be read; as recognised where nothing is said. */
export const tableReadingSchema = z.object({
  file: z.string(),
  /** "own" reads it by the mapping, whatever its columns look like. */
  preset: z
    .enum([...presetNames, "own"])
    .nullable()
    .default(null),
  mapping: labelMappingSchema.nullable().default(null),
  uncertain: z.enum(uncertainPolicies).default("missing"),
});
export type TableReading = z.output<typeof tableReadingSchema>;

export const intakeProcedures = {
  "intake:start": procedure(
    z.object({
      cohortId,
      paths: z.array(z.string().min(1)).min(1),
      /** Names the patients of films that do not name them: PNG and JPEG. */
      table: tableReadingSchema.nullable().default(null),
    }),
  ).returns<{ jobId: string }>(),
  /** Tries the pictures again that wait in quarantine for a table that names their patients. */
  "intake:name-pictures": procedure(z.object({ cohortId, table: tableReadingSchema })).returns<{
    jobId: string;
  }>(),
  "phantoms:start": procedure(
    z.object({
      cohortId,
      patients: z.int().min(1).max(20_000),
      seed: z.int().min(0),
      sizePixels: z.int().min(64).max(2048),
    }),
  ).returns<{ jobId: string }>(),
  "labels:columns": procedure(z.object({ file: z.string() })).returns<TableLabels>(),
  "labels:preview": procedure(tableReadingSchema.extend({ cohortId })).returns<LabelPreview>(),
  "labels:import": procedure(tableReadingSchema.extend({ cohortId })).returns<{ jobId: string }>(),
} as const;

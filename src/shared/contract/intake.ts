import { z } from "zod";
import { findingKeys } from "../findings.ts";
import { cohortId, procedure } from "./procedure.ts";

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

export const intakeProcedures = {
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
} as const;

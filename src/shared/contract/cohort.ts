import { z } from "zod";
import type {
  AttributeSources,
  CohortOverview,
  CohortSummary,
  ImageFilter,
  ImageRow,
  QuarantinedFile,
  SplitSummary,
} from "../domain.ts";
import { schemeNames } from "../findings.ts";
import { ownLabelSchema } from "../own-labels.ts";
import { cohortId, imageId, nothing, procedure } from "./procedure.ts";

export const imageFilterSchema = z.object({
  status: z.enum(["included", "set-aside"]).exactOptional(),
  sex: z.enum(["F", "M", "O"]).exactOptional(),
  part: z.enum(["train", "validation", "test"]).exactOptional(),
  ageFrom: z.number().exactOptional(),
  ageTo: z.number().exactOptional(),
  viewPosition: z.string().exactOptional(),
  finding: z.string().exactOptional(),
  patient: z.string().exactOptional(),
  subgroup: z.object({ name: z.string().min(1), value: z.string() }).exactOptional(),
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

export const cohortProcedures = {
  "cohort:list": procedure(nothing).returns<readonly CohortSummary[]>(),
  "cohort:create": procedure(
    z.object({
      name: z.string().trim().min(1).max(120),
      framePixels: z.int().min(32).max(1024).default(256),
      /** Keep the film's aspect with black bars, or fill the square. */
      frameFit: z.enum(["letterbox", "stretch"]).default("letterbox"),
      /** Global histogram equalisation of each frame, as the study did. */
      equalise: z.boolean().default(false),
      positiveAtGrade: z.int().min(1).max(4).default(2),
      /** The set of labels: the study's, or one without sides for public data sets. */
      scheme: z.enum(schemeNames).default("sided"),
      /** Labels of the cohort's own, in place of such a set. */
      ownLabels: z.array(ownLabelSchema).nullable().default(null),
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
    ImageRow &
      AttributeSources & {
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
      /** Takes the parts that the data set gives its films itself, instead of the fractions. */
      byFolds: z.boolean().default(false),
    }),
  ).returns<SplitSummary>(),
  "cohort:quarantine": procedure(z.object({ cohortId })).returns<readonly QuarantinedFile[]>(),
} as const;

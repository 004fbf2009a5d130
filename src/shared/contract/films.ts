import { z } from "zod";
import type {
  AsideGroup,
  QuarantineCount,
  QuarantinedFile,
  ReviewCounts,
  ReviewItem,
} from "../domain.ts";
import { cohortId, imageId, nothing, procedure } from "./procedure.ts";

const region = z.object({
  left: z.int().min(0),
  top: z.int().min(0),
  width: z.int().min(1),
  height: z.int().min(1),
});
export const asideCodes = [
  "lateral",
  "view",
  "body-part",
  "for-processing",
  "non-diagnostic",
  "repeated",
  "colour",
  "frames",
  "burned-in",
  "by-hand",
] as const;
const asideCode = z.enum(asideCodes);
const window = {
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(500).default(100),
};

/** Which films take part, what is burned into them, and how they leave the building. */
export const filmProcedures = {
  "review:queue": procedure(
    z.object({
      cohortId,
      decided: z.boolean().default(false),
      unflagged: z.boolean().default(false),
      ...window,
    }),
  ).returns<{ total: number; rows: readonly ReviewItem[] }>(),
  "review:counts": procedure(z.object({ cohortId })).returns<ReviewCounts>(),
  "review:decide": procedure(
    z.object({
      imageId,
      decision: z.enum(["accept", "blackout", "set-aside"]),
      regions: z.array(region).max(200).default([]),
    }),
  ).returns<ReviewItem>(),
  "review:undo": procedure(z.object({ imageId })).returns<ReviewItem>(),
  "review:policy": procedure(
    z.object({ cohortId, policy: z.enum(["none", "flagged", "all"]) }),
  ).returns<ReviewCounts>(),
  "aside:groups": procedure(z.object({ cohortId })).returns<readonly AsideGroup[]>(),
  "aside:take-back": procedure(
    z.object({
      cohortId,
      code: asideCode,
      /** Raw detector data are taken back only with it. */
      knowingly: z.boolean().default(false),
    }),
  ).returns<{
    changed: number;
    changeId: number;
  }>(),
  "aside:undo": procedure(z.object({ changeId: z.int().positive() })).returns<{
    changed: number;
  }>(),
  "quarantine:list": procedure(
    z.object({ cohortId, code: z.string().nullable().default(null), ...window }),
  ).returns<{
    total: number;
    counts: readonly QuarantineCount[];
    rows: readonly QuarantinedFile[];
  }>(),
  "quarantine:retry": procedure(
    z.object({
      cohortId,
      /** Null: all, or all of the reason. */
      fileIds: z.array(z.int().positive()).nullable().default(null),
      code: z.string().nullable().default(null),
    }),
  ).returns<{ jobId: string }>(),
  "quarantine:export": procedure(z.object({ cohortId, file: z.string().min(1) })).returns<{
    file: string;
    files: number;
  }>(),
  "films:export-deidentified": procedure(
    z.object({
      cohortId,
      folder: z.string().min(1),
      keepCharacteristics: z.boolean().default(false),
      withUnreviewed: z.boolean().default(false),
    }),
  ).returns<{ jobId: string }>(),
  "reidentification:state": procedure(nothing).returns<{
    on: boolean;
    since: string | null;
    rows: number;
  }>(),
  "reidentification:turn-on": procedure(z.object({ passphrase: z.string() })).returns<{
    on: boolean;
    since: string | null;
    rows: number;
  }>(),
  "reidentification:turn-off": procedure(nothing).returns<{
    on: boolean;
    since: string | null;
    rows: number;
  }>(),
  "reidentification:look-up": procedure(
    z.object({ passphrase: z.string(), pseudonym: z.string().trim().min(8) }),
  ).returns<
    readonly {
      kind: "patient" | "study";
      pseudonym: string;
      original: string;
      issuer: string | null;
    }[]
  >(),
} as const;

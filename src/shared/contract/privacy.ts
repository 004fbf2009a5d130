import { z } from "zod";
import type { Ledger, LedgerVerification, PrivacyQuote } from "../domain.ts";
import { recipeSchema } from "../plan.ts";
import { cohortId, procedure } from "./procedure.ts";

const quoteInput = z.object({
  cohortId,
  epsilon: z.number(),
  delta: z.number().nullable(),
  recipe: recipeSchema,
});

export const privacyProcedures = {
  "privacy:quote": procedure(quoteInput).returns<PrivacyQuote>(),
  /** `complete` also checks every row of long journals of runs that have ended. */
  "ledger:show": procedure(
    z.object({ cohortId, complete: z.boolean().default(false) }),
  ).returns<Ledger>(),
  /** The check that is made whenever a cohort is opened. */
  "ledger:check": procedure(z.object({ cohortId })).returns<LedgerVerification>(),
  /** Writes the ledger as JSON signed with the site's key. */
  "ledger:export": procedure(z.object({ cohortId, file: z.string().min(1) })).returns<{
    file: string;
    fingerprint: string;
    entries: number;
    intact: boolean;
  }>(),
  /** Records why the newest entries are missing; from then on private runs can start again. */
  "ledger:acknowledge-gap": procedure(z.object({ cohortId, reason: z.string() })).returns<Ledger>(),
  /** Null removes the cap. */
  "ledger:set-cap": procedure(
    z.object({ cohortId, cap: z.number().positive().nullable() }),
  ).returns<Ledger>(),
} as const;

import { z } from "zod";
import type { Ledger, PrivacyQuote } from "../domain.ts";
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
  "ledger:show": procedure(z.object({ cohortId })).returns<Ledger>(),
  /** Null removes the cap. */
  "ledger:set-cap": procedure(
    z.object({ cohortId, cap: z.number().positive().nullable() }),
  ).returns<Ledger>(),
} as const;

import { z } from "zod";
import type { AuditResult } from "../audit.ts";
import { procedure, runId } from "./procedure.ts";

export const auditProcedures = {
  /** A job whose result is an AuditResult, which is kept as well. */
  "audit:start": procedure(
    z.object({
      runId,
      /** Shadow models for the likelihood-ratio attack: an even number, 0 for none. */
      shadowModels: z.int().min(0).max(64).multipleOf(2).default(0),
      /** Null for the run's own epochs. */
      shadowEpochs: z.number().positive().nullable().default(null),
    }),
  ).returns<{ jobId: string }>(),
  /** The newest audit of a run; null where there was none. */
  "audit:show": procedure(z.object({ runId })).returns<AuditResult | null>(),
} as const;

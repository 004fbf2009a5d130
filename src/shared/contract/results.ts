import { z } from "zod";
import type { Comparison } from "../comparison.ts";
import { procedure, runId } from "./procedure.ts";

export const resultProcedures = {
  "evaluation:compare": procedure(
    z.object({ privateRunId: runId.nullable(), referenceRunId: runId.nullable() }),
  ).returns<{ jobId: string }>(),
  "evaluation:comparison": procedure(
    z.object({ privateRunId: runId.nullable(), referenceRunId: runId.nullable() }),
  ).returns<Comparison | null>(),
  "report:write": procedure(
    z.object({ privateRunId: runId, referenceRunId: runId, file: z.string().min(1) }),
  ).returns<{ jobId: string }>(),
} as const;

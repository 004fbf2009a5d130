import { UserError } from "../../../shared/errors.ts";
import { keepAudit, keptAudit } from "../../store/audits.ts";
import { requireRun } from "../../store/runs.ts";
import { recordRelease } from "../../training/releases.ts";
import { auditRun } from "../audit-run.ts";
import type { CoreContext } from "../context.ts";
import type { Handlers } from "./types.ts";

export function auditHandlers(context: CoreContext): Handlers<"audit:start" | "audit:show"> {
  const { database, dataFolder, jobs } = context;
  return {
    "audit:start": ({ runId, shadowModels, shadowEpochs }) => {
      const run = requireRun(database, runId);
      if (run.weightsFile === null) {
        throw new UserError(
          "conflict",
          `Run ${runId} is ${run.state} and has no weights to attack. Wait until it has finished.`,
        );
      }
      const jobId = jobs.start(
        {
          kind: "audit",
          cohortId: run.cohortId,
          phase: "Auditing",
          unit: shadowModels === 0 ? "films" : "films or steps",
        },
        async (control) => {
          const audit = await auditRun({
            database,
            dataFolder,
            runId,
            shadowModels,
            shadowEpochs,
            control,
          });
          const [attack] = audit.attacks;
          if (attack !== undefined) recordRelease(database, "audit", [runId], attack.members);
          keepAudit(database, audit);
          context.emit("cohort:changed", { cohortId: run.cohortId });
          return audit;
        },
      );
      return { jobId };
    },

    "audit:show": ({ runId }) => {
      requireRun(database, runId);
      return keptAudit(database, runId);
    },
  };
}

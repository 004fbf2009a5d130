import type { BackupSummary } from "../../../shared/contract/upkeep.ts";
import { UserError } from "../../../shared/errors.ts";
import { recordAudit } from "../../store/audit-log.ts";
import { writeBackup, type KeyChoice } from "../../store/backup/backup.ts";
import type { CoreContext } from "../context.ts";
import { version } from "../version.ts";
import type { Handlers } from "./types.ts";

type UpkeepProcedures = "backup:start";

export function upkeepHandlers(context: CoreContext): Handlers<UpkeepProcedures> {
  const { database, dataFolder, jobs, identity } = context;
  return {
    "backup:start": ({ file, passphrase, plainKey }) => {
      if (passphrase !== null && plainKey) {
        throw new UserError("input", "Give a passphrase, or ask for the key as it is; not both.");
      }
      if (identity.locked && (passphrase !== null || plainKey)) {
        throw new UserError("conflict", "This data folder has no site key to put into a backup.");
      }
      const key: KeyChoice =
        passphrase !== null
          ? { kind: "sealed", passphrase }
          : { kind: plainKey ? "plain" : "absent" };
      const jobId = jobs.start(
        { kind: "backup", cohortId: null, phase: "Writing the backup", unit: "bytes" },
        async (control): Promise<BackupSummary> => {
          const written = await writeBackup({
            database,
            dataFolder,
            file,
            key,
            appVersion: version,
            signal: control.signal,
            onProgress: (done, total) => {
              control.report({ done, total });
            },
          });
          const { sha256, bytes, siteKey } = written;
          recordAudit(database, "backup", { sha256, bytes, siteKey });
          return written;
        },
      );
      return { jobId };
    },
  };
}

import type { Ledger } from "../../../shared/domain.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import type { Database } from "../../store/database.ts";
import { ledgerEntries } from "../../store/ledger.ts";
import { writeNamedFile } from "../../store/whole-file.ts";
import { prepareFigures } from "../../training/account-service.ts";
import { setCap } from "../../training/cap.ts";
import { verifyCohortLedger } from "../../training/journal.ts";
import { ledgerExport } from "../../training/ledger-export.ts";
import { acknowledgeGap } from "../../training/ledger-gaps.ts";
import { ledgerQuestions, readLedger } from "../../training/run-summaries.ts";
import type { CoreContext } from "../context.ts";
import { version } from "../version.ts";
import type { Handlers } from "./types.ts";

type LedgerProcedures =
  "ledger:show" | "ledger:check" | "ledger:set-cap" | "ledger:acknowledge-gap" | "ledger:export";

export function ledgerHandlers(context: CoreContext): Handlers<LedgerProcedures> {
  const { database, dataFolder } = context;
  return {
    "ledger:show": ({ cohortId, complete }) =>
      showLedger(database, cohortId, complete ? "complete" : "opening"),
    "ledger:check": ({ cohortId }) => {
      cohortSummary(database, cohortId);
      return verifyCohortLedger(database, cohortId, "opening");
    },
    "ledger:set-cap": ({ cohortId, cap }) => {
      cohortSummary(database, cohortId);
      setCap(database, cohortId, cap);
      context.emit("cohort:changed", { cohortId });
      return showLedger(database, cohortId, "opening");
    },
    "ledger:acknowledge-gap": ({ cohortId, reason }) => {
      cohortSummary(database, cohortId);
      acknowledgeGap(database, cohortId, reason);
      context.emit("cohort:changed", { cohortId });
      return showLedger(database, cohortId, "opening");
    },
    "ledger:export": async ({ cohortId, file }) => {
      const { id, name } = cohortSummary(database, cohortId);
      const { entries, ...ledger } = await showLedger(database, cohortId, "complete");
      const { text, fingerprint } = ledgerExport(dataFolder, {
        format: "silhouette-ledger",
        version: 1,
        exportedAt: new Date().toISOString(),
        application: `Silhouette ${version}`,
        cohort: { id, name },
        ledger,
        entries: ledgerEntries(database, cohortId),
      });
      writeNamedFile(file, text);
      return { file, fingerprint, entries: entries.length, intact: ledger.verification.intact };
    },
  };
}

/** The ledger, its figures computed in the accounting worker. */
async function showLedger(
  database: Database,
  cohortId: number,
  depth: "complete" | "opening",
): Promise<Ledger> {
  cohortSummary(database, cohortId);
  await prepareFigures(ledgerQuestions(database, cohortId));
  return readLedger(database, cohortId, depth);
}

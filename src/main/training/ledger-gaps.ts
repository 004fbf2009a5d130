import { UserError } from "../../shared/errors.ts";
import type { GapAcknowledgedBody, RestoredBody } from "../privacy/ledger-gaps.ts";
import type { Database } from "../store/database.ts";
import { keptLedgerHead, ledgerTransaction } from "../store/ledger-head.ts";
import { lastLedgerEntry } from "../store/ledger.ts";
import { accountName } from "./account-name.ts";
import { verifyCohortLedger } from "./journal.ts";
import { appendEntry } from "./ledger-entries.ts";

/** A reason that somebody else can follow years later has at least so many characters. */
const shortestReason = 10;

/**
 * Records that a person knows why the newest entries of a ledger are missing, as after a store was put
 * back to an older state. The entry stays and is shown from then on; what the missing ones recorded is
 * counted no more. Until then private runs are held back.
 *
 * @throws UserError "conflict" where nothing is missing or something else is broken as well; "input"
 *   for a reason of a few letters
 */
export function acknowledgeGap(database: Database, cohortId: number, reason: string): void {
  const words = reason.trim();
  if (words.length < shortestReason) {
    throw new UserError(
      "input",
      `Say why the entries are missing, in at least ${shortestReason} characters: it stays in the ` +
        "ledger for whoever reads it later.",
    );
  }
  const found = verifyCohortLedger(database, cohortId);
  if (found.intact) {
    throw new UserError(
      "conflict",
      "No entry of this ledger is missing; there is nothing to record.",
    );
  }
  const head = keptLedgerHead(database, cohortId);
  if (!found.canBeAcknowledged || head === null) {
    throw new UserError(
      "conflict",
      `More is wrong with this ledger than missing entries at its end: ${found.findings[0] ?? ""} ` +
        "That cannot be acknowledged. Put the data folder back from a backup.",
    );
  }
  ledgerTransaction(database, cohortId, () => {
    const last = lastLedgerEntry(database, cohortId);
    const body: GapAcknowledgedBody = {
      by: accountName(),
      reason: words,
      keptHead: head,
      lastEntry: last === null ? null : { sequence: last.sequence, hash: last.hash },
    };
    appendEntry(database, { cohortId, runId: null }, "gap-acknowledged", { ...body });
  });
}

/** Records in every ledger that it came back from a backup of that moment. */
export function recordRestoration(database: Database, backupAt: string): void {
  const cohorts = database.prepare("SELECT DISTINCT cohort_id FROM ledger_entry").pluck().all();
  for (const cohortId of cohorts as number[]) {
    ledgerTransaction(database, cohortId, () => {
      const last = lastLedgerEntry(database, cohortId);
      // Killed after this and before the mark was taken away: it is recorded already.
      if (last?.kind === "restored" && last.body.includes(backupAt)) return;
      const body: RestoredBody = { by: accountName(), backupAt };
      appendEntry(database, { cohortId, runId: null }, "restored", { ...body });
    });
  }
}

import type { LedgerEntryKind } from "../../shared/domain.ts";
import { chainEntry } from "../privacy/ledger.ts";
import { now, type Database } from "../store/database.ts";
import { insertLedgerEntry, lastLedgerEntry } from "../store/ledger.ts";

/**
 * Appends one entry to a cohort's ledger. Call it inside a transaction: the entry follows the one
 * that is the newest there.
 *
 * @param runId null where the entry belongs to the cohort as a whole
 */
export function appendEntry(
  database: Database,
  subject: { readonly cohortId: number; readonly runId: string | null },
  kind: LedgerEntryKind,
  body: Readonly<Record<string, unknown>>,
): void {
  const entry = chainEntry(lastLedgerEntry(database, subject.cohortId), {
    ...subject,
    recordedAt: now(),
    kind,
    body: JSON.stringify(body),
  });
  insertLedgerEntry(database, entry);
}

/** The body of an entry; what cannot be read comes as `unreadable`. */
export function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return { ...body };
  } catch {
    // Somebody wrote into the row; the verification of the chain says so.
  }
  return { unreadable: text };
}

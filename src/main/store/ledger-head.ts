import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transaction, type Database } from "./database.ts";
import { lastLedgerEntry } from "./ledger.ts";
import { writeAtomically } from "./whole-file.ts";

/** The newest entry of a ledger that was ever seen. */
export interface LedgerHead {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * The head of each ledger is kept in a file beside the store. A chain by itself cannot show that
 * its newest entries were cut off, nor that the store was put back to an older state: this file
 * can, unless whoever did it changed the file as well. For that, an exported copy elsewhere is the
 * remedy.
 */
function headFile(database: Database, cohortId: number): string {
  return join(dirname(database.name), "ledger-heads", `${cohortId}.json`);
}

/** The head as it was kept; null where none was, or the file cannot be read. */
export function keptLedgerHead(database: Database, cohortId: number): LedgerHead | null {
  try {
    const head = JSON.parse(readFileSync(headFile(database, cohortId), "utf8")) as LedgerHead;
    return Number.isInteger(head.sequence) && typeof head.hash === "string" ? head : null;
  } catch {
    return null;
  }
}

/**
 * Keeps the newest entry as the head, where it lies after the one that is kept and that one still
 * stands: a head whose entry is gone stays, however many entries are written after, until somebody
 * has acknowledged that it is gone.
 */
export function advanceLedgerHead(database: Database, cohortId: number): void {
  const newest = lastLedgerEntry(database, cohortId);
  const kept = keptLedgerHead(database, cohortId);
  if (newest === null || kept?.hash === newest.hash) return;
  if (kept !== null && !stands(database, cohortId, kept)) return;
  const file = headFile(database, cohortId);
  const { sequence, hash } = newest;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeAtomically(file, Buffer.from(`${JSON.stringify({ sequence, hash })}\n`));
  } catch {
    // The entry stands in the store; a head that lags behind is brought up with the next one.
  }
}

/** As `headBelongs` of the ledger's mathematics has it, asked of the store. */
function stands(database: Database, cohortId: number, head: LedgerHead): boolean {
  const found = database
    .prepare(
      `SELECT 1 FROM ledger_entry
       WHERE cohort_id = @cohortId AND (
         (sequence = @sequence AND hash = @hash) OR
         (kind = 'gap-acknowledged' AND json_valid(body) AND body ->> '$.keptHead.hash' = @hash)
       )`,
    )
    .get({ cohortId, ...head });
  return found !== undefined;
}

/**
 * A write transaction that appends to a cohort's ledger; once it is committed the head follows. A
 * crash in between leaves the head behind, which is no sign of tampering.
 */
export function ledgerTransaction<T>(database: Database, cohortId: number, body: () => T): T {
  const result = transaction(database, body);
  advanceLedgerHead(database, cohortId);
  return result;
}

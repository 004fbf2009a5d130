import type { LedgerEntryKind } from "../../shared/domain.ts";
import type { Database } from "./database.ts";

/** A ledger entry as stored; the hash covers `body` as the exact text that stands here. */
export interface StoredLedgerEntry {
  readonly cohortId: number;
  readonly sequence: number;
  readonly recordedAt: string;
  readonly kind: LedgerEntryKind;
  /** Null where the entry belongs to the cohort as a whole. */
  readonly runId: string | null;
  /** JSON text. */
  readonly body: string;
  readonly previousHash: string;
  readonly hash: string;
}

/** One journaled step of a run. */
export interface JournalRow {
  readonly step: number;
  readonly recordedAt: string;
  readonly hash: string;
}

const entryColumns = `
  cohort_id AS cohortId, sequence, recorded_at AS recordedAt, kind, run_id AS runId, body,
  previous_hash AS previousHash, hash`;

/** The entries of a cohort's ledger, oldest first. */
export function ledgerEntries(database: Database, cohortId: number): StoredLedgerEntry[] {
  return database
    .prepare(`SELECT ${entryColumns} FROM ledger_entry WHERE cohort_id = ? ORDER BY sequence`)
    .all(cohortId) as StoredLedgerEntry[];
}

/** The newest entry of a cohort's ledger; null where there is none. */
export function lastLedgerEntry(database: Database, cohortId: number): StoredLedgerEntry | null {
  const row = database
    .prepare(
      `SELECT ${entryColumns} FROM ledger_entry WHERE cohort_id = ?
       ORDER BY sequence DESC LIMIT 1`,
    )
    .get(cohortId) as StoredLedgerEntry | undefined;
  return row ?? null;
}

/** The entry of this kind that stands in the ledger for a run; null where there is none. */
export function ledgerEntryOfRun(
  database: Database,
  runId: string,
  kind: LedgerEntryKind,
): StoredLedgerEntry | null {
  const row = database
    .prepare(
      `SELECT ${entryColumns} FROM ledger_entry WHERE run_id = ? AND kind = ?
       ORDER BY sequence LIMIT 1`,
    )
    .get(runId, kind) as StoredLedgerEntry | undefined;
  return row ?? null;
}

/** The entries of these kinds, oldest first. */
export function ledgerEntriesOfRun(
  database: Database,
  runId: string,
  kinds: readonly LedgerEntryKind[],
): StoredLedgerEntry[] {
  const entries = database
    .prepare(`SELECT ${entryColumns} FROM ledger_entry WHERE run_id = ? ORDER BY sequence`)
    .all(runId) as StoredLedgerEntry[];
  return entries.filter((entry) => kinds.includes(entry.kind));
}

/** The newest entry of this kind in a cohort's ledger; null where there is none. */
export function lastEntryOfKind(
  database: Database,
  cohortId: number,
  kind: LedgerEntryKind,
): StoredLedgerEntry | null {
  const row = database
    .prepare(
      `SELECT ${entryColumns} FROM ledger_entry WHERE cohort_id = ? AND kind = ?
       ORDER BY sequence DESC LIMIT 1`,
    )
    .get(cohortId, kind) as StoredLedgerEntry | undefined;
  return row ?? null;
}

/** Appends one entry, hash and all. Call it inside the transaction that read the newest entry. */
export function insertLedgerEntry(database: Database, entry: StoredLedgerEntry): void {
  database
    .prepare(
      `INSERT INTO ledger_entry
         (cohort_id, sequence, recorded_at, kind, run_id, body, previous_hash, hash)
       VALUES
         (@cohortId, @sequence, @recordedAt, @kind, @runId, @body, @previousHash, @hash)`,
    )
    .run(entry);
}

/** The newest journaled step of a run; null before its first. */
export function lastJournalRow(database: Database, runId: string): JournalRow | null {
  const row = database
    .prepare(
      `SELECT step, recorded_at AS recordedAt, hash FROM step_journal
       WHERE run_id = ? ORDER BY step DESC LIMIT 1`,
    )
    .get(runId) as JournalRow | undefined;
  return row ?? null;
}

/** How many rows the journal of a run has. */
export function countJournalRows(database: Database, runId: string): number {
  const count = database
    .prepare("SELECT count(*) FROM step_journal WHERE run_id = ?")
    .pluck()
    .get(runId);
  return Number(count);
}

/** All journaled steps of a run in order, read as they are asked for. */
export function* journalRows(database: Database, runId: string): Generator<JournalRow> {
  // A generator, so that no cursor is open before it is read.
  yield* database
    .prepare(
      `SELECT step, recorded_at AS recordedAt, hash FROM step_journal
       WHERE run_id = ? ORDER BY step`,
    )
    .iterate(runId) as IterableIterator<JournalRow>;
}

/** Appends one step to the journal. Call it inside the transaction that read the newest step. */
export function insertJournalRow(database: Database, runId: string, row: JournalRow): void {
  database
    .prepare(`INSERT INTO step_journal (run_id, step, recorded_at, hash) VALUES (?, ?, ?, ?)`)
    .run(runId, row.step, row.recordedAt, row.hash);
}

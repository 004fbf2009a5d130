import type { Database } from "./database.ts";

/** The cohort's revision: it grows with every change to its films, patients, labels or split. */
export function filmRevisionOf(database: Database, cohortId: number): number {
  const revision = database
    .prepare("SELECT revision FROM film_revision WHERE cohort_id = ?")
    .pluck()
    .get(cohortId) as number | undefined;
  return revision ?? 0;
}

/** Whether a count is kept that still holds. */
export function isCounted(database: Database, cohortId: number, kind: string): boolean {
  return keptCount(database, cohortId, kind) !== undefined;
}

function keptCount(database: Database, cohortId: number, kind: string): string | undefined {
  return database
    .prepare("SELECT value FROM film_count WHERE cohort_id = ? AND kind = ? AND revision = ?")
    .pluck()
    .get(cohortId, kind, filmRevisionOf(database, cohortId)) as string | undefined;
}

/**
 * What `count` finds, kept in the store until the cohort's films change: counting 200,000 films
 * takes seconds, opening their cohort must not. The value must survive JSON.
 */
export function countedOnce<T>(
  database: Database,
  cohortId: number,
  kind: string,
  count: () => T,
): T {
  const revision = filmRevisionOf(database, cohortId);
  const kept = keptCount(database, cohortId, kind);
  if (kept !== undefined) return JSON.parse(kept) as T;
  const value = count();
  try {
    database
      .prepare(
        `INSERT INTO film_count (cohort_id, kind, revision, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (cohort_id, kind)
         DO UPDATE SET revision = excluded.revision, value = excluded.value`,
      )
      .run(cohortId, kind, revision, JSON.stringify(value));
  } catch {
    // A full disk or a busy store costs the next reader a count, and this one nothing.
  }
  return value;
}

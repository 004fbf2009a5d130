import type { Database } from "./database.ts";
import { filmStateOf } from "./film-changes.ts";

/**
 * What `count` finds, kept in the store until the cohort's films change, for cohorts whose films
 * are not in memory. The value must survive JSON.
 */
export function countedOnce<T>(
  database: Database,
  cohortId: number,
  kind: string,
  count: () => T,
): T {
  const { revision } = filmStateOf(database, cohortId);
  const kept = database
    .prepare("SELECT value FROM film_count WHERE cohort_id = ? AND kind = ? AND revision = ?")
    .pluck()
    .get(cohortId, kind, revision) as string | undefined;
  if (kept !== undefined) return JSON.parse(kept) as T;
  const value = count();
  keepAside(database, () => {
    database
      .prepare(
        `INSERT INTO film_count (cohort_id, kind, revision, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (cohort_id, kind)
         DO UPDATE SET revision = excluded.revision, value = excluded.value`,
      )
      .run(cohortId, kind, revision, JSON.stringify(value));
  });
  return value;
}

/**
 * Writes what only saves time. Where another process is writing it is left out at once: whoever
 * only reads must not wait for that. A full disk costs the next reader some time, and this one nothing.
 */
export function keepAside(database: Database, write: () => void): void {
  const timeout = database.pragma("busy_timeout", { simple: true }) as number;
  database.pragma("busy_timeout = 0");
  try {
    write();
  } catch {
    // It is read or counted again.
  } finally {
    database.pragma(`busy_timeout = ${timeout}`);
  }
}

import type { Database } from "./database.ts";

/** A committed state of a cohort's films: how often they have changed, and the newest entry of the log. */
export interface FilmState {
  readonly revision: number;
  readonly entry: number;
}

/** What has to be read again to come from one state to the present one. */
export interface FilmChanges {
  readonly films: readonly number[];
  /** With all their films. */
  readonly patients: readonly number[];
  /** Whether patients may stand in other parts. */
  readonly split: boolean;
}

/** The present state. It moves with every change of what the table or the overview show. */
export function filmStateOf(database: Database, cohortId: number): FilmState {
  const state = database
    .prepare("SELECT revision, entry FROM film_revision WHERE cohort_id = ?")
    .get(cohortId) as FilmState | undefined;
  return state ?? { revision: 0, entry: 0 };
}

/**
 * What has changed since a state, whoever changed it, up to the moment of the call; null where the
 * log does not tell, since it no longer reaches back or something was deleted.
 */
export function changesSince(
  database: Database,
  cohortId: number,
  since: FilmState,
): FilmChanges | null {
  // The entry of that state is read as well, since later changes of its subject share it.
  const rows = database
    .prepare(
      "SELECT entry, kind, subject FROM film_change WHERE cohort_id = ? AND entry >= ? ORDER BY entry",
    )
    .raw()
    .all(cohortId, since.entry) as [number, "film" | "patient" | "split" | "all", number][];
  const [oldest] = rows;
  if (oldest === undefined || oldest[0] > Math.max(1, since.entry)) return null;
  const films = new Set<number>();
  const patients = new Set<number>();
  let split = false;
  for (const [, kind, subject] of rows) {
    if (kind === "all") return null;
    if (kind === "film") films.add(subject);
    else if (kind === "patient") patients.add(subject);
    else split = true;
  }
  return { films: [...films], patients: [...patients], split };
}

import type { AsideCode, AsideGroup } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { now, transaction, type Database } from "./database.ts";

/** The films that are set aside, by what set them aside. */
export function asideGroups(database: Database, cohortId: number): readonly AsideGroup[] {
  return database
    .prepare(
      `SELECT coalesce(aside_code, 'by-hand') AS code, count(*) AS images,
         count(DISTINCT patient_id) AS patients
       FROM image WHERE cohort_id = ? AND status = 'set-aside' GROUP BY 1 ORDER BY 2 DESC, 1`,
    )
    .all(cohortId) as AsideGroup[];
}

type Before = readonly [
  imageId: number,
  status: string,
  reason: string | null,
  code: string | null,
  byPerson: number,
];

/** What an included film goes on saying of itself where it was raw detector data. */
export const rawTakenBack = "Raw detector data (for processing), taken back by a person.";

/**
 * Takes back all films that one rule set aside: they take part in training again. Raw detector data
 * look otherwise than films for presentation, so they are mixed in only by who says that they know;
 * they go on saying what they are.
 *
 * @returns how many, and the number by which it can be undone.
 * @throws UserError "conflict" where raw data would be taken back unknowingly.
 */
export function takeBack(
  database: Database,
  cohortId: number,
  code: AsideCode,
  knowingly = false,
): { readonly changed: number; readonly changeId: number } {
  const isRaw = code === "for-processing";
  if (isRaw && !knowingly) {
    throw new UserError(
      "conflict",
      "These films are raw detector data (for processing): not windowed, often inverted, and " +
        "perhaps there a second time for presentation. Say that you know to take them back all " +
        "the same: --knowingly on the command line.",
    );
  }
  return transaction(database, () => {
    const before = database
      .prepare(
        `SELECT id, status, status_reason, aside_code, decided_by_person FROM image
         WHERE cohort_id = ? AND status = 'set-aside' AND coalesce(aside_code, 'by-hand') = ?`,
      )
      .raw()
      .all(cohortId, code) as Before[];
    database
      .prepare(
        `UPDATE image SET status = 'included', status_reason = ?, aside_code = NULL,
           decided_by_person = 1
         WHERE cohort_id = ? AND status = 'set-aside' AND coalesce(aside_code, 'by-hand') = ?`,
      )
      .run(isRaw ? rawTakenBack : null, cohortId, code);
    const { lastInsertRowid } = database
      .prepare("INSERT INTO status_change (cohort_id, before, recorded_at) VALUES (?, ?, ?)")
      .run(cohortId, JSON.stringify(before), now());
    return { changed: before.length, changeId: Number(lastInsertRowid) };
  });
}

/**
 * Puts films back to what they were before a change.
 *
 * @throws UserError "not-found" where there is no such change, "conflict" where it was undone.
 */
export function undoStatusChange(
  database: Database,
  changeId: number,
): { readonly changed: number; readonly cohortId: number } {
  return transaction(database, () => {
    const change = database
      .prepare(
        "SELECT cohort_id AS cohortId, before, undone_at AS undoneAt FROM status_change WHERE id = ?",
      )
      .get(changeId) as { cohortId: number; before: string; undoneAt: string | null } | undefined;
    if (change === undefined) throw new UserError("not-found", "There is no such change to undo.");
    if (change.undoneAt !== null) throw new UserError("conflict", "That was undone already.");
    const restore = database.prepare(
      `UPDATE image SET status = ?, status_reason = ?, aside_code = ?, decided_by_person = ?
       WHERE id = ?`,
    );
    const before = JSON.parse(change.before) as Before[];
    for (const [id, ...values] of before) restore.run(...values, id);
    database.prepare("UPDATE status_change SET undone_at = ? WHERE id = ?").run(now(), changeId);
    return { changed: before.length, cohortId: change.cohortId };
  });
}

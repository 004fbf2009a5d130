import type { Database } from "./database.ts";

/** Patients that share a film, each mapped to its whole connected group. */
export function groupsSharingContent(database: Database, cohortId: number): Map<number, number[]> {
  const pairs = database
    .prepare(
      `SELECT DISTINCT a.patient_id AS a, b.patient_id AS b FROM image a
       JOIN image b ON b.cohort_id = a.cohort_id AND b.content_hash = a.content_hash
         AND b.patient_id > a.patient_id
       WHERE a.cohort_id = ?`,
    )
    .all(cohortId) as { a: number; b: number }[];
  const groups = new Map<number, number[]>();
  for (const { a, b } of pairs) {
    const merged = [...new Set([...(groups.get(a) ?? [a]), ...(groups.get(b) ?? [b])])];
    for (const member of merged) groups.set(member, merged);
  }
  return groups;
}

/** How many films stand in more than one part of a split, under whatever identifier; 0 is right. */
export function filmsInSeveralParts(database: Database, splitId: number): number {
  return database
    .prepare(
      `SELECT count(*) FROM (SELECT content_hash FROM image
         JOIN split_member ON split_member.patient_id = image.patient_id
         WHERE split_id = ? AND image.status = 'included'
         GROUP BY content_hash HAVING count(DISTINCT part) > 1)`,
    )
    .pluck()
    .get(splitId) as number;
}

import type { Database } from "./database.ts";

/** Two exposures of one view within this time are one that was repeated. */
export const repeatMinutes = 15;

const code = "repeated";

/**
 * Sets aside the earlier of two exposures of the same patient in the same study with the same view
 * position, taken within a quarter of an hour: the last one is the one that was good enough. Films
 * without a time or a view, and films on which a person has decided, stay as they are.
 */
export function setAsideRepeats(database: Database, imageId: number): void {
  const added = database
    .prepare(
      `SELECT image.patient_id AS patientId, series.study_id AS studyId, image.view_position AS view,
         image.shifted_second AS second
       FROM image JOIN series ON series.id = image.series_id
       WHERE image.id = ? AND image.status = 'included'
         AND image.view_position IS NOT NULL AND image.shifted_second IS NOT NULL`,
    )
    .get(imageId) as
    { patientId: number; studyId: number; view: string; second: number } | undefined;
  if (added === undefined) return;
  // By the patient, whose films an index knows: there is none over series, and each film would be met.
  const others = database
    .prepare(
      `SELECT image.id, image.shifted_second AS second
       FROM image CROSS JOIN series ON series.id = image.series_id
       WHERE image.patient_id = ? AND series.study_id = ? AND image.view_position = ? AND image.id <> ?
         AND image.status = 'included' AND image.decided_by_person = 0
         AND abs(image.shifted_second - ?) <= ?`,
    )
    .all(added.patientId, added.studyId, added.view, imageId, added.second, repeatMinutes * 60) as {
    id: number;
    second: number;
  }[];
  for (const other of others) {
    const earlier = other.second <= added.second ? other.id : imageId;
    const minutes = Math.round(Math.abs(other.second - added.second) / 60);
    const later = minutes === 0 ? "within a minute" : `${minutes} minutes later`;
    database
      .prepare(
        "UPDATE image SET status = 'set-aside', aside_code = ?, status_reason = ? WHERE id = ?",
      )
      .run(code, `The same view was taken again ${later}; the last one is used.`, earlier);
    if (earlier === imageId) return;
  }
}

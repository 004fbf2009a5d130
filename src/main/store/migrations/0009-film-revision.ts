/**
 * A number for each cohort that grows with every change to its films, patients, labels or split,
 * made by whatever process. Counts and orders derived from them are kept until it does.
 */
const bump = (cohort: string): string => `
  INSERT INTO film_revision (cohort_id, revision) VALUES (${cohort}, 1)
  ON CONFLICT (cohort_id) DO UPDATE SET revision = revision + 1;`;

const trigger = (table: string, event: string, row: "NEW" | "OLD", cohort: string): string => `
CREATE TRIGGER film_revision_${table}_${event.toLowerCase()} AFTER ${event} ON ${table}
BEGIN ${bump(cohort.replaceAll("ROW", row))} END;`;

const cohortOf: Readonly<Record<string, string>> = {
  image: "ROW.cohort_id",
  patient: "ROW.cohort_id",
  split: "ROW.cohort_id",
  attribute: "(SELECT cohort_id FROM patient WHERE id = ROW.patient_id)",
  split_member: "(SELECT cohort_id FROM split WHERE id = ROW.split_id)",
  consensus: "(SELECT cohort_id FROM image WHERE id = ROW.image_id)",
};

export const filmRevision = `
CREATE TABLE film_revision (
  cohort_id INTEGER PRIMARY KEY REFERENCES cohort (id),
  revision INTEGER NOT NULL
) STRICT;
${Object.entries(cohortOf)
  .map(
    ([table, cohort]) =>
      trigger(table, "INSERT", "NEW", cohort) +
      trigger(table, "UPDATE", "NEW", cohort) +
      trigger(table, "DELETE", "OLD", cohort),
  )
  .join("")}

-- What was counted of a cohort's films, and the revision that it was counted at.
CREATE TABLE film_count (
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  kind TEXT NOT NULL,
  revision INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (cohort_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_in_order ON image (cohort_id, id);
`;

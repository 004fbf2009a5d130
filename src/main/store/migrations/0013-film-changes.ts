/**
 * What has changed of a cohort's films, so that what is kept of them in memory follows one change
 * without reading all of them anew: a log, by triggers, of the films, patients and splits concerned,
 * which reaches back a fixed number of entries. Changes one after the other of the same subject
 * share an entry: whoever knows the films up to an entry reads that entry again, and those after it.
 *
 * Only changes of what the film table and the overview show are told. Before, each write was.
 */
const tables = [
  "image",
  "patient",
  "split",
  "attribute",
  "split_member",
  "consensus",
  "image_subgroup",
];
const formerTriggers = tables.flatMap((table) =>
  ["insert", "update", "delete"].map((event) => `film_revision_${table}_${event}`),
);

/** A change of the cohort's films: of a film, a patient, a split, or of all that there are. */
type Kind = "film" | "patient" | "split" | "all";

interface Source {
  readonly table: string;
  readonly kind: Kind;
  /** The subject and its cohort; ROW is the new row, or the old one where it is deleted. */
  readonly subject: string;
  readonly cohort: string;
  /** The columns that count where a row is updated. */
  readonly columns: readonly string[];
  /** Which rows count at all. */
  readonly where?: string;
  /** What the loss of a row changes, where that is more. */
  readonly deleted?: Kind;
}

const cohortOfFilm = "(SELECT cohort_id FROM image WHERE id = ROW.image_id)";
const cohortOfPatient = "(SELECT cohort_id FROM patient WHERE id = ROW.patient_id)";

const sources: readonly Source[] = [
  {
    table: "image",
    kind: "film",
    subject: "ROW.id",
    cohort: "ROW.cohort_id",
    columns: ["patient_id", "series_id", "status", "status_reason", "view_position", "age_years"],
    deleted: "all",
  },
  {
    table: "patient",
    kind: "patient",
    subject: "ROW.id",
    cohort: "ROW.cohort_id",
    columns: ["sex", "pseudonym"],
    deleted: "all",
  },
  {
    table: "attribute",
    kind: "patient",
    subject: "ROW.patient_id",
    cohort: cohortOfPatient,
    columns: ["value"],
    where: "ROW.name = 'comorbidity_count'",
  },
  {
    // A film whose file knows the date gives it to the films of its study that came before.
    table: "study",
    kind: "patient",
    subject: "ROW.patient_id",
    cohort: cohortOfPatient,
    columns: ["shifted_date"],
  },
  {
    table: "split",
    kind: "split",
    subject: "ROW.id",
    cohort: "ROW.cohort_id",
    columns: [],
  },
  {
    table: "split_member",
    kind: "split",
    subject: "ROW.split_id",
    cohort: "(SELECT cohort_id FROM split WHERE id = ROW.split_id)",
    columns: ["part"],
  },
  {
    table: "consensus",
    kind: "film",
    subject: "ROW.image_id",
    cohort: cohortOfFilm,
    columns: ["grade"],
  },
  {
    table: "image_subgroup",
    kind: "film",
    subject: "ROW.image_id",
    cohort: cohortOfFilm,
    columns: ["value"],
  },
];

function triggersOf(source: Source): string {
  const { table, columns, where } = source;
  const trigger = (event: string, row: "NEW" | "OLD", kind: Kind, when: string[]): string => {
    const conditions = [...when, ...(where === undefined ? [] : [where])];
    return `
CREATE TRIGGER film_change_${table}_${event.slice(0, 6).toLowerCase()} AFTER ${event} ON ${table}
${conditions.length === 0 ? "" : `WHEN ${conditions.map((each) => `(${each})`).join(" AND ")}`}
BEGIN
  INSERT INTO film_revision (cohort_id, revision, entry, kind, subject)
    VALUES (${source.cohort}, 1, 1, '${kind}', ${source.subject})
  ON CONFLICT (cohort_id) DO UPDATE SET revision = revision + 1,
    entry = entry + (kind IS NOT excluded.kind OR subject IS NOT excluded.subject),
    kind = excluded.kind, subject = excluded.subject;
END;`.replaceAll("ROW.", `${row}.`);
  };
  const differs = columns.map((column) => `OLD.${column} IS NOT NEW.${column}`).join(" OR ");
  return [
    // A study without films changes none; its films tell of themselves.
    ...(table === "study" ? [] : [trigger("INSERT", "NEW", source.kind, [])]),
    ...(columns.length === 0
      ? []
      : [trigger(`UPDATE OF ${columns.join(", ")}`, "NEW", source.kind, [differs])]),
    ...(table === "study" ? [] : [trigger("DELETE", "OLD", source.deleted ?? source.kind, [])]),
  ].join("");
}

/** Entries that the log of a cohort reaches back: some 2 MB. */
const keptEntries = 65_536;

export const filmChanges = `
${formerTriggers.map((name) => `DROP TRIGGER ${name};`).join("\n")}

-- The newest entry of the cohort's log, and what it is about.
ALTER TABLE film_revision ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
ALTER TABLE film_revision ADD COLUMN kind TEXT;
ALTER TABLE film_revision ADD COLUMN subject INTEGER;
CREATE TABLE film_change (
  cohort_id INTEGER NOT NULL REFERENCES cohort (id),
  entry INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('film', 'patient', 'split', 'all')),
  subject INTEGER NOT NULL,
  PRIMARY KEY (cohort_id, entry)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER film_change_first AFTER INSERT ON film_revision WHEN NEW.entry > 0
BEGIN INSERT INTO film_change VALUES (NEW.cohort_id, NEW.entry, NEW.kind, NEW.subject); END;
CREATE TRIGGER film_change_next AFTER UPDATE ON film_revision WHEN NEW.entry <> OLD.entry
BEGIN
  INSERT INTO film_change VALUES (NEW.cohort_id, NEW.entry, NEW.kind, NEW.subject);
  DELETE FROM film_change WHERE cohort_id = NEW.cohort_id AND entry <= NEW.entry - ${keptEntries};
END;
${sources.map(triggersOf).join("")}

-- The columns of a cohort's films as of a revision, so that opening a large cohort does not read
-- every row. Nothing stands here that the other tables do not hold.
CREATE TABLE film_columns (
  cohort_id INTEGER PRIMARY KEY REFERENCES cohort (id),
  revision INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
DELETE FROM film_count;
`;

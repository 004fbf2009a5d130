import type { SplitPart } from "../../shared/domain.ts";
import type { FindingKey, Grade } from "../../shared/findings.ts";
import type { Sex } from "../../shared/subgroups.ts";
import { now, type Database } from "./database.ts";

export interface NewReading {
  readonly imageId: number;
  readonly reader: string;
  readonly source: string;
  readonly grades: Readonly<Record<FindingKey, Grade>>;
}

/** Writes readings and what follows from them; call its functions inside one transaction. */
export function labelWriter(database: Database) {
  const latest = database
    .prepare(
      "SELECT grades FROM reading WHERE image_id = ? AND reader = ? ORDER BY id DESC LIMIT 1",
    )
    .pluck();
  const insertReading = database.prepare(
    `INSERT INTO reading (image_id, reader, source, grades, recorded_at) VALUES (?, ?, ?, ?, ?)`,
  );
  const setConsensus = database.prepare(
    `INSERT INTO consensus (image_id, finding, grade, reading_id) VALUES (?, ?, ?, ?)
     ON CONFLICT (image_id, finding) DO UPDATE
       SET grade = excluded.grade, reading_id = excluded.reading_id`,
  );
  const setAttribute = database.prepare(
    `INSERT INTO attribute (patient_id, name, value, source, recorded_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (patient_id, name) DO UPDATE SET value = excluded.value,
       source = excluded.source, recorded_at = excluded.recorded_at`,
  );
  const fillSex = database.prepare(
    "UPDATE patient SET sex = ?, sex_source = ? WHERE id = ? AND sex IS NULL",
  );
  const sexOf = database.prepare("SELECT sex FROM patient WHERE id = ?").pluck();
  const fillAge = database.prepare(
    "UPDATE image SET age_years = ?, age_source = ? WHERE id = ? AND age_years IS NULL",
  );
  const setFold = database.prepare(
    `INSERT INTO image_fold (image_id, part, source, recorded_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (image_id) DO UPDATE SET part = excluded.part, source = excluded.source,
       recorded_at = excluded.recorded_at`,
  );
  const setSubgroup = database.prepare(
    `INSERT INTO image_subgroup (image_id, name, value, source, recorded_at)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value, source = excluded.source,
       recorded_at = excluded.recorded_at`,
  );

  return {
    /**
     * Appends a reading and takes its grades as the consensus. A reading that says what the same
     * reader's last one of this image said is not written again.
     *
     * @param consensus false for one reader of several, whose consensus is a reading of its own
     */
    addReading(reading: NewReading, consensus = true): boolean {
      const before = latest.get(reading.imageId, reading.reader) as string | undefined;
      if (before !== undefined && saysTheSame(before, reading.grades)) return false;
      const id = insertReading.run(
        reading.imageId,
        reading.reader,
        reading.source,
        JSON.stringify(reading.grades),
        now(),
      ).lastInsertRowid;
      for (const [finding, grade] of consensus ? Object.entries(reading.grades) : []) {
        setConsensus.run(reading.imageId, finding, grade, id);
      }
      return true;
    },
    setAttribute(patientId: number, name: string, value: number, source: string): void {
      setAttribute.run(patientId, name, value, source, now());
    },
    /** Fills a missing sex. @returns the sex that the store holds where it differs, else null. */
    fillSex(patientId: number, sex: Sex, source: string): Sex | null {
      fillSex.run(sex, source, patientId);
      const stored = sexOf.get(patientId) as Sex;
      return stored === sex ? null : stored;
    },
    /** Fills a missing age at the time of the image. */
    fillAge(imageId: number, ageYears: number, source: string): void {
      fillAge.run(ageYears, source, imageId);
    },
    /** The part of the split that the data set's own folds give an image. */
    setFold(imageId: number, part: SplitPart, source: string): void {
      setFold.run(imageId, part, source, now());
    },
    /** An image's value in a free subgroup. */
    setSubgroup(imageId: number, name: string, value: string, source: string): void {
      setSubgroup.run(imageId, name, value, source, now());
    },
  };
}

/** Whether stored grades are these, in whatever order. */
function saysTheSame(stored: string, grades: NewReading["grades"]): boolean {
  const before = JSON.parse(stored) as NewReading["grades"];
  const entries = Object.entries(grades);
  return (
    Object.keys(before).length === entries.length &&
    entries.every(([finding, grade]) => before[finding] === grade)
  );
}

/** Looks up the images that a row of a labels file may mean. */
export function imageFinder(database: Database, cohortId: number) {
  const byInstance = database
    .prepare("SELECT id FROM image WHERE cohort_id = ? AND instance_pseudonym = ?")
    .pluck();
  const byName = database
    .prepare(
      `SELECT DISTINCT image_id FROM source_file
       WHERE cohort_id = ? AND name_key = ? AND image_id IS NOT NULL`,
    )
    .pluck();
  const byPatient = database
    .prepare(
      `SELECT image.id FROM image JOIN patient ON patient.id = image.patient_id
       WHERE image.cohort_id = @cohortId AND (patient.identifier_key = @pseudonym OR patient.pseudonym = @pseudonym)
         -- A table names no issuer: an identifier of two patients is neither's.
         AND (SELECT count(*) FROM patient AS same WHERE same.cohort_id = @cohortId
           AND (same.identifier_key = @pseudonym OR same.pseudonym = @pseudonym)) = 1`,
    )
    .pluck();
  const included = database
    .prepare("SELECT id FROM image WHERE cohort_id = ? AND status = 'included' ORDER BY id")
    .pluck();
  const patientOf = database.prepare(
    `SELECT patient.id, coalesce(patient.identifier_key, patient.pseudonym) AS pseudonym FROM image
       JOIN patient ON patient.id = image.patient_id WHERE image.id = ?`,
  );
  return {
    byInstance: (pseudonym: string) => byInstance.all(cohortId, pseudonym) as number[],
    byFileName: (nameKey: string) => byName.all(cohortId, nameKey) as number[],
    byPatient: (pseudonym: string) => byPatient.all({ cohortId, pseudonym }) as number[],
    includedImages: () => included.all(cohortId) as number[],
    patientOf: (imageId: number) =>
      patientOf.get(imageId) as { readonly id: number; readonly pseudonym: string },
  };
}

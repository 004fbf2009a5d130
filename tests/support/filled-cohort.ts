import { transaction, type Database } from "../../src/main/store/database.ts";
import { findingSchemes } from "../../src/shared/findings.ts";
import { seeded } from "./films.ts";

interface FilledCohort {
  readonly images: number;
  readonly patients: number;
  /** Seals a path; needed where the store is opened with its site's identity. */
  readonly seal?: (path: string) => Buffer;
}

/** Fills a new cohort of an empty store with the rows that intake and a labels file would have made. */
export function fillCohort(
  database: Database,
  cohortId: number,
  { images, patients, seal = () => Buffer.alloc(60) }: FilledCohort,
): void {
  const random = seeded(1);
  const hexadecimal = (value: number): string =>
    (Math.imul(value, 2654435761) >>> 0).toString(16).padStart(8, "0").repeat(4);
  const insert = (table: string, columns: string) =>
    database.prepare<unknown[]>(
      `INSERT INTO ${table} (${columns}) VALUES (${columns.replace(/[^,]+/g, "?")})`,
    );
  transaction(database, () => {
    const patient = insert("patient", "id, cohort_id, pseudonym, sex");
    const study = insert("study", "id, patient_id, pseudonym, shifted_date");
    const series = insert("series", "id, study_id, pseudonym, modality, manufacturer");
    const image = insert(
      "image",
      "id, cohort_id, patient_id, series_id, instance_pseudonym, content_hash, status, " +
        "status_reason, view_position, photometric_interpretation, transfer_syntax, pixel_rows, " +
        "pixel_columns, bits_stored, age_years, frame_shard, frame_position, frame_bytes, " +
        "frame_checksum, imported_at",
    );
    const file = insert(
      "source_file",
      "cohort_id, path_key, path_sealed, name_key, size_bytes, modified_milliseconds, outcome, " +
        "image_id, recorded_at",
    );
    const reading = insert("reading", "id, image_id, reader, source, grades, recorded_at");
    const consensus = insert("consensus", "image_id, finding, grade, reading_id");
    const subgroup = insert("image_subgroup", "image_id, name, value, source, recorded_at");
    const attribute = insert("attribute", "patient_id, name, value, source, recorded_at");
    const split = insert(
      "split",
      "id, cohort_id, created_at, train_fraction, validation_fraction, test_fraction",
    );
    const member = insert("split_member", "split_id, patient_id, part");
    const when = "2026-01-01T00:00:00.000Z";
    split.run(1, cohortId, when, 0.7, 0.1, 0.2);
    for (let p = 1; p <= patients; p++) {
      patient.run(p, cohortId, hexadecimal(p), random() < 0.5 ? "F" : "M");
      attribute.run(p, "comorbidity_count", Math.floor(random() * 6), "bench", when);
      const share = random();
      member.run(1, p, share < 0.7 ? "train" : share < 0.8 ? "validation" : "test");
    }
    for (let i = 1; i <= images; i++) {
      const p = 1 + Math.floor(random() * patients);
      const day = Math.floor(random() * 3000);
      const date = new Date(Date.UTC(2015, 0, 1 + day)).toISOString().slice(0, 10);
      study.run(i, p, hexadecimal(i + 1e6), date);
      series.run(i, i, hexadecimal(i + 2e6), random() < 0.5 ? "DX" : "CR", "Maker");
      const aside = random() < 0.05;
      image.run(
        i,
        cohortId,
        p,
        i,
        hexadecimal(i + 3e6),
        hexadecimal(i + 4e6).repeat(2),
        aside ? "set-aside" : "included",
        aside ? "Lateral view." : null,
        random() < 0.7 ? "PA" : "AP",
        "MONOCHROME2",
        "1.2.840.10008.1.2.1",
        2048,
        2048,
        12,
        18 + Math.floor(random() * 80),
        "bench",
        i * 4096,
        4096,
        i,
        when,
      );
      file.run(
        cohortId,
        hexadecimal(i + 5e6),
        seal(`/films/${i}.dcm`),
        hexadecimal(i + 6e6),
        8_400_000,
        i,
        "imported",
        i,
        when,
      );
      subgroup.run(i, "ward", String(Math.floor(random() * 8)), "bench", when);
      subgroup.run(i, "scanner", random() < 0.6 ? "portable" : "fixed", "bench", when);
      reading.run(i, i, "bench", "bench", "{}", when);
      for (const finding of findingSchemes.sided.keys) {
        consensus.run(i, finding, Math.floor(random() ** 3 * 5), i);
      }
    }
  });
}

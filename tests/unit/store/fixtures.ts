import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sex } from "../../../src/shared/subgroups.ts";
import { openDatabase, type Database } from "../../../src/main/store/database.ts";
import { createCohort } from "../../../src/main/store/cohorts.ts";

/** A store in a new temporary folder, with one empty cohort. */
export function openTestStore(): { database: Database; cohortId: number; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-store-"));
  const database = openDatabase(join(folder, "silhouette.sqlite"));
  const cohort = createCohort(database, {
    name: "test",
    framePixels: 64,
    pixelPipeline: "test",
    positiveAtGrade: 2,
  });
  return { database, cohortId: cohort.id, folder };
}

export interface TestImage {
  readonly patient: string;
  readonly sex?: Sex | null;
  readonly instance: string;
  readonly content?: string;
  readonly file?: string;
  readonly ageYears?: number | null;
  readonly status?: "included" | "set-aside";
}

/** Adds one image with its patient, study and series, as intake would; returns its number. */
export function addImage(database: Database, cohortId: number, image: TestImage): number {
  const upsert = (sql: string, ...values: (string | number | null)[]): number =>
    database
      .prepare(sql)
      .pluck()
      .get(...values) as number;
  const patient = upsert(
    `INSERT INTO patient (cohort_id, pseudonym, sex) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET sex = sex RETURNING id`,
    cohortId,
    image.patient,
    image.sex ?? null,
  );
  const study = upsert(
    `INSERT INTO study (patient_id, pseudonym) VALUES (?, ?) RETURNING id`,
    patient,
    `study ${image.instance}`,
  );
  const series = upsert(
    `INSERT INTO series (study_id, pseudonym, modality) VALUES (?, ?, 'DX') RETURNING id`,
    study,
    `series ${image.instance}`,
  );
  const id = upsert(
    `INSERT INTO image (cohort_id, patient_id, series_id, instance_pseudonym, content_hash, status,
       photometric_interpretation, transfer_syntax, pixel_rows, pixel_columns, bits_stored,
       age_years, frame_shard, frame_position, frame_bytes, frame_checksum, imported_at)
     VALUES (?, ?, ?, ?, ?, ?, 'MONOCHROME2', '1.2.840.10008.1.2.1', 64, 64, 12, ?,
       'none', 0, 4096, 0, '2026-01-01T00:00:00.000Z') RETURNING id`,
    cohortId,
    patient,
    series,
    image.instance,
    image.content ?? `content ${image.instance}`,
    image.status ?? "included",
    image.ageYears ?? null,
  );
  database
    .prepare(
      `INSERT INTO source_file (cohort_id, path_key, path_sealed, name_key, size_bytes,
         modified_milliseconds, outcome, image_id, recorded_at)
       VALUES (?, ?, x'00', ?, 1, 1, 'imported', ?, '2026-01-01T00:00:00.000Z')`,
    )
    .run(cohortId, `path ${image.instance}`, image.file ?? `${image.instance}.dcm`, id);
  return id;
}

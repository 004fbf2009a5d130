import type { AsideCode, ImageStatus, ReviewFlag } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import type { Sex } from "../../shared/subgroups.ts";
import { now, type Database } from "./database.ts";
import type { FrameLocation } from "./image-cache.ts";
import type { SiteIdentity } from "./identity.ts";
import { setAsideRepeats } from "./repeats.ts";

/** A film as intake hands it over: pseudonyms only. */
export interface NewImage {
  readonly patient: {
    readonly pseudonym: string;
    /** The pseudonym without the issuer, by which tables name the patient. */
    readonly identifierKey: string;
    readonly sex: Sex | null;
    /** The table that it was filled from; null or absent where the film says it. */
    readonly sexSource?: string | null;
  };
  readonly study: { readonly pseudonym: string; readonly shiftedDate: string | null };
  readonly series: {
    readonly pseudonym: string;
    readonly modality: string | null;
    readonly manufacturer: string | null;
  };
  readonly instancePseudonym: string;
  readonly contentHash: string;
  readonly status: ImageStatus;
  readonly asideCode: AsideCode | null;
  readonly statusReason: string | null;
  readonly reviewFlag: ReviewFlag | null;
  /** Rectangles in which words seem to stand, as JSON; null where there are none. */
  readonly lettering: string | null;
  /** Of the exposure within its day, moved by the patient's secret amount. */
  readonly shiftedSecond: number | null;
  readonly viewPosition: string | null;
  readonly photometricInterpretation: string;
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly bitsStored: number;
  readonly ageYears: number | null;
  readonly ageSource?: string | null;
  readonly frame: Required<FrameLocation> & { readonly bytes: number };
}

export type SourceOutcome = "imported" | "duplicate" | "quarantined";

/** A file that intake has finished with. */
export interface SourceFile {
  readonly pathKey: string;
  readonly pathSealed: Uint8Array;
  readonly nameKey: string;
  readonly sizeBytes: number;
  readonly modifiedMilliseconds: number;
  readonly outcome: SourceOutcome;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly imageId: number | null;
}

export type KnownFile = Pick<
  SourceFile,
  "sizeBytes" | "modifiedMilliseconds" | "outcome" | "reasonCode" | "reason"
>;

export interface KnownImage {
  readonly id: number;
  readonly contentHash: string;
  readonly patient: string;
}

/** What intake reads and writes of one cohort. Statements are prepared once. */
export interface ImageRepository {
  knownFile(pathKey: string): KnownFile | null;
  byInstance(instancePseudonym: string): KnownImage | null;
  byContent(contentHash: string): KnownImage | null;
  /**
   * The pseudonym under which the cohort has this patient. A file that names no issuer belongs to
   * the one patient of that identifier whom the cohort knows, and the other way round: one
   * patient counted as two would halve what the privacy figure protects.
   */
  knownPatient(pseudonym: string, identifierKey: string): string;
  /** @returns the new image's id. Call inside a transaction, after the frame is on the disk. */
  addImage(image: NewImage): number;
  /** Records or replaces what became of a file. */
  recordFile(file: SourceFile): void;
}

export function imageRepository(database: Database, cohortId: number): ImageRepository {
  const knownFile = database.prepare(
    `SELECT size_bytes AS sizeBytes, modified_milliseconds AS modifiedMilliseconds, outcome,
       reason_code AS reasonCode, reason
     FROM source_file WHERE cohort_id = ? AND path_key = ?`,
  );
  const knownImage = (column: "instance_pseudonym" | "content_hash") =>
    database.prepare(
      `SELECT image.id, content_hash AS contentHash, patient.pseudonym AS patient
       FROM image JOIN patient ON patient.id = image.patient_id
       WHERE image.cohort_id = ? AND image.${column} = ? ORDER BY image.id LIMIT 1`,
    );
  const byInstance = knownImage("instance_pseudonym");
  const byContent = knownImage("content_hash");
  // The sex stays as first seen; a file that lacks it does not erase it.
  const patient = database
    .prepare(
      `INSERT INTO patient (cohort_id, pseudonym, identifier_key, sex, sex_source)
       VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (cohort_id, pseudonym) DO UPDATE SET sex = coalesce(sex, excluded.sex),
         sex_source = CASE WHEN sex IS NULL THEN excluded.sex_source ELSE sex_source END,
         identifier_key = coalesce(identifier_key, excluded.identifier_key)
       RETURNING id`,
    )
    .pluck();
  // Two searches: with OR every patient of the cohort would be met, for each film anew.
  const samePatients = database
    .prepare(
      `SELECT pseudonym FROM patient WHERE cohort_id = ? AND identifier_key = ?
       UNION ALL SELECT pseudonym FROM patient WHERE cohort_id = ? AND pseudonym = ?`,
    )
    .pluck();
  const study = database
    .prepare(
      `INSERT INTO study (patient_id, pseudonym, shifted_date) VALUES (?, ?, ?)
       ON CONFLICT (patient_id, pseudonym)
       DO UPDATE SET shifted_date = coalesce(shifted_date, excluded.shifted_date)
       RETURNING id`,
    )
    .pluck();
  const series = database
    .prepare(
      `INSERT INTO series (study_id, pseudonym, modality, manufacturer) VALUES (?, ?, ?, ?)
       ON CONFLICT (study_id, pseudonym) DO UPDATE SET modality = coalesce(modality, excluded.modality)
       RETURNING id`,
    )
    .pluck();
  const image = database.prepare(
    `INSERT INTO image (cohort_id, patient_id, series_id, instance_pseudonym, content_hash, status,
       status_reason, view_position, photometric_interpretation, transfer_syntax, pixel_rows,
       pixel_columns, bits_stored, age_years, age_source, frame_shard, frame_position, frame_bytes,
       frame_checksum, imported_at, aside_code, review_flag, lettering, shifted_second)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const sourceFile = database.prepare(
    `INSERT INTO source_file (cohort_id, path_key, path_sealed, name_key, size_bytes,
       modified_milliseconds, outcome, reason_code, reason, image_id, recorded_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (cohort_id, path_key) DO UPDATE SET
       path_sealed = excluded.path_sealed, name_key = excluded.name_key,
       size_bytes = excluded.size_bytes, modified_milliseconds = excluded.modified_milliseconds,
       outcome = excluded.outcome, reason_code = excluded.reason_code, reason = excluded.reason,
       image_id = excluded.image_id, recorded_at = excluded.recorded_at`,
  );
  return {
    knownFile: (pathKey) => (knownFile.get(cohortId, pathKey) as KnownFile | undefined) ?? null,
    byInstance: (pseudonym) =>
      (byInstance.get(cohortId, pseudonym) as KnownImage | undefined) ?? null,
    byContent: (hash) => (byContent.get(cohortId, hash) as KnownImage | undefined) ?? null,
    knownPatient(pseudonym, identifierKey) {
      const keys = [cohortId, identifierKey, cohortId, identifierKey];
      const known = [...new Set(samePatients.all(...keys) as string[])];
      const [only] = known;
      if (only === undefined || known.length > 1 || known.includes(pseudonym)) return pseudonym;
      return pseudonym === identifierKey || only === identifierKey ? only : pseudonym;
    },
    addImage(added) {
      const { pseudonym: own, identifierKey, sex, sexSource = null } = added.patient;
      const patientId = patient.get(cohortId, own, identifierKey, sex, sexSource) as number;
      const studyId = study.get(
        patientId,
        added.study.pseudonym,
        added.study.shiftedDate,
      ) as number;
      const { pseudonym, modality, manufacturer } = added.series;
      const seriesId = series.get(studyId, pseudonym, modality, manufacturer) as number;
      const { lastInsertRowid } = image.run(
        cohortId,
        patientId,
        seriesId,
        added.instancePseudonym,
        added.contentHash,
        added.status,
        added.statusReason,
        added.viewPosition,
        added.photometricInterpretation,
        added.transferSyntax,
        added.rows,
        added.columns,
        added.bitsStored,
        added.ageYears,
        added.ageSource ?? null,
        added.frame.shard,
        added.frame.position,
        added.frame.bytes,
        added.frame.checksum,
        now(),
        added.asideCode,
        added.reviewFlag,
        added.lettering,
        added.shiftedSecond,
      );
      const id = Number(lastInsertRowid);
      setAsideRepeats(database, id);
      return id;
    },
    recordFile(file) {
      sourceFile.run(
        cohortId,
        file.pathKey,
        file.pathSealed,
        file.nameKey,
        file.sizeBytes,
        file.modifiedMilliseconds,
        file.outcome,
        file.reasonCode,
        file.reason,
        file.imageId,
        now(),
      );
    },
  };
}

/** The path from which an image was imported, as `sourcePathsOfImage`; null where none is known. */
export function sourcePathOfImage(
  database: Database,
  identity: SiteIdentity,
  imageId: number,
): string | null {
  return sourcePathsOfImage(database, identity, imageId)[0] ?? null;
}

/**
 * The paths of an image's files, the one from which it was imported first; none where they are not
 * known any more. The files may have moved since.
 */
export function sourcePathsOfImage(
  database: Database,
  identity: SiteIdentity,
  imageId: number,
): string[] {
  if (identity.locked) return [];
  const rows = database
    .prepare(
      `SELECT path_sealed FROM source_file WHERE image_id = ?
       ORDER BY outcome = 'imported' DESC, id`,
    )
    .pluck()
    .all(imageId) as Uint8Array[];
  return rows.map((sealed) => identity.open(sealed));
}

/** What every frame of a cohort has in common. */
export interface FrameFormat {
  /** Side of the square frame. */
  readonly framePixels: number;
  /** The pixel pipeline that makes the frames. */
  readonly pixelPipeline: string;
}

/** @throws UserError "not-found" where there is no such cohort. */
export function frameFormatOf(database: Database, cohortId: number): FrameFormat {
  const row = database
    .prepare(
      "SELECT frame_pixels AS framePixels, pixel_pipeline AS pixelPipeline FROM cohort WHERE id = ?",
    )
    .get(cohortId) as FrameFormat | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no cohort with the number ${cohortId}.`);
  }
  return row;
}

/** Whether a cohort tells equal Patient IDs of different issuers apart. */
export function issuersCount(database: Database, cohortId: number): boolean {
  const flag = database
    .prepare("SELECT issuer_in_pseudonym FROM cohort WHERE id = ?")
    .pluck()
    .get(cohortId);
  return flag === 1;
}

/** The content hash of a cohort's first film; null where it has none. */
export function firstContentHash(database: Database, cohortId: number): string | null {
  const hash = database
    .prepare("SELECT content_hash FROM image WHERE cohort_id = ? ORDER BY id LIMIT 1")
    .pluck()
    .get(cohortId) as string | undefined;
  return hash ?? null;
}

/** Where the frames of images stand, in the order of the ids. */
export function frameLocations(
  database: Database,
  imageIds: readonly number[],
): readonly Required<FrameLocation>[] {
  const statement = database.prepare(
    `SELECT frame_shard AS shard, frame_position AS position, frame_checksum AS checksum
     FROM image WHERE id = ?`,
  );
  return imageIds.map((id) => {
    const row = statement.get(id) as Required<FrameLocation> | undefined;
    if (row === undefined) throw new Error(`There is no image ${id}.`);
    return row;
  });
}

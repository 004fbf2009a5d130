import type { z } from "zod";
import type { imageSortSchema } from "../../shared/contract.ts";
import type { AttributeSources, ImageFilter, ImageRow, ImageStatus } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import type { Database } from "./database.ts";
import { orderedFilms, prepareFilmIndex } from "./film-index.ts";
import { rawTakenBack } from "./status-changes.ts";

export type ImageSort = z.output<typeof imageSortSchema>;

const from = `
  FROM image
  JOIN patient ON patient.id = image.patient_id
  JOIN series ON series.id = image.series_id
  JOIN study ON study.id = series.study_id
  LEFT JOIN attribute ON attribute.patient_id = patient.id AND attribute.name = 'comorbidity_count'
  LEFT JOIN split_member ON split_member.patient_id = patient.id AND split_member.split_id =
    (SELECT id FROM split WHERE split.cohort_id = image.cohort_id ORDER BY id DESC LIMIT 1)`;

const columns = `
  image.id, patient.pseudonym AS patient, patient.id AS patientId,
  study.shifted_date AS studyDate, image.age_years AS ageYears, patient.sex,
  image.view_position AS viewPosition, series.modality, series.manufacturer,
  image.status, image.status_reason AS statusReason, image.review_flag AS reviewFlag,
  image.review_state AS reviewState, split_member.part,
  CAST(attribute.value AS INTEGER) AS comorbidityCount,
  (SELECT json_group_object(finding, grade) FROM consensus WHERE image_id = image.id) AS grades`;

/** Which films of a cohort are asked for, and which of these are shown. */
export interface ImageQuery {
  readonly cohortId: number;
  readonly filter: ImageFilter;
  readonly sort: ImageSort;
  readonly offset: number;
  readonly limit: number;
}

/** The same as `imageRows`; what has to be read for it first does not hold the process up. */
export async function imageRowsSoon(
  database: Database,
  query: ImageQuery,
): Promise<{ total: number; rows: ImageRow[] }> {
  if (!isPlain(query.filter, query.sort)) await prepareFilmIndex(database, query.cohortId);
  return imageRows(database, query);
}

/** A window of the cohort's images in the order asked for, and how many match in all. */
export function imageRows(
  database: Database,
  query: ImageQuery,
): { total: number; rows: ImageRow[] } {
  const { offset, limit } = query;
  const { total, ids } = isPlain(query.filter, query.sort)
    ? plainWindow(database, query.cohortId, offset, limit)
    : windowOf(orderedFilms(database, query), offset, limit);
  const rows = database
    .prepare(`SELECT ${columns} ${from} WHERE image.id IN (SELECT value FROM json_each(?))`)
    .all(JSON.stringify(ids)) as StoredRow[];
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    total,
    rows: ids.flatMap((id) => {
      const row = byId.get(id);
      return row === undefined ? [] : [toImageRow(row)];
    }),
  };
}

/** All films by their number, as a cohort is opened: the store has that order at hand. */
function isPlain(filter: ImageFilter, sort: ImageSort): boolean {
  return sort.column === "id" && !sort.descending && Object.keys(filter).length === 0;
}

interface IdWindow {
  readonly total: number;
  readonly ids: readonly number[];
}

function plainWindow(
  database: Database,
  cohortId: number,
  offset: number,
  limit: number,
): IdWindow {
  const total = database
    .prepare("SELECT count(*) FROM image WHERE cohort_id = ?")
    .pluck()
    .get(cohortId) as number;
  const ids = database
    .prepare("SELECT id FROM image WHERE cohort_id = ? ORDER BY id LIMIT ? OFFSET ?")
    .pluck()
    .all(cohortId, limit, offset) as number[];
  return { total, ids };
}

function windowOf(ids: Int32Array, offset: number, limit: number): IdWindow {
  return { total: ids.length, ids: [...ids.subarray(offset, offset + limit)] };
}

/** @throws UserError "not-found". */
export function imageRow(database: Database, imageId: number): ImageRow {
  const row = database.prepare(`SELECT ${columns} ${from} WHERE image.id = ?`).get(imageId) as
    StoredRow | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no image with the number ${imageId}.`);
  }
  return toImageRow(row);
}

/** What the viewer shows of the film beside its row in the table. */
export interface ImageDetails {
  readonly rows: number;
  readonly columns: number;
  readonly bitsStored: number;
  readonly photometricInterpretation: string;
}

/** @throws UserError "not-found". */
export function imageDetails(database: Database, imageId: number): ImageDetails {
  const row = database
    .prepare(
      `SELECT pixel_rows AS rows, pixel_columns AS columns, bits_stored AS bitsStored,
         photometric_interpretation AS photometricInterpretation FROM image WHERE id = ?`,
    )
    .get(imageId) as ImageDetails | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no image with the number ${imageId}.`);
  }
  return row;
}

/** Where the film's sex, age, co-morbidities and free subgroups come from. */
export function attributeSources(database: Database, imageId: number): AttributeSources {
  const sources = database
    .prepare(
      `SELECT patient.sex_source AS sexSource, image.age_source AS ageSource,
         (SELECT source FROM attribute WHERE attribute.patient_id = patient.id
           AND name = 'comorbidity_count') AS comorbiditySource
       FROM image JOIN patient ON patient.id = image.patient_id WHERE image.id = ?`,
    )
    .get(imageId) as Omit<AttributeSources, "subgroups"> | undefined;
  if (sources === undefined) {
    throw new UserError("not-found", `There is no image with the number ${imageId}.`);
  }
  const subgroups = database
    .prepare("SELECT name, value, source FROM image_subgroup WHERE image_id = ? ORDER BY name")
    .all(imageId) as AttributeSources["subgroups"];
  return { ...sources, subgroups };
}

/** Includes an image, or sets it aside with a reason; raw detector data go on saying what they are. */
export function setImageStatus(
  database: Database,
  imageId: number,
  status: ImageStatus,
  reason: string | null,
): ImageRow {
  const now = database
    .prepare("SELECT aside_code AS code, status_reason AS reason FROM image WHERE id = ?")
    .get(imageId) as { code: string | null; reason: string | null } | undefined;
  const isRaw = now?.code === "for-processing" || now?.reason === rawTakenBack;
  const included = status === "included";
  const code = isRaw ? "for-processing" : "by-hand";
  database
    .prepare(
      `UPDATE image SET status = ?, status_reason = ?, aside_code = ?, decided_by_person = 1
       WHERE id = ?`,
    )
    .run(
      status,
      included ? (isRaw ? rawTakenBack : null) : reason,
      included ? null : code,
      imageId,
    );
  return imageRow(database, imageId);
}

/** The makers of the cohort's films, as kept; null stands for unknown. */
export function manufacturersOf(database: Database, cohortId: number): (string | null)[] {
  return database
    .prepare(
      `SELECT DISTINCT series.manufacturer FROM image
       JOIN series ON series.id = image.series_id WHERE image.cohort_id = ?`,
    )
    .pluck()
    .all(cohortId) as (string | null)[];
}

/** The cohort of an image. */
export function cohortOfImage(database: Database, imageId: number): number {
  const id = database.prepare("SELECT cohort_id FROM image WHERE id = ?").pluck().get(imageId) as
    number | undefined;
  if (id === undefined) {
    throw new UserError("not-found", `There is no image with the number ${imageId}.`);
  }
  return id;
}

type StoredRow = Omit<ImageRow, "grades"> & { readonly grades: string };

function toImageRow(row: StoredRow): ImageRow {
  return { ...row, grades: JSON.parse(row.grades) as ImageRow["grades"] };
}

import type {
  FilmRegion,
  ImageStatus,
  ReviewCounts,
  ReviewFlag,
  ReviewItem,
  ReviewPolicy,
  ReviewState,
} from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { now, type Database } from "./database.ts";
import type { FrameLocation } from "./image-cache.ts";

const columns = `
  image.id AS imageId, image.cohort_id AS cohortId, patient.pseudonym AS patient,
  image.view_position AS viewPosition, series.modality, image.status,
  image.status_reason AS statusReason, image.aside_code AS asideCode,
  image.decided_by_person AS decidedByPerson,
  image.review_flag AS flag, image.review_state AS state, image.lettering,
  image.blackened, image.pixel_rows AS rows, image.pixel_columns AS columns,
  (SELECT count(*) FROM image_review WHERE image_id = image.id) AS version,
  (SELECT count(*) FROM image_review WHERE image_id = image.id AND decision <> 'undo')
    - (SELECT count(*) FROM image_review WHERE image_id = image.id AND decision = 'undo')
    AS undoable`;
const from = `FROM image JOIN patient ON patient.id = image.patient_id
  JOIN series ON series.id = image.series_id`;

interface Row {
  readonly imageId: number;
  readonly cohortId: number;
  readonly patient: string;
  readonly viewPosition: string | null;
  readonly modality: string | null;
  readonly status: ImageStatus;
  readonly statusReason: string | null;
  readonly asideCode: string | null;
  readonly decidedByPerson: number;
  readonly flag: ReviewFlag | null;
  readonly state: ReviewState;
  readonly lettering: string | null;
  readonly blackened: string | null;
  readonly rows: number;
  readonly columns: number;
  readonly version: number;
  readonly undoable: number;
}

/** What of an image a decision changes. */
export interface Reviewed {
  readonly status: ImageStatus;
  readonly statusReason: string | null;
  readonly asideCode: string | null;
  readonly decidedByPerson: number;
  readonly state: ReviewState;
  readonly blackened: readonly FilmRegion[];
}

export type Decision = "accept" | "blackout" | "set-aside";

/**
 * Films in which something speaks for text (or, with `unflagged`, all included ones): the open
 * ones, or those that a person has decided on.
 */
export function reviewQueue(
  database: Database,
  query: {
    readonly cohortId: number;
    readonly decided: boolean;
    readonly unflagged: boolean;
    readonly offset: number;
    readonly limit: number;
  },
): { readonly total: number; readonly rows: readonly ReviewItem[] } {
  const where = `image.cohort_id = @cohortId AND ${
    query.decided
      ? "(image.review_state <> 'open' OR image.aside_code = 'burned-in')"
      : "image.review_state = 'open' AND image.status = 'included'" +
        (query.unflagged ? "" : " AND image.review_flag IS NOT NULL")
  }`;
  const { cohortId, offset, limit } = query;
  const total = database
    .prepare(`SELECT count(*) FROM image WHERE ${where}`)
    .pluck()
    .get({ cohortId }) as number;
  const rows = database
    .prepare(
      `SELECT ${columns} ${from} WHERE ${where} ORDER BY image.id LIMIT @limit OFFSET @offset`,
    )
    .all({ cohortId, limit, offset }) as Row[];
  return { total, rows: rows.map(toItem) };
}

/** @throws UserError "not-found". */
export function reviewItem(database: Database, imageId: number): ReviewItem & { cohortId: number } {
  const row = rowOf(database, imageId);
  return { ...toItem(row), cohortId: row.cohortId };
}

/** What a decision would change, as it stands now. @throws UserError "not-found". */
export function reviewedState(database: Database, imageId: number): Reviewed {
  const row = rowOf(database, imageId);
  return {
    status: row.status,
    statusReason: row.statusReason,
    asideCode: row.asideCode,
    decidedByPerson: row.decidedByPerson,
    state: row.state,
    blackened: regionsOf(row.blackened),
  };
}

/** What stood before the last decision that has not been undone; null where there is none. */
export function beforeLastDecision(database: Database, imageId: number): Reviewed | null {
  const rows = database
    .prepare("SELECT decision, before FROM image_review WHERE image_id = ? ORDER BY id DESC")
    .all(imageId) as { readonly decision: string; readonly before: string }[];
  let undone = 0;
  for (const { decision, before } of rows) {
    if (decision === "undo") undone++;
    else if (undone > 0) undone--;
    else return JSON.parse(before) as Reviewed;
  }
  return null;
}

/**
 * Writes a decision and what follows from it. Where the film has a new frame, the old one is noted
 * for erasure in the same transaction; call this inside one, with the new frame on the disk.
 */
export function recordDecision(
  database: Database,
  decision: {
    readonly imageId: number;
    readonly decision: Decision | "undo";
    readonly reader: string;
    readonly after: Reviewed;
    readonly frame: Required<FrameLocation> | null;
  },
): void {
  const { imageId, after, frame } = decision;
  database
    .prepare(
      `INSERT INTO image_review (image_id, decision, regions, before, reader, recorded_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    )
    .run(
      imageId,
      decision.decision,
      JSON.stringify(after.blackened),
      JSON.stringify(reviewedState(database, imageId)),
      decision.reader,
      now(),
    );
  database
    .prepare(
      `UPDATE image SET status = ?, status_reason = ?, aside_code = ?, decided_by_person = ?,
         review_state = ?, blackened = ? WHERE id = ?`,
    )
    .run(
      after.status,
      after.statusReason,
      after.asideCode,
      after.decidedByPerson,
      after.state,
      after.blackened.length === 0 ? null : JSON.stringify(after.blackened),
      imageId,
    );
  if (frame === null) return;
  database
    .prepare(
      `INSERT INTO frame_erasure (shard, position, bytes, cohort_id)
       SELECT frame_shard, frame_position, frame_bytes, cohort_id FROM image WHERE id = ?`,
    )
    .run(imageId);
  database
    .prepare(
      "UPDATE image SET frame_shard = ?, frame_position = ?, frame_checksum = ? WHERE id = ?",
    )
    .run(frame.shard, frame.position, frame.checksum, imageId);
}

export function reviewCounts(database: Database, cohortId: number): ReviewCounts {
  const row = database
    .prepare(
      `SELECT review_policy AS policy,
         (SELECT count(*) FROM image WHERE cohort_id = @cohortId AND status = 'included'
           AND review_state = 'open') AS open,
         (SELECT count(*) FROM image WHERE cohort_id = @cohortId AND status = 'included'
           AND review_state = 'open' AND review_flag IS NOT NULL) AS openFlagged,
         (SELECT count(*) FROM image WHERE cohort_id = @cohortId AND review_state = 'accepted')
           AS accepted,
         (SELECT count(*) FROM image WHERE cohort_id = @cohortId AND review_state = 'blackened')
           AS blackened
       FROM cohort WHERE id = @cohortId`,
    )
    .get({ cohortId }) as ReviewCounts | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no cohort with the number ${cohortId}.`);
  }
  return row;
}

export function setReviewPolicy(database: Database, cohortId: number, policy: ReviewPolicy): void {
  database.prepare("UPDATE cohort SET review_policy = ? WHERE id = ?").run(policy, cohortId);
}

/** Why training has to wait for the review; null where it need not. */
export function reviewObstacle(database: Database, cohortId: number): string | null {
  const { policy, open, openFlagged } = reviewCounts(database, cohortId);
  const waiting = policy === "all" ? open : policy === "flagged" ? openFlagged : 0;
  if (waiting === 0) return null;
  const films = waiting === 1 ? "1 film has" : `${waiting} films have`;
  return `${films} not been looked at for burned-in text. Decide on them under Review, or let training go ahead there.`;
}

function rowOf(database: Database, imageId: number): Row {
  const row = database.prepare(`SELECT ${columns} ${from} WHERE image.id = ?`).get(imageId) as
    Row | undefined;
  if (row === undefined) {
    throw new UserError("not-found", `There is no image with the number ${imageId}.`);
  }
  return row;
}

function toItem(row: Row): ReviewItem {
  return {
    imageId: row.imageId,
    patient: row.patient,
    viewPosition: row.viewPosition,
    modality: row.modality,
    status: row.status,
    flag: row.flag,
    state: row.state,
    suggested: regionsOf(row.lettering),
    blackened: regionsOf(row.blackened),
    rows: row.rows,
    columns: row.columns,
    decided: row.undoable > 0,
    version: row.version,
  };
}

function regionsOf(json: string | null): readonly FilmRegion[] {
  return json === null ? [] : (JSON.parse(json) as FilmRegion[]);
}

import { UserError } from "../../shared/errors.ts";
import type { StartingWeights } from "../../shared/starting-weights.ts";
import { trainingPlanSchema, type TrainingPlan } from "../../shared/plan.ts";
import { preflightSchema, type Preflight } from "../../shared/preflight.ts";
import type { RunKind, RunState, TelemetryPoint } from "../../shared/domain.ts";
import { now, transaction, type Database } from "./database.ts";

/** A run as stored. */
export interface RunRecord {
  readonly id: string;
  readonly cohortId: number;
  readonly splitId: number;
  readonly kind: RunKind;
  readonly pairId: string | null;
  readonly state: RunState;
  readonly message: string | null;
  readonly plan: TrainingPlan;
  readonly engine: string | null;
  readonly device: string | null;
  /** The released weights, relative to the data folder. */
  readonly weightsFile: string | null;
  readonly weightsSha256: string | null;
  readonly stopRequested: boolean;
  /** Stopped so as to be gone on with. */
  readonly paused: boolean;
  readonly ownerProcess: number | null;
  readonly ownerHeartbeatAt: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly stepsJournaled: number;
  readonly scored: boolean;
  /** What the check before its last start measured. */
  readonly preflight: Preflight | null;
}

interface RunRow extends Omit<
  RunRecord,
  "plan" | "stopRequested" | "paused" | "scored" | "preflight"
> {
  readonly plan: string;
  readonly paused: number;
  readonly stopRequested: number;
  readonly scored: number;
  readonly preflight: string | null;
}

const runColumns = `
  id, cohort_id AS cohortId, split_id AS splitId, kind, pair_id AS pairId, state, message, plan,
  engine, device, weights_file AS weightsFile, weights_sha256 AS weightsSha256,
  stop_requested AS stopRequested, paused, owner_process AS ownerProcess,
  owner_heartbeat_at AS ownerHeartbeatAt, created_at AS createdAt, started_at AS startedAt,
  ended_at AS endedAt,
  (SELECT coalesce(max(step), 0) FROM step_journal WHERE run_id = run.id) AS stepsJournaled,
  EXISTS (SELECT 1 FROM prediction WHERE run_id = run.id AND part = 'test') AS scored,
  (SELECT body FROM preflight WHERE run_id = run.id ORDER BY id DESC LIMIT 1) AS preflight`;

function recordOf(row: RunRow): RunRecord {
  return {
    ...row,
    plan: trainingPlanSchema.parse(JSON.parse(row.plan)),
    stopRequested: row.stopRequested !== 0,
    paused: row.paused !== 0,
    scored: row.scored !== 0,
    preflight: row.preflight === null ? null : preflightSchema.parse(JSON.parse(row.preflight)),
  };
}

export interface NewRun {
  readonly id: string;
  readonly cohortId: number;
  readonly splitId: number;
  readonly kind: RunKind;
  readonly pairId: string | null;
  readonly plan: TrainingPlan;
  readonly ownerProcess: number;
  /** What of a weights file it starts from; null where it starts from nothing. */
  readonly startingWeights?: StartingWeights | null;
}

/** Writes a queued run. The plan is frozen from here on. */
export function insertRun(database: Database, run: NewRun): void {
  database
    .prepare(
      `INSERT INTO run (id, cohort_id, split_id, kind, pair_id, state, plan, weights_report,
         owner_process, owner_heartbeat_at, created_at)
       VALUES (@id, @cohortId, @splitId, @kind, @pairId, 'queued', @plan, @report, @ownerProcess,
         @at, @at)`,
    )
    .run({
      ...run,
      plan: JSON.stringify(run.plan),
      report: run.startingWeights == null ? null : JSON.stringify(run.startingWeights),
      at: now(),
    });
}

/** What of a weights file a run started from; null where it started from nothing. */
export function startingWeightsOf(database: Database, runId: string): StartingWeights | null {
  const text = database.prepare(`SELECT weights_report FROM run WHERE id = ?`).pluck().get(runId);
  return typeof text === "string" ? (JSON.parse(text) as StartingWeights) : null;
}

export function findRun(database: Database, runId: string): RunRecord | null {
  const row = database.prepare(`SELECT ${runColumns} FROM run WHERE id = ?`).get(runId);
  return row === undefined ? null : recordOf(row as RunRow);
}

/** @throws UserError "not-found" where there is no such run. */
export function requireRun(database: Database, runId: string): RunRecord {
  const run = findRun(database, runId);
  if (run === null) {
    throw new UserError(
      "not-found",
      `There is no run ${runId} in this data folder. "silhouette runs COHORT" lists the runs.`,
    );
  }
  return run;
}

/** The runs of a cohort, newest first. */
export function runsOfCohort(database: Database, cohortId: number): RunRecord[] {
  const rows = database
    .prepare(
      `SELECT ${runColumns} FROM run WHERE cohort_id = ? ORDER BY created_at DESC, rowid DESC`,
    )
    .all(cohortId) as RunRow[];
  return rows.map(recordOf);
}

/** Runs that are queued or under way, in whatever process. */
export function openRuns(database: Database): RunRecord[] {
  const rows = database
    .prepare(
      `SELECT ${runColumns} FROM run WHERE state IN ('queued', 'running')
       ORDER BY created_at, rowid`,
    )
    .all() as RunRow[];
  return rows.map(recordOf);
}

/** The plan of a run as the exact text that its row holds. */
export function storedPlanText(database: Database, runId: string): string {
  const text = database.prepare(`SELECT plan FROM run WHERE id = ?`).pluck().get(runId);
  return typeof text === "string" ? text : "";
}

/** Back to queued, to be carried by this process. */
export function markRunQueued(database: Database, runId: string, ownerProcess: number): void {
  database
    .prepare(
      `UPDATE run SET state = 'queued', message = NULL, ended_at = NULL, stop_requested = 0,
         pause_requested = 0, paused = 0,
         owner_process = ?, owner_heartbeat_at = ? WHERE id = ?`,
    )
    .run(ownerProcess, now(), runId);
}

/** From queued to running, owned by this process. */
export function markRunStarted(database: Database, runId: string, ownerProcess: number): void {
  database
    .prepare(
      `UPDATE run SET state = 'running',
         owner_process = @ownerProcess, owner_heartbeat_at = @at,
         started_at = coalesce(started_at, @at)
       WHERE id = @runId`,
    )
    .run({ runId, ownerProcess, at: now() });
}

export function setRunEngine(
  database: Database,
  runId: string,
  engine: string,
  device: string | null,
): void {
  database.prepare(`UPDATE run SET engine = ?, device = ? WHERE id = ?`).run(engine, device, runId);
}

export function setRunWeights(
  database: Database,
  runId: string,
  weights: { readonly file: string; readonly sha256: string },
): void {
  database
    .prepare(`UPDATE run SET weights_file = ?, weights_sha256 = ? WHERE id = ?`)
    .run(weights.file, weights.sha256, runId);
}

export function markRunEnded(
  database: Database,
  runId: string,
  state: "stopped" | "failed" | "finished",
  message: string | null,
): void {
  database
    .prepare(`UPDATE run SET state = ?, message = ?, ended_at = ? WHERE id = ?`)
    .run(state, message, now(), runId);
}

/** Tells other processes that this run's owner is alive; false where the run is no longer ours. */
export function beat(database: Database, runId: string, ownerProcess: number): boolean {
  const changed = database
    .prepare(
      `UPDATE run SET owner_heartbeat_at = ?
       WHERE id = ? AND owner_process = ? AND state IN ('queued', 'running')`,
    )
    .run(now(), runId, ownerProcess);
  return changed.changes === 1;
}

/** Asks the run's owner, in whatever process, to stop or pause soon. The first wish counts. */
export function setStopRequested(database: Database, runId: string, wish: "stop" | "pause"): void {
  database
    .prepare(
      `UPDATE run SET stop_requested = 1, pause_requested = ? WHERE id = ? AND stop_requested = 0`,
    )
    .run(wish === "pause" ? 1 : 0, runId);
}

/** What somebody has asked of a run; null where nothing. */
export function wishOfRun(database: Database, runId: string): "stop" | "pause" | null {
  const row = database
    .prepare(`SELECT stop_requested AS stop, pause_requested AS pause FROM run WHERE id = ?`)
    .get(runId) as { readonly stop: number; readonly pause: number } | undefined;
  if (row === undefined || row.stop === 0) return null;
  return row.pause === 0 ? "stop" : "pause";
}

/** Notes that a run has stopped so as to be gone on with. */
export function markRunPaused(database: Database, runId: string): void {
  database.prepare(`UPDATE run SET paused = 1 WHERE id = ?`).run(runId);
}

/** Forgets what a run has scored, since it goes on and its scores will be others. */
export function forgetScores(database: Database, runId: string): void {
  database.prepare(`DELETE FROM prediction WHERE run_id = ?`).run(runId);
  database
    .prepare(`DELETE FROM comparison WHERE private_run_id = @runId OR reference_run_id = @runId`)
    .run({ runId });
}

/**
 * Sets the one delta of the cohort's ledger where none is set yet.
 *
 * @throws UserError "conflict" where another is.
 */
export function setCohortDelta(database: Database, cohortId: number, delta: number): void {
  const present = cohortDelta(database, cohortId);
  if (present !== null && present !== delta) {
    throw new UserError(
      "conflict",
      `The ledger of this cohort states epsilon at delta ${present}, so a run at delta ${delta} ` +
        `cannot be added to it. Use delta ${present}.`,
    );
  }
  database.prepare("UPDATE cohort SET delta = ? WHERE id = ?").run(delta, cohortId);
}

/** The delta of the cohort's ledger; null before its first private run. */
export function cohortDelta(database: Database, cohortId: number): number | null {
  const delta = database.prepare("SELECT delta FROM cohort WHERE id = ?").pluck().get(cohortId);
  return typeof delta === "number" ? delta : null;
}

export function recordTelemetry(database: Database, runId: string, point: TelemetryPoint): void {
  database
    .prepare(
      `INSERT OR REPLACE INTO metric (run_id, step, loss, clipped_share, epsilon, left_out)
       VALUES (@runId, @step, @loss, @clippedShare, @epsilon, @leftOut)`,
    )
    .run({ runId, ...point });
}

/** Points of the run's curve after a step, in order. */
export function telemetryAfter(
  database: Database,
  runId: string,
  afterStep: number,
): TelemetryPoint[] {
  return database
    .prepare(
      `SELECT step, loss, clipped_share AS clippedShare, epsilon, left_out AS leftOut
       FROM metric WHERE run_id = ? AND step > ? ORDER BY step`,
    )
    .all(runId, afterStep) as TelemetryPoint[];
}

/** Contributions that the run left out as not finite, up to the last point of its curve. */
export function contributionsLeftOut(database: Database, runId: string): number {
  const count = database
    .prepare("SELECT max(left_out) FROM metric WHERE run_id = ?")
    .pluck()
    .get(runId);
  return typeof count === "number" ? count : 0;
}

export interface CheckpointRecord {
  readonly step: number;
  /** Relative to the run's folder. */
  readonly file: string;
  readonly sha256: string;
}

export function recordCheckpoint(
  database: Database,
  runId: string,
  checkpoint: CheckpointRecord,
): void {
  database
    .prepare(
      `INSERT OR REPLACE INTO checkpoint (run_id, step, file, sha256, recorded_at)
       VALUES (?, ?, ?, ?, ?)`,
    )
    .run(runId, checkpoint.step, checkpoint.file, checkpoint.sha256, now());
}

/** The checkpoints of a run, newest first. */
export function checkpointsOfRun(database: Database, runId: string): CheckpointRecord[] {
  return database
    .prepare(`SELECT step, file, sha256 FROM checkpoint WHERE run_id = ? ORDER BY step DESC`)
    .all(runId) as CheckpointRecord[];
}

export interface Prediction {
  readonly imageId: number;
  readonly part: "validation" | "test";
  /** Probabilities in the order of the findings. */
  readonly scores: Float32Array;
}

/** Writes predictions in one transaction; a second prediction of an image replaces the first. */
export function recordPredictions(
  database: Database,
  runId: string,
  predictions: readonly Prediction[],
): void {
  const insert = database.prepare(
    `INSERT OR REPLACE INTO prediction (run_id, image_id, part, scores) VALUES (?, ?, ?, ?)`,
  );
  transaction(database, () => {
    for (const { imageId, part, scores } of predictions) {
      const bytes = Buffer.alloc(4 * scores.length);
      scores.forEach((score, index) => bytes.writeFloatLE(score, 4 * index));
      insert.run(runId, imageId, part, bytes);
    }
  });
}

/** The predictions of a run in the order of the images. */
export function predictionsOfRun(database: Database, runId: string): Prediction[] {
  const rows = database
    .prepare(
      `SELECT image_id AS imageId, part, scores FROM prediction WHERE run_id = ? ORDER BY image_id`,
    )
    .all(runId) as { imageId: number; part: Prediction["part"]; scores: Buffer }[];
  return rows.map(({ imageId, part, scores }) => ({
    imageId,
    part,
    scores: Float32Array.from({ length: scores.length / 4 }, (_, i) => scores.readFloatLE(4 * i)),
  }));
}

import { rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { RunProgress, RunSummary, TelemetryPoint } from "../../shared/domain.ts";
import { cohortSummary } from "../store/cohorts.ts";
import { transaction, type Database } from "../store/database.ts";
import {
  beat,
  checkpointsOfRun,
  contributionsLeftOut,
  markRunPaused,
  recordCheckpoint,
  recordPredictions,
  recordTelemetry,
  requireRun,
  setRunEngine,
  setRunWeights,
  setStopRequested,
  wishOfRun,
  type Prediction,
  type RunRecord,
} from "../store/runs.ts";
import { canariesOfRun, canaryCommitment, recordCanaryScores } from "../store/audits.ts";
import { recordPreflight } from "../store/preflights.ts";
import { withCanaries } from "./canaries.ts";
import { CapReached, capMessage } from "./cap.ts";
import { carry, release } from "./carried.ts";
import { classWeightsOf, type DrawCounts } from "./class-weights.ts";
import { closeRun, journalStep, openRun, type PlannedRun } from "./journal.ts";
import { createProgressMeter, type ProgressMeter } from "./progress.ts";
import { runSummary } from "./run-summaries.ts";
import { loadTrainingSet, type TrainingSet } from "./training-set.ts";
import type { TrainerJob, TrainerToCore } from "./trainer-protocol.ts";
import { startTrainer, type TrainerProcess } from "./trainer-host.ts";

export interface StartRunOptions {
  readonly database: Database;
  readonly dataFolder: string;
  readonly runId: string;
  /** Called a few times a second, and once when the run is over. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** The trainer's program; the one that was built with this file by default. */
  readonly trainerFile?: string;
  readonly checkpointSeconds?: number;
  readonly microbatch?: number | null;
  readonly threads?: number | null;
  /** Adds the noise to class counts; the real one by default. */
  readonly drawCounts?: DrawCounts;
}

export interface RunHandle {
  readonly runId: string;
  readonly progress: () => RunProgress;
  /** Asks the run to end after the micro-batch under way; it keeps its weights and is scored. */
  readonly stop: () => void;
  /** The same, with a checkpoint only: it can be resumed, also after the program was closed. */
  readonly pause: () => void;
  /** Ends the trainer at once: the run counts as failed, its journaled steps as spent. */
  readonly kill: () => void;
  /** Resolves when the run is over, however it ended. */
  readonly done: Promise<RunSummary>;
}

const heartbeatMilliseconds = 5_000;
/** How soon a wish that another process left in the store is seen. */
const wishMilliseconds = 300;
const progressMilliseconds = 250;
const checkpointsKept = 2;

/** The folder of a run: its log, its checkpoints, its weights. */
export function runFolder(dataFolder: string, runId: string): string {
  return join(dataFolder, "runs", runId);
}

/**
 * Starts a queued run in a process of its own, from its newest checkpoint where it has one. The
 * plan enters the ledger before the trainer starts, and every step is journaled before its noise
 * is drawn. If the trainer dies the run fails with the steps that its journal holds.
 *
 * @throws UserError where the run does not exist or may not be started.
 */
export function startRun(options: StartRunOptions): RunHandle {
  const { database, dataFolder, runId } = options;
  const run = requireRun(database, runId);
  const patients = patientsToTrainOn(database, run);
  openRun(database, runId, process.pid, {
    splitId: run.splitId,
    initialSeed: initialSeed(run),
    ...canariesPlanned(database, runId),
  });
  const classWeights = classWeightsOf(database, run, patients, options.drawCounts);
  const job = jobOf(options, run, patients, classWeights);
  carry(runId);
  const meter = createProgressMeter(
    run.plan,
    run.stepsJournaled,
    contributionsLeftOut(database, runId),
  );
  const progress = (): RunProgress => meter.progress(runSummary(database, runId));
  const report = throttled(progressMilliseconds, () => options.onProgress?.(progress()));
  const desk = createDesk(database, dataFolder, job, meter, report);
  const trainer = startTrainer(job, desk.receive, options.trainerFile);
  const heartbeat = setInterval(() => {
    if (!beat(database, runId, process.pid)) trainer.kill();
  }, heartbeatMilliseconds);

  let told = false;
  const tell = (pause: boolean): void => {
    if (!told) trainer.send({ kind: "stop", pause });
    told = true;
    meter.phase = pause ? "Pausing" : "Stopping";
    report();
  };
  const wishes = setInterval(() => {
    const wish = wishOfRun(database, runId);
    if (wish !== null) tell(wish === "pause");
  }, wishMilliseconds);

  const done = trainer.ended.then((ending) => {
    clearInterval(heartbeat);
    clearInterval(wishes);
    desk.flush();
    const { stepsJournaled } = requireRun(database, runId);
    const spent = `${stepsJournaled} of ${run.plan.steps} steps are journaled and count as spent.`;
    const capped = ending.state === "stopped" ? capMessage(database, runId) : null;
    const message = ending.state === "failed" ? ending.message : capped;
    transaction(database, () => {
      closeRun(database, runId, ending.state, message === null ? null : `${message} ${spent}`);
      if (ending.state === "stopped" && ending.paused) markRunPaused(database, runId);
    });
    release(runId);
    meter.phase = "Ended";
    options.onProgress?.(progress());
    return runSummary(database, runId);
  });
  return {
    runId,
    progress,
    stop: () => {
      setStopRequested(database, runId, "stop");
      tell(false);
    },
    pause: () => {
      setStopRequested(database, runId, "pause");
      tell(true);
    },
    kill: trainer.kill,
    done,
  };
}

function patientsToTrainOn(database: Database, run: RunRecord): TrainingSet {
  return loadTrainingSet(database, {
    splitId: run.splitId,
    unit: run.plan.recipe.unit,
    positiveAtGrade: run.plan.positiveAtGrade,
    framePixels: cohortSummary(database, run.cohortId).framePixels,
  });
}

function jobOf(
  options: StartRunOptions,
  run: RunRecord,
  patients: TrainingSet,
  classWeights: readonly number[] | null,
): TrainerJob {
  const { database, dataFolder } = options;
  const canaries = canariesOfRun(database, run.id);
  const set = canaries === null ? patients : withCanaries(patients, canaries);
  return {
    runId: run.id,
    kind: run.kind,
    plan: run.plan,
    dataFolder,
    runFolder: runFolder(dataFolder, run.id),
    set,
    classWeights,
    initialSeed: initialSeed(run),
    stepsJournaled: run.stepsJournaled,
    checkpoints: checkpointsOfRun(database, run.id)
      .slice(0, checkpointsKept)
      .map(({ file, sha256 }) => ({ file, sha256 })),
    engine: run.engine ?? run.plan.recipe.engine,
    checkpointSeconds: options.checkpointSeconds ?? 30,
    microbatch: options.microbatch ?? null,
    threads: options.threads ?? null,
  };
}

/** What the ledger commits to where the run is audited. */
function canariesPlanned(database: Database, runId: string): Pick<PlannedRun, "canaries"> {
  const canaries = canariesOfRun(database, runId);
  if (canaries === null) return {};
  return {
    canaries: { count: canaries.included.length, commitment: canaryCommitment(canaries) },
  };
}

/** A pair starts from the same public weights: the seed is named after the smaller of the two. */
function initialSeed(run: RunRecord): string {
  const [first] = [run.id, run.pairId ?? run.id].toSorted();
  return `initial weights of ${first ?? run.id}`;
}

/** Where a trainer's messages are turned into rows. */
interface Desk {
  readonly receive: (message: TrainerToCore, trainer: TrainerProcess) => void;
  /** Writes what still waits for a transaction. */
  readonly flush: () => void;
}

function createDesk(
  database: Database,
  dataFolder: string,
  job: TrainerJob,
  meter: ProgressMeter,
  report: () => void,
): Desk {
  const { runId } = job;
  const owner = { runId, ownerProcess: process.pid, stepsPlanned: job.plan.steps };
  let points: TelemetryPoint[] = [];
  const flush = (): void => {
    for (const point of points) recordTelemetry(database, runId, point);
    points = [];
  };
  const receive = (message: TrainerToCore, trainer: TrainerProcess): void => {
    switch (message.kind) {
      case "started":
        setRunEngine(database, runId, message.engine, message.device);
        meter.phase = "Training";
        break;
      case "phase":
        meter.phase = message.phase;
        break;
      case "preflight":
        recordPreflight(database, runId, message.result);
        return;
      case "journal":
        try {
          const { stopRequested } = journalStep(database, owner, message.step, flush);
          trainer.send({ kind: "journaled", step: message.step, stopRequested });
        } catch (error) {
          const stop = error instanceof CapReached;
          const reason = messageOf(error);
          trainer.send({ kind: "refused", step: message.step, reason, stop });
        }
        return;
      case "step": {
        const point = meter.noteStep(message.step, message.outcome);
        if (point !== null) points.push(point);
        break;
      }
      case "checkpoint":
        recordCheckpoint(database, runId, { step: message.step, ...message.checkpoint });
        for (const { file } of checkpointsOfRun(database, runId).slice(checkpointsKept)) {
          rmSync(join(runFolder(dataFolder, runId), file), { force: true });
        }
        return;
      case "predictions":
        recordPredictions(database, runId, predictionsOf(message));
        return;
      case "canary-scores":
        recordCanaryScores(database, runId, message.scores);
        return;
      case "finished":
        if (message.weights !== null) {
          const { file, sha256 } = message.weights;
          const before = requireRun(database, runId).weightsFile;
          // Slashes on every system: the data folder may move between machines.
          const now = `runs/${runId}/${file}`;
          setRunWeights(database, runId, { file: now, sha256 });
          if (before !== null && before !== now) rmSync(join(dataFolder, before), { force: true });
        }
        return;
      case "failed":
        return;
    }
    report();
  };
  return { receive, flush };
}

function predictionsOf(message: Extract<TrainerToCore, { kind: "predictions" }>): Prediction[] {
  const labelCount = message.scores.length / message.imageIds.length;
  return Array.from(message.imageIds, (imageId, index) => ({
    imageId,
    part: message.part,
    scores: message.scores.subarray(index * labelCount, (index + 1) * labelCount),
  }));
}

/** Calls `body` at most once in an interval, and not at all when nobody asks. */
function throttled(milliseconds: number, body: () => void): () => void {
  let last = -Infinity;
  return () => {
    if (performance.now() - last < milliseconds) return;
    last = performance.now();
    body();
  };
}

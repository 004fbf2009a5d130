import { keysOf } from "../../shared/findings.ts";
import { chosenIn, schemeOf } from "../../shared/plan.ts";
import type { AuditResult, CanaryAudit, MembershipAttack } from "../../shared/audit.ts";
import { UserError } from "../../shared/errors.ts";
import {
  likelihoodRatioScores,
  measureAttack,
  scaledConfidence,
} from "../evaluation/membership.ts";
import { auroc } from "../evaluation/roc.ts";
import { canariesOfRun, canaryCommitment } from "../store/audits.ts";
import { now, type Database } from "../store/database.ts";
import { FrameReader } from "../store/image-cache.ts";
import { ledgerEntryOfRun } from "../store/ledger.ts";
import { requireRun, type RunRecord } from "../store/runs.ts";
import { auditConfidence, auditDelta, findingOf } from "../training/audited-bound.ts";
import { auditPool, patientLosses, type AuditPool } from "../training/audit-pool.ts";
import { classWeightsKept } from "../training/class-weights.ts";
import { readReleasedWeights } from "../training/released-weights.ts";
import { openScorer } from "../training/scorer-host.ts";
import { shadowLosses } from "../training/shadow-models.ts";
import { exactEpsilon } from "../training/spending.ts";
import type { JobControl } from "./jobs.ts";

const bootstrapSamples = 500;
const framesAtOnce = 64;

export interface AuditRunOptions {
  readonly database: Database;
  readonly dataFolder: string;
  readonly runId: string;
  /** 0 leaves the likelihood-ratio attack out; else an even number. */
  readonly shadowModels: number;
  /** Null for the run's own epochs. */
  readonly shadowEpochs: number | null;
  readonly control: JobControl;
  readonly trainerFile?: string;
  readonly scorerFile?: string;
}

/**
 * Audits a run that is over: its canaries, where it had any, and membership attacks on its weights.
 *
 * @throws UserError where the run has no weights or there are too few patients for what is asked
 */
export async function auditRun(options: AuditRunOptions): Promise<AuditResult> {
  const { database, runId, control } = options;
  const run = requireRun(database, runId);
  const pool = auditPool(database, run);
  const target = await targetLosses(options, run, pool);
  const members = pool.patients.filter(({ member }) => member).length;
  const attacks: MembershipAttack[] = [];
  const measured = { samples: bootstrapSamples, seed: 1, signal: control.signal };
  if (members > 0 && members < pool.patients.length) {
    const scores = target.map((loss) => -loss);
    attacks.push(
      await measureAttack(
        { members: scores.subarray(0, members), nonMembers: scores.subarray(members) },
        { ...measured, attack: "loss-threshold", shadowModels: null },
      ),
    );
    if (options.shadowModels > 0) {
      const epochs = options.shadowEpochs ?? run.plan.recipe.epochs;
      const shadows = await shadowLosses({
        dataFolder: options.dataFolder,
        run,
        classWeights: classWeightsKept(database, runId),
        pool,
        models: options.shadowModels,
        epochs,
        signal: control.signal,
        onProgress: (done, total) => {
          control.report({ phase: "Training shadow models", done, total });
        },
        ...(options.trainerFile === undefined ? {} : { trainerFile: options.trainerFile }),
      });
      const ratios = likelihoodRatioScores(
        target.map(scaledConfidence),
        shadows.map((losses) => losses.map(scaledConfidence)),
      );
      attacks.push(
        await measureAttack(
          { members: ratios.subarray(0, members), nonMembers: ratios.subarray(members) },
          {
            ...measured,
            attack: "likelihood-ratio",
            shadowModels: { models: options.shadowModels, epochs },
          },
        ),
      );
    }
  }
  return {
    runId,
    kind: run.kind,
    recordedAt: now(),
    claimedEpsilon: exactEpsilon(run.plan, run.stepsJournaled),
    delta: run.plan.privacy?.delta ?? null,
    canaryAudit: canaryAudit(database, run),
    attacks,
  };
}

/**
 * What the run's stored canaries say, computed anew from coins and scores; null where it had none
 * or has not scored them.
 */
export function canaryAudit(database: Database, run: RunRecord): CanaryAudit | null {
  const canaries = canariesOfRun(database, run.id);
  if (canaries?.scores == null) return null;
  const delta = auditDelta(database, run);
  const { scores, included } = canaries;
  const { best, attempts, highestPossible } = findingOf(scores, included, delta);
  const truth = included.map((inside) => (inside ? 1 : 0));
  return {
    canaries: included.length,
    included: included.filter((inside) => inside).length,
    guesses: best.guesses,
    correct: best.correct,
    lowerBound: best.epsilon,
    confidence: auditConfidence,
    delta,
    auroc: auroc({ truth, scores }),
    attempts,
    highestPossible,
    coinsAsCommitted: committed(database, run.id) === canaryCommitment(canaries),
  };
}

function committed(database: Database, runId: string): string | null {
  const entry = ledgerEntryOfRun(database, runId, "run-planned");
  if (entry === null) return null;
  const body = JSON.parse(entry.body) as { readonly canaries?: { readonly commitment?: unknown } };
  const commitment = body.canaries?.commitment;
  return typeof commitment === "string" ? commitment : null;
}

/** The mean loss of each patient of the pool under the run's released weights. */
async function targetLosses(
  options: AuditRunOptions,
  run: RunRecord,
  pool: AuditPool,
): Promise<Float64Array> {
  const { control, dataFolder } = options;
  const { weights } = readReleasedWeights(dataFolder, run);
  const { recipe } = run.plan;
  const { set } = pool;
  const images = pool.patients.flatMap((patient) => patient.images);
  if (images.length === 0) {
    throw new UserError("conflict", "No patient of this run has a label any more.");
  }
  const scorer = openScorer(
    {
      chosen: chosenIn(recipe),
      labels: keysOf(schemeOf(run.plan)).length,
      weights,
      framePixels: set.framePixels,
      resolutionPixels: recipe.resolutionPixels,
      engine: recipe.engine,
    },
    options.scorerFile,
  );
  const frames = new FrameReader(dataFolder, set.framePixels);
  const probabilities = new Map<number, Float32Array>();
  try {
    for (let from = 0; from < images.length; from += framesAtOnce) {
      await control.whileRunning();
      const some = images.slice(from, from + framesAtOnce);
      const pixels = frames.read(
        some.map((image) => ({
          shard: set.shards[set.shardOfImage[image] ?? 0] ?? "",
          position: set.positionOfImage[image] ?? 0,
          checksum: set.checksumOfImage[image] ?? 0,
        })),
      );
      const scores = await scorer.score(pixels, some.length);
      const labelCount = scores.length / some.length;
      some.forEach((image, row) => {
        probabilities.set(image, scores.slice(row * labelCount, (row + 1) * labelCount));
      });
      control.report({
        phase: "Scoring training and held-out patients",
        done: Math.min(images.length, from + framesAtOnce),
        total: images.length,
      });
    }
  } finally {
    frames.close();
    scorer.close();
  }
  return patientLosses(pool, (image) => probabilities.get(image) ?? new Float32Array(0));
}

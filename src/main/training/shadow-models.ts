import { randomBytes, randomInt } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { TrainingPlan } from "../../shared/plan.ts";
import type { RunRecord } from "../store/runs.ts";
import { patientLosses, type AuditPool } from "./audit-pool.ts";
import { fewestTrainingUnits, makePlan, planObstacle } from "./recipe.ts";
import { processExists } from "./recovery.ts";
import { startTrainer } from "./trainer-host.ts";
import type { TrainingSet } from "./training-set.ts";

export interface ShadowOptions {
  readonly dataFolder: string;
  /** The run under attack: its network and recipe are the shadow models'. */
  readonly run: RunRecord;
  /** What its loss weighs positives by; null where it weighs them all the same. */
  readonly classWeights: readonly number[] | null;
  readonly pool: AuditPool;
  /** Even: they come in pairs on complementary halves. */
  readonly models: number;
  readonly epochs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  readonly trainerFile?: string;
}

/**
 * Trains shadow models for the likelihood-ratio attack: reference models (no clipping, no noise) on
 * random halves of the pool, two for each division, so that every patient is outside exactly half of
 * them. They are trained on private patients without any protection: they stand in no list and no
 * ledger, nothing of them leaves this function but losses, and their folder is removed whatever
 * happens.
 *
 * @returns for each model the mean loss of each patient of the pool, NaN where it was trained on
 * @throws UserError "input" for a number of models or a pool with which it is not possible, the
 *   signal's reason when aborted
 */
export async function shadowLosses(options: ShadowOptions): Promise<Float64Array[]> {
  const { models, pool, signal } = options;
  if (models < 2 || models % 2 !== 0) {
    throw new UserError("input", "Shadow models come in pairs: choose an even number from 2 on.");
  }
  if (pool.patients.length < 2 * fewestTrainingUnits) {
    throw new UserError(
      "input",
      `Shadow models need ${2 * fewestTrainingUnits} labelled patients, but there are ` +
        `${pool.patients.length}. Audit without them.`,
    );
  }
  removeAbandoned(options.dataFolder);
  const results: Float64Array[] = [];
  for (let pair = 0; pair < models / 2; pair += 1) {
    const first = randomHalf(pool.patients.length);
    for (const trainedOn of [first, first.map((inside) => !inside)]) {
      signal.throwIfAborted();
      results.push(await trainShadow(options, results.length, trainedOn));
    }
  }
  return results;
}

async function trainShadow(
  options: ShadowOptions,
  index: number,
  trainedOn: readonly boolean[],
): Promise<Float64Array> {
  const { run, pool, signal, models } = options;
  const units = trainedOn.filter((inside) => inside).length;
  const plan = shadowPlan(run.plan, units, options.epochs);
  const id = `shadow-${process.pid}-${randomBytes(4).toString("hex")}`;
  const folder = join(options.dataFolder, "runs", id);
  const probabilities = new Map<number, Float32Array>();
  const numbers = new Map([...pool.set.imageIds].map((imageId, number) => [imageId, number]));
  const trainer = startTrainer(
    {
      runId: id,
      kind: "reference",
      plan,
      dataFolder: options.dataFolder,
      runFolder: folder,
      set: shadowSet(pool, trainedOn),
      classWeights: options.classWeights,
      initialSeed: id,
      stepsJournaled: 0,
      checkpoints: [],
      engine: plan.recipe.engine,
      checkpointSeconds: Infinity,
      microbatch: null,
      threads: null,
    },
    (message, process) => {
      if (message.kind === "journal") {
        // No ledger: a shadow model is never released, and a reference run spends no budget.
        process.send({ kind: "journaled", step: message.step, stopRequested: false });
        options.onProgress(index * plan.steps + message.step, models * plan.steps);
      } else if (message.kind === "predictions") {
        const labelCount = message.scores.length / message.imageIds.length;
        message.imageIds.forEach((imageId, row) => {
          const scores = message.scores.slice(row * labelCount, (row + 1) * labelCount);
          probabilities.set(numbers.get(imageId) ?? -1, scores);
        });
      }
    },
    options.trainerFile,
  );
  const kill = (): void => {
    trainer.kill();
  };
  signal.addEventListener("abort", kill);
  try {
    const ending = await trainer.ended;
    signal.throwIfAborted();
    if (ending.state === "failed") {
      throw new UserError("resource", `A shadow model could not be trained: ${ending.message}`);
    }
    const losses = patientLosses(pool, (image) => probabilities.get(image) ?? new Float32Array(0));
    return losses.map((loss, patient) => (trainedOn[patient] === true ? NaN : loss));
  } finally {
    signal.removeEventListener("abort", kill);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes the shadow models of a process that ended before it could. */
function removeAbandoned(dataFolder: string): void {
  const runs = join(dataFolder, "runs");
  if (!existsSync(runs)) return;
  for (const name of readdirSync(runs)) {
    const owner = /^shadow-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || processExists(Number(owner))) continue;
    rmSync(join(runs, name), { recursive: true, force: true });
  }
}

/** The run's own recipe without privacy and canaries, on as many units. */
function shadowPlan(plan: TrainingPlan, units: number, epochs: number): TrainingPlan {
  const { auditCanaries: _, ...recipe } = plan.recipe;
  const choices = {
    recipe: {
      ...recipe,
      unit: "patient",
      epochs,
      expectedBatch: Math.min(recipe.expectedBatch, Math.floor(units / 2)),
    },
    epsilon: null,
    delta: null,
    units,
    positiveAtGrade: plan.positiveAtGrade,
    pixelPipeline: plan.pixelPipeline,
  } as const;
  const obstacle = planObstacle(choices.recipe, units);
  if (obstacle !== null) throw new UserError("input", obstacle);
  return makePlan(choices);
}

/** Half of the pool as units; all images of the other half are scored at the end. */
function shadowSet(pool: AuditPool, trainedOn: readonly boolean[]): TrainingSet {
  const inside = pool.patients.filter((_, patient) => trainedOn[patient] === true);
  const offsets = [0];
  for (const { images } of inside) offsets.push((offsets.at(-1) ?? 0) + images.length);
  return {
    ...pool.set,
    unitOffsets: Uint32Array.from(offsets),
    unitImages: Uint32Array.from(inside.flatMap(({ images }) => images)),
    validation: new Uint32Array(0),
    test: Uint32Array.from(
      pool.patients.flatMap(({ images }, patient) => (trainedOn[patient] === true ? [] : images)),
    ),
  };
}

/** Exactly half of so many, chosen at random. */
function randomHalf(count: number): boolean[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  const chosen = new Set(order.slice(0, Math.floor(count / 2)));
  return order.map((_, index) => chosen.has(index));
}

/**
 * What the canary audit and the check before a run find: sound private training and training with a
 * part broken, each through the product's own trainer, several times over.
 *
 * Variants: sound; little-noise (a claim of 100); noise-off (no noise, the claim unchanged);
 * clipping-off; shuffled (batches cut from shuffled epochs in place of Poisson sampling); reference.
 *
 *   node bench/audit.ts DATA_FOLDER COHORT [--epsilon 8] [--canaries 200] [--runs 3] [--epochs 20]
 *     [--batch 64] [--variants sound,noise-off,...] [--network resnet9-small] [--resolution 64]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { CompiledNetwork, Engine } from "../src/main/engine/engine.ts";
import { openEngine } from "../src/main/engine/registry.ts";
import { networkOf } from "../src/main/network/networks.ts";
import { auditCanaries } from "../src/main/privacy/audit.ts";
import { cohortSummary, listCohorts } from "../src/main/store/cohorts.ts";
import { openDatabase } from "../src/main/store/database.ts";
import { createSplit, currentSplit } from "../src/main/store/splits.ts";
import { drawCanaries, kindOfCanary, withCanaries } from "../src/main/training/canaries.ts";
import { defaultRecipe, makePlan } from "../src/main/training/recipe.ts";
import { loadTrainingSet, unitCount } from "../src/main/training/training-set.ts";
import type {
  CoreToTrainer,
  TrainerJob,
  TrainerToCore,
} from "../src/main/training/trainer-protocol.ts";
import { poissonSample } from "../src/main/privacy/random.ts";
import type { SampleUnits } from "../src/main/training/sampling.ts";
import { openNoiseThreads } from "../src/main/training/noise-threads.ts";
import { serveTrainer } from "../src/main/training/trainer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epsilon: { type: "string", default: "8" },
    canaries: { type: "string", default: "200" },
    runs: { type: "string", default: "3" },
    epochs: { type: "string", default: "20" },
    batch: { type: "string", default: "64" },
    variants: { type: "string", default: "sound,little-noise,noise-off,clipping-off,shuffled" },
    network: { type: "string", default: "resnet9-small" },
    resolution: { type: "string", default: "64" },
    lr: { type: "string", default: "0.002" },
  },
});
const [folder = ".", cohortName = ""] = positionals;
const dataFolder = resolve(folder);
const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
const cohort = listCohorts(database).find(({ name }) => name === cohortName);
if (cohort === undefined) throw new Error(`no cohort ${cohortName}`);
if (currentSplit(database, cohort.id) === null) {
  createSplit(database, cohort.id, { train: 0.7, validation: 0.1, test: 0.2 });
}
const split = currentSplit(database, cohort.id);
if (split === null) throw new Error("no split");
const set = loadTrainingSet(database, {
  splitId: split.id,
  unit: "patient",
  positiveAtGrade: cohort.positiveAtGrade,
  framePixels: cohortSummary(database, cohort.id).framePixels,
});
const patients = { ...set, validation: new Uint32Array(0), test: new Uint32Array(0) };

async function run(variant: string): Promise<void> {
  const canaries = Number(values.canaries);
  const draw = drawCanaries(canaries);
  const plan = makePlan({
    recipe: {
      ...defaultRecipe(unitCount(set), set.framePixels),
      network: values.network,
      resolutionPixels: Number(values.resolution),
      epochs: Number(values.epochs),
      expectedBatch: Number(values.batch),
      learningRate: Number(values.lr),
    },
    epsilon:
      variant === "reference" ? null : variant === "little-noise" ? 100 : Number(values.epsilon),
    delta: null,
    units: unitCount(set),
    positiveAtGrade: 2,
    pixelPipeline: "bench",
  });
  const privacy = plan.privacy;
  const runFolder = mkdtempSync(join(tmpdir(), "audit-run-"));
  const job: TrainerJob = {
    runId: "p-bench",
    kind: privacy === null ? "reference" : "private",
    plan:
      variant === "noise-off" && privacy !== null
        ? { ...plan, privacy: { ...privacy, noiseMultiplier: 1e-6 } }
        : plan,
    dataFolder,
    runFolder,
    set: withCanaries(patients, draw),
    classWeights: null,
    initialSeed: draw.seed,
    stepsJournaled: 0,
    checkpoints: [],
    engine: plan.recipe.engine,
    checkpointSeconds: 1e9,
    microbatch: null,
    threads: null,
  };
  const answer: { scores: Float64Array | null; failure: string } = { scores: null, failure: "" };
  let listener: (message: CoreToTrainer) => void = () => undefined;
  const began = performance.now();
  await serveTrainer(
    {
      send: (message: TrainerToCore) => {
        if (message.kind === "journal") {
          setImmediate(() => {
            listener({ kind: "journaled", step: message.step, stopRequested: false });
          });
        } else if (message.kind === "canary-scores") answer.scores = message.scores;
        else if (message.kind === "failed") answer.failure = message.error.message;
      },
      onMessage: (given) => {
        listener = given;
        setImmediate(() => {
          given({ kind: "job", job });
        });
      },
      onClosed: () => undefined,
    },
    {
      networkOf,
      openNoise: openNoiseThreads,
      sampleUnits: variant === "shuffled" ? shuffledBatches() : poissonSample,
      openEngine: async (name, task) => breakEngine(await openEngine(name, task), variant),
    },
  );
  rmSync(runFolder, { recursive: true });
  const { scores } = answer;
  if (scores === null) {
    console.log(variant, `q ${plan.samplingRate.toFixed(3)}`, answer.failure);
    return;
  }
  const delta = privacy?.delta ?? 1e-5;
  const { best, attempts } = auditCanaries(scores, draw.included, delta, 0.95);
  const ofKind = (kind: string): string => {
    const some = [...scores.keys()].filter((canary) => kindOfCanary(canary) === kind);
    const coins = some.map((canary) => draw.included[canary] === true);
    return auroc(
      some.map((canary) => scores[canary] ?? NaN),
      coins,
    ).toFixed(3);
  };
  console.log(
    variant,
    `q ${plan.samplingRate.toFixed(3)} steps ${plan.steps} sigma ${privacy?.noiseMultiplier.toFixed(3)} epsilon ${privacy?.epsilon.toFixed(2)}`,
    `AUROC gradient ${ofKind("gradient")} film ${ofKind("film")}`,
    `bound ${best.epsilon.toFixed(2)} (${best.correct} of ${best.guesses})`,
    attempts.map((one) => `${one.correct}/${one.guesses} -> ${one.epsilon.toFixed(2)}`).join("  "),
    ((performance.now() - began) / 1000).toFixed(0) + " s",
  );
}

/** Epochs that are shuffled and cut. */
function shuffledBatches(): SampleUnits {
  let left: number[] = [];
  return (stream, units, samplingRate) => {
    const size = Math.round(units * samplingRate);
    if (left.length < size) {
      left = Array.from({ length: units }, (_, unit) => unit);
      for (let at = units - 1; at > 0; at -= 1) {
        const other = stream.below(at + 1);
        [left[at], left[other]] = [left[other] ?? 0, left[at] ?? 0];
      }
    }
    return Uint32Array.from(left.splice(0, size));
  };
}

function auroc(scores: ArrayLike<number>, included: readonly boolean[]): number {
  const ins = Array.from(scores).filter((_, i) => included[i]);
  const outs = Array.from(scores).filter((_, i) => !included[i]);
  let wins = 0;
  for (const a of ins) for (const b of outs) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (ins.length * outs.length);
}

function breakEngine(engine: Engine, variant: string): Engine {
  if (variant !== "clipping-off") return engine;
  return {
    ...engine,
    compile: async (network, options) => {
      const compiled = await engine.compile(network, options);
      const broken: CompiledNetwork = {
        network: compiled.network,
        parameterCount: compiled.parameterCount,
        infer: (...args) => compiled.infer(...args),
        ordinaryGradient: (...args) => compiled.ordinaryGradient(...args),
        dispose: () => compiled.dispose(),
        clippedSum: (weights, batch) =>
          compiled.clippedSum(weights, batch, { kind: "flat", norm: 1e9 }),
      };
      return broken;
    },
  };
}

for (const variant of values.variants.split(",")) {
  for (let round = 0; round < Number(values.runs); round += 1) await run(variant);
}
process.exit(0);

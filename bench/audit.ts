/**
 * What the canary audit finds: sound private training and training with a part broken, each
 * through the product's own trainer, several times over.
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
import { networkNamed } from "../src/main/network/networks.ts";
import { auditedEpsilon, guessFromScores } from "../src/main/privacy/audit.ts";
import { cohortSummary, listCohorts } from "../src/main/store/cohorts.ts";
import { openDatabase } from "../src/main/store/database.ts";
import { createSplit, currentSplit } from "../src/main/store/splits.ts";
import { drawCanaries, withCanaries } from "../src/main/training/canaries.ts";
import { defaultRecipe, makePlan } from "../src/main/training/recipe.ts";
import { loadTrainingSet, unitCount } from "../src/main/training/training-set.ts";
import type {
  CoreToTrainer,
  TrainerJob,
  TrainerToCore,
} from "../src/main/training/trainer-protocol.ts";
import { poissonSample } from "../src/main/privacy/random.ts";
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
    variants: { type: "string", default: "sound,little-noise,noise-off,clipping-off,reference" },
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
  const answer: { scores: Float64Array | null } = { scores: null };
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
        else if (message.kind === "failed") console.error(message.error);
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
      networkNamed,
      openNoise: openNoiseThreads,
      sampleUnits: poissonSample,
      openEngine: async (name) => breakEngine(await openEngine(name), variant),
    },
  );
  rmSync(runFolder, { recursive: true });
  const { scores } = answer;
  if (scores === null) throw new Error("no scores");
  const delta = privacy?.delta ?? 1e-5;
  const tries = [1, 0.5, 0.25, 0.125].map((share) => {
    const outcome = guessFromScores(scores, draw.included, Math.round(share * canaries));
    return `${outcome.correct}/${outcome.guesses} -> ${auditedEpsilon(outcome, delta, 1 - 0.05 / 4).toFixed(2)}`;
  });
  console.log(
    variant,
    `q ${plan.samplingRate.toFixed(3)} steps ${plan.steps} sigma ${privacy?.noiseMultiplier.toFixed(3)} epsilon ${privacy?.epsilon.toFixed(2)}`,
    auroc(scores, draw.included).toFixed(3),
    tries.join("  "),
    ((performance.now() - began) / 1000).toFixed(0) + " s",
  );
}

function auroc(scores: Float64Array, included: readonly boolean[]): number {
  const ins = [...scores].filter((_, i) => included[i]);
  const outs = [...scores].filter((_, i) => !included[i]);
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

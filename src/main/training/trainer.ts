import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { describeError } from "../../shared/messages.ts";
import type { Preflight } from "../../shared/preflight.ts";
import type { CompiledNetwork, Engine, UnitBatch } from "../engine/engine.ts";
import type { OpenEngineTask } from "../engine/registry.ts";
import type { NetworkDescription } from "../network/description.ts";
import { namedTensors } from "../network/weights.ts";
import { writeSafetensors } from "../network/safetensors.ts";
import {
  openRandomStreams,
  reproducibleRandomStreams,
  type RandomStreams,
} from "../privacy/random.ts";
import type { NoiseShape } from "../privacy/noise.ts";
import { BatchReader } from "./batches.ts";
import { writeAtomically } from "../store/whole-file.ts";
import { CanaryScorer } from "./canary-scores.ts";
import {
  loadCanaryScores,
  loadNewestCheckpoint,
  saveCheckpoint,
  type CheckedFile,
} from "./checkpoint.ts";
import { initialWeights } from "./initial-weights.ts";
import { createInterruption, Interrupted, type Interruption } from "./interruption.ts";
import type { NoiseSource } from "./noise-source.ts";
import { mechanismOf } from "./private-gradient.ts";
import { preflight, requirePassed } from "./preflight/preflight.ts";
import { drawStep, type SampleUnits, type StepSample } from "./sampling.ts";
import { scoreImages } from "./scoring.ts";
import { createTrainingState, takeStep, type StepOutcome, type TrainingState } from "./step.ts";
import { unitCount } from "./training-set.ts";
import type { CoreToTrainer, TrainerJob, TrainerPort } from "./trainer-protocol.ts";

/** What a trainer is built from; the process entry gives the real ones. */
export interface TrainerParts {
  /** The engine of that name, or the best at hand for "auto". */
  readonly openEngine: (name: string, task: OpenEngineTask) => Promise<Engine>;
  readonly networkNamed: (name: string) => NetworkDescription;
  /** Fresh noise of a shape for so many parameters, keyed from the operating system. */
  readonly openNoise: (shape: NoiseShape, parameterCount: number) => NoiseSource;
  readonly sampleUnits: SampleUnits;
}

/** Serves one job on the port; resolves when it is over, and never throws. */
export async function serveTrainer(port: TrainerPort, parts: TrainerParts): Promise<void> {
  const interruption = createInterruption(port);
  const journal = createJournalClient(port);
  const job = await journal.job;
  try {
    await train(job, port, journal.request, interruption, parts);
  } catch (error) {
    port.send({ kind: "failed", error: describeError(error) });
  }
}

/** The step at hand may not be taken, and the run ends with the steps before it. */
class StopHere extends Error {}

/** Asks the core to journal a step and waits until it stands on disk. */
type JournalRequest = (step: number) => Promise<{ readonly stopRequested: boolean }>;

function createJournalClient(port: TrainerPort): {
  readonly job: Promise<TrainerJob>;
  readonly request: JournalRequest;
} {
  const job = Promise.withResolvers<TrainerJob>();
  let closed = false;
  let waiting: {
    readonly step: number;
    readonly answer: PromiseWithResolvers<{ readonly stopRequested: boolean }>;
  } | null = null;
  const gone = (): Error => new Error("The core is gone; nothing may be drawn without it.");

  port.onMessage((message: CoreToTrainer) => {
    if (message.kind === "job") {
      job.resolve(message.job);
    } else if (message.kind !== "stop" && waiting?.step === message.step) {
      if (message.kind === "journaled") waiting.answer.resolve(message);
      else waiting.answer.reject(message.stop ? new StopHere() : new Error(message.reason));
      waiting = null;
    }
  });
  port.onClosed(() => {
    closed = true;
    waiting?.answer.reject(gone());
  });
  return {
    job: job.promise,
    request: (step) => {
      if (closed) return Promise.reject(gone());
      const answer = Promise.withResolvers<{ readonly stopRequested: boolean }>();
      waiting = { step, answer };
      port.send({ kind: "journal", step });
      return answer.promise;
    },
  };
}

async function train(
  job: TrainerJob,
  port: TrainerPort,
  journal: JournalRequest,
  interruption: Interruption,
  parts: TrainerParts,
): Promise<void> {
  const { plan } = job;
  const { recipe } = plan;
  const log = openLog(job.runFolder);
  const description = parts.networkNamed(recipe.network);
  port.send({ kind: "phase", phase: "Preparing the network" });
  const engine = await openEngineOf(job, parts, log);
  const mechanism = mechanismOf(plan);
  const network = await engine.compile(description, {
    resolutionPixels: recipe.resolutionPixels,
    // On the grid units are computed one at a time.
    microbatch: mechanism?.noise.kind === "discrete-gaussian" ? 1 : job.microbatch,
    threads: job.threads,
    positiveWeights: job.classWeights,
    report: (line) => {
      log(line);
      port.send({ kind: "phase", phase: line });
    },
    interrupt: interruption.check,
  });
  const reader = new BatchReader(job.dataFolder, job.set, recipe.resolutionPixels);
  const noise =
    mechanism === null ? null : parts.openNoise(mechanism.noise, network.parameterCount);
  try {
    port.send({
      kind: "started",
      engine: engine.description.name,
      device: engine.description.device,
    });
    log(`run ${job.runId} (${job.kind}) on ${engine.description.name}`);
    const loaded = loadNewestCheckpoint(
      job.runFolder,
      job.checkpoints,
      network.parameterCount,
      (reason) => {
        log(`${reason} Going on from the one before.`);
      },
    );
    const state =
      loaded?.state ??
      createTrainingState(initialWeights(description, recipe.initialWeights, job.initialSeed));
    if (loaded !== null) log(`going on from ${loaded.checkpoint.file}`);

    const canaries = canaryScorer(job, loaded?.checkpoint ?? null, network, reader);
    const { sampleUnits } = parts;
    const loop = { network, reader, state, noise, sampleUnits, canaries, interruption, log };
    const ended = await runSteps(job, port, journal, loop);
    if (ended === "paused" || state.step === 0) {
      const paused = ended === "paused";
      port.send({ kind: "finished", stopped: ended !== "done", paused, weights: null });
      log(ended);
      return;
    }
    const stopped = ended === "stopped";
    // What follows is short, and its results are what somebody who stops a run wants to keep.
    interruption.ignoreStop();
    const weights = saveWeights(job, description, state);
    if (canaries !== null) {
      port.send({ kind: "canary-scores", scores: canaries.scores });
    }
    port.send({ kind: "phase", phase: "Scoring the held-out films" });
    for (const part of ["validation", "test"] as const) {
      await scoreImages(network, reader, state.average, job.set[part], (images, scores) => {
        const imageIds = Float64Array.from(images, (image) => job.set.imageIds[image] ?? 0);
        port.send({ kind: "predictions", part, imageIds, scores });
      });
    }
    port.send({ kind: "finished", stopped, paused: false, weights });
    log(stopped ? "stopped" : "finished");
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    // Before the first step, or while the films were scored: all steps are in the checkpoint.
    const paused = interruption.wanted() === "paused";
    port.send({ kind: "finished", stopped: true, paused, weights: null });
    log(paused ? "paused" : "stopped");
  } finally {
    reader.close();
    await noise?.close();
    await network.dispose();
    log.close();
  }
}

interface LoopParts {
  readonly network: CompiledNetwork;
  readonly reader: BatchReader;
  readonly state: TrainingState;
  readonly noise: NoiseSource | null;
  readonly sampleUnits: SampleUnits;
  readonly canaries: CanaryScorer | null;
  readonly interruption: Interruption;
  readonly log: (line: string) => void;
}

/** The engine that a resumed run had, so that it goes on bit for bit; else the recipe's. */
async function openEngineOf(
  job: TrainerJob,
  parts: TrainerParts,
  log: (line: string) => void,
): Promise<Engine> {
  const { engine, network, resolutionPixels } = job.plan.recipe;
  const task = { dataFolder: job.dataFolder, network, resolutionPixels };
  if (job.engine === engine) return parts.openEngine(engine, task);
  try {
    return await parts.openEngine(job.engine, task);
  } catch (error) {
    log(`The run had ${job.engine}, which is not here: ${messageOf(error)}`);
    return parts.openEngine(engine, task);
  }
}

/** What scores the canaries of an audited run, from where its checkpoint left off; else null. */
function canaryScorer(
  job: TrainerJob,
  checkpoint: CheckedFile | null,
  network: CompiledNetwork,
  reader: BatchReader,
): CanaryScorer | null {
  const { set, plan, runFolder } = job;
  if (set.canaries === undefined) return null;
  return new CanaryScorer(
    { network, reader, set, plan, classWeights: job.classWeights },
    checkpoint === null ? null : loadCanaryScores(runFolder, checkpoint),
  );
}

/** How the steps ended: all taken, or somebody asked to stop or to pause before the last. */
type LoopEnding = "done" | "stopped" | "paused";

/** Takes the steps that are left, and saves a checkpoint however they end. */
async function runSteps(
  job: TrainerJob,
  port: TrainerPort,
  journal: JournalRequest,
  parts: LoopParts,
): Promise<LoopEnding> {
  const { plan } = job;
  const { network, reader, state, noise, canaries, interruption, log } = parts;
  const secret = plan.privacy === null ? null : openRandomStreams();
  // A reference run promises no privacy: keyed by run and step, it can be repeated exactly.
  const streamsOf = (step: number): RandomStreams =>
    secret ?? reproducibleRandomStreams(`${job.runId} step ${step}`);
  const { viewsPerUnit, augmentation: move, mirror } = plan.recipe;
  const draw = (streams: RandomStreams): StepSample =>
    drawStep(streams, job.set, plan.samplingRate, viewsPerUnit, parts.sampleUnits);
  const prepare = async (step: number): Promise<UnitBatch> => {
    const streams = streamsOf(step);
    const sample = draw(streams);
    return reader.readBatch(sample, viewsPerUnit, { stream: streams.views, move, mirror });
  };

  // Interrupted private steps are spent: a resumed run numbers on after them and so takes fewer.
  // A reference run repeats them, and they are in its journal already.
  const first = 1 + (plan.privacy === null ? state.step : job.stepsJournaled);
  if (first > plan.steps) return "done";
  if (secret !== null) {
    port.send({ kind: "phase", phase: "Checking sampling, noise and clipping" });
    const result = await checkBeforeRun(job, parts, secret, () => draw(secret).units);
    port.send({ kind: "preflight", result });
    log(result.passed ? "check before the run passed" : "check before the run FAILED");
    requirePassed(result, job.plan);
    port.send({ kind: "phase", phase: "Training" });
  }
  let saved = { step: state.step, at: performance.now() };
  const save = (): void => {
    const { step } = state;
    if (step === saved.step) return;
    const checkpoint = saveCheckpoint(job.runFolder, state, canaries?.scores ?? null);
    port.send({ kind: "checkpoint", step, checkpoint });
    saved = { step, at: performance.now() };
  };
  let ended: LoopEnding = "done";
  let ahead = prepare(first);
  for (let step = first; step <= plan.steps; step += 1) {
    const batch = await ahead;
    // The next batch is read while the engine works.
    ahead = step < plan.steps ? prepare(step + 1) : ahead;
    ahead.catch(() => undefined);
    const outcome = await takeStepUnlessStopped(interruption, state, step, batch, {
      plan,
      network,
      noise,
      journal: async () => {
        if (step > job.stepsJournaled) await journal(step);
        log(`step ${step} journaled`);
      },
      beforeNoise: () => {
        log(`step ${step} draws its noise`);
      },
      onNoisedGradient: (gradient) => {
        canaries?.noteStep(gradient, state.weights);
      },
    });
    if (outcome === null) {
      ended = interruption.wanted() ?? "stopped";
      break;
    }
    // A step whose canaries are half scored could not be told from one whose are not.
    await interruption.holdOff(async () => canaries?.scoreStep());
    port.send({ kind: "step", step, outcome });
    if (performance.now() - saved.at > 1000 * job.checkpointSeconds) save();
  }
  save();
  await ahead.catch(() => undefined);
  return ended;
}

/**
 * `takeStep`, or null where the core said at the step's journaling that the run ends before it, or
 * somebody wants it to end. A step that was journaled by then is spent; the state is as before it.
 */
async function takeStepUnlessStopped(
  interruption: Interruption,
  ...parameters: Parameters<typeof takeStep>
): Promise<StepOutcome | null> {
  try {
    interruption.check();
    return await takeStep(...parameters);
  } catch (error) {
    if (error instanceof StopHere || error instanceof Interrupted) return null;
    throw error;
  }
}

/** Measures the parts of a private run before its first step. */
async function checkBeforeRun(
  job: TrainerJob,
  { network, state, noise }: LoopParts,
  streams: RandomStreams,
  drawUnits: () => Uint32Array,
): Promise<Preflight> {
  const mechanism = mechanismOf(job.plan);
  if (mechanism === null || noise === null) throw new Error("a private run has no noise");
  return preflight({
    plan: job.plan,
    mechanism,
    network,
    weights: state.weights,
    noise,
    drawUnits,
    units: unitCount(job.set),
    stream: streams.views,
  });
}

/** Writes the released weights: the moving average of the iterates. */
function saveWeights(
  job: TrainerJob,
  description: NetworkDescription,
  state: TrainingState,
): CheckedFile {
  const bytes = writeSafetensors(namedTensors(description, state.average), {
    run: job.runId,
    network: description.name,
    resolutionPixels: String(job.plan.recipe.resolutionPixels),
    pixelPipeline: job.plan.pixelPipeline,
    steps: String(state.step),
  });
  // A name of its own for each step: weights that a row names are never written over.
  const file = `weights-${state.step}.safetensors`;
  return { file, sha256: writeAtomically(join(job.runFolder, file), bytes) };
}

interface Log {
  (line: string): void;
  close(): void;
}

/** The run's own log, written line by line so that it tells the truth after a kill. */
function openLog(runFolder: string): Log {
  const handle = openSync(join(runFolder, "trainer.log"), "a", 0o600);
  const write = (line: string): void => {
    writeSync(handle, `${new Date().toISOString()} ${line}\n`);
  };
  return Object.assign(write, {
    close: () => {
      closeSync(handle);
    },
  });
}

import { chosenIn, type ChosenNetwork } from "../../shared/plan.ts";
import { keysOf } from "../../shared/findings.ts";
import { labelCountOf } from "./training-set.ts";
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { describeError } from "../../shared/messages.ts";
import type { CompiledNetwork, Engine } from "../engine/engine.ts";
import type { OpenEngineTask } from "../engine/registry.ts";
import type { NetworkDescription } from "../network/description.ts";
import { namedTensors } from "../network/weights.ts";
import { writeSafetensors } from "../network/safetensors.ts";
import type { NoiseShape } from "../privacy/noise.ts";
import { writeAtomically } from "../store/whole-file.ts";
import { BatchReader } from "./batches.ts";
import { CanaryScorer } from "./canary-scores.ts";
import { loadCanaryScores, loadNewestCheckpoint, type CheckedFile } from "./checkpoint.ts";
import { initialWeights } from "./initial-weights.ts";
import { openCheckpointWriter } from "./checkpoint-thread.ts";
import { createInterruption, Interrupted, type Interruption } from "./interruption.ts";
import { createJournalClient, type JournalRequest } from "./journal-client.ts";
import type { NoiseSource } from "./noise-source.ts";
import { openWeightsMemory } from "./kernel/kernel.ts";
import { mechanismOf } from "./private-gradient.ts";
import { runSteps } from "./run-steps.ts";
import type { SampleUnits } from "./sampling.ts";
import { scoreImages } from "./scoring.ts";
import { createTrainingState, type TrainingState } from "./step.ts";
import { openLog } from "./trainer-log.ts";
import type { TrainerJob, TrainerPort } from "./trainer-protocol.ts";

/** What a trainer is built from; the process entry gives the real ones. */
export interface TrainerParts {
  /** The engine of that name, or the best at hand for "auto". */
  readonly openEngine: (name: string, task: OpenEngineTask) => Promise<Engine>;
  readonly networkOf: (chosen: ChosenNetwork, labels: number) => NetworkDescription;
  /** Fresh noise of a shape into an array [parameters], keyed from the operating system. */
  readonly openNoise: (shape: NoiseShape, noise: Float64Array) => NoiseSource;
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
  const endEarly = (): void => {
    const paused = interruption.wanted() === "paused";
    port.send({ kind: "finished", stopped: true, paused, weights: null });
    log(paused ? "paused" : "stopped");
  };
  const description = parts.networkOf(recipe, labelCountOf(job.set));
  port.send({ kind: "phase", phase: "Preparing the network" });
  const engine = await openEngineUnlessStopped(interruption, job, parts, {
    log,
    report: (line) => {
      log(line);
      port.send({ kind: "phase", phase: line });
    },
  });
  if (engine === null) {
    endEarly();
    log.close();
    return;
  }
  port.send({ kind: "phase", phase: "Preparing the network" });
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
  const memory = openWeightsMemory(network.parameterCount, mechanism?.noise.kind ?? null);
  const noise =
    mechanism === null || memory.noise === null
      ? null
      : parts.openNoise(mechanism.noise, memory.noise);
  const checkpoints = openCheckpointWriter(job.runFolder, (step, checkpoint) => {
    port.send({ kind: "checkpoint", step, checkpoint });
  });
  try {
    port.send({
      kind: "started",
      engine: engine.description.name,
      device: engine.description.device,
    });
    log(`run ${job.runId} (${job.kind}) on ${engine.description.name}`);
    const loaded = loadNewestCheckpoint(job.runFolder, job.checkpoints, memory, (reason) => {
      log(`${reason} Going on from the one before.`);
    });
    const state =
      loaded?.state ??
      createTrainingState(
        memory,
        initialWeights(description, recipe.initialWeights, job.initialSeed, keysOf(job.set.scheme)),
      );
    if (loaded !== null) log(`going on from ${loaded.checkpoint.file}`);

    const canaries = canaryScorer(job, loaded?.checkpoint ?? null, network, reader);
    const { sampleUnits } = parts;
    const loop = {
      network,
      reader,
      state,
      noise,
      sampleUnits,
      canaries,
      checkpoints,
      interruption,
      log,
    };
    const ended = await runSteps(job, port, journal, loop);
    if (ended === "paused" || state.step === 0) {
      const paused = ended === "paused";
      await checkpoints.finish();
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
      await scoreImages(network, reader, memory.average, job.set[part], (images, scores) => {
        const imageIds = Float64Array.from(images, (image) => job.set.imageIds[image] ?? 0);
        port.send({ kind: "predictions", part, imageIds, scores });
      });
    }
    await checkpoints.finish();
    port.send({ kind: "finished", stopped, paused: false, weights });
    log(stopped ? "stopped" : "finished");
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    // Before the first step, or while the films were scored: all steps are in the checkpoint.
    await checkpoints.finish();
    endEarly();
  } finally {
    await checkpoints.close();
    await reader.close();
    await noise?.close();
    await network.dispose();
    log.close();
  }
}

/** `openEngineOf`, or null where somebody wants the run to end before an engine is chosen. */
async function openEngineUnlessStopped(
  { signal }: Interruption,
  job: TrainerJob,
  parts: TrainerParts,
  told: Told,
): Promise<Engine | null> {
  try {
    return await openEngineOf(job, parts, told, signal);
  } catch (error) {
    if (error instanceof Interrupted) return null;
    throw error;
  }
}

/** Who is told of what, in words. */
interface Told {
  readonly log: (line: string) => void;
  /** Of what takes its time. */
  readonly report: (line: string) => void;
}

/** The engine that a resumed run had, so that it goes on bit for bit; else the recipe's. */
async function openEngineOf(
  job: TrainerJob,
  parts: TrainerParts,
  { log, report }: Told,
  signal: AbortSignal,
): Promise<Engine> {
  const { engine, resolutionPixels } = job.plan.recipe;
  const chosen = chosenIn(job.plan.recipe);
  const task = { dataFolder: job.dataFolder, ...chosen, resolutionPixels, report, signal };
  if (job.engine === engine) return parts.openEngine(engine, task);
  try {
    return await parts.openEngine(job.engine, task);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
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

/** Writes the released weights: the moving average of the iterates. */
function saveWeights(
  job: TrainerJob,
  description: NetworkDescription,
  state: TrainingState,
): CheckedFile {
  const bytes = writeSafetensors(namedTensors(description, state.memory.average), {
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

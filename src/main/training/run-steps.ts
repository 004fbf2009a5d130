import type { Preflight } from "../../shared/preflight.ts";
import type { CompiledNetwork } from "../engine/engine.ts";
import {
  openRandomStreams,
  reproducibleRandomStreams,
  type RandomStreams,
} from "../privacy/random.ts";
import type { BatchReader } from "./batches.ts";
import { canaryCoordinates } from "./canaries.ts";
import type { CanaryScorer } from "./canary-scores.ts";
import type { CheckpointWriter } from "./checkpoint-thread.ts";
import { Interrupted, type Interruption } from "./interruption.ts";
import { StopHere, type JournalRequest } from "./journal-client.ts";
import { accounted, loopAccountLine, openLoopAccount } from "./loop-account.ts";
import type { NoiseSource } from "./noise-source.ts";
import { mechanismOf, type StepBatch } from "./private-gradient.ts";
import { preflight, requirePassed } from "./preflight/preflight.ts";
import { drawStep, type SampleUnits, type StepSample } from "./sampling.ts";
import { takeStep, type StepOutcome, type TrainingState } from "./step.ts";
import { unitCount } from "./training-set.ts";
import type { TrainerJob, TrainerPort } from "./trainer-protocol.ts";

/** What the steps of a run are taken with. */
export interface LoopParts {
  readonly network: CompiledNetwork;
  readonly reader: BatchReader;
  readonly state: TrainingState;
  readonly noise: NoiseSource | null;
  readonly sampleUnits: SampleUnits;
  readonly canaries: CanaryScorer | null;
  readonly checkpoints: CheckpointWriter;
  readonly interruption: Interruption;
  readonly log: (line: string) => void;
}

/** How the steps ended: all taken, or somebody asked to stop or to pause before the last. */
export type LoopEnding = "done" | "stopped" | "paused";

/** Takes the steps that are left, and begins to save a checkpoint however they end. */
export async function runSteps(
  job: TrainerJob,
  port: TrainerPort,
  journal: JournalRequest,
  parts: LoopParts,
): Promise<LoopEnding> {
  const { plan } = job;
  const { network, reader, state, noise, canaries, checkpoints, interruption, log } = parts;
  const secret = plan.privacy === null ? null : openRandomStreams();
  // A reference run promises no privacy: keyed by run and step, it can be repeated exactly.
  const streamsOf = (step: number): RandomStreams =>
    secret ?? reproducibleRandomStreams(`${job.runId} step ${step}`);
  const { viewsPerUnit, augmentation: move, mirror } = plan.recipe;
  const draw = (streams: RandomStreams): StepSample =>
    drawStep(streams, job.set, plan.samplingRate, viewsPerUnit, parts.sampleUnits);
  const coordinates = coordinatesOf(job, network);
  const prepare = async (step: number): Promise<StepBatch> => {
    const streams = streamsOf(step);
    const sample = draw(streams);
    const augmentation = { stream: streams.views, move, mirror };
    return {
      ...(await reader.readBatch(sample, viewsPerUnit, augmentation)),
      gradientCanaries: Uint32Array.from(sample.gradientCanaries, (canary) => coordinates(canary)),
    };
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
  const account = openLoopAccount();
  const imagesBefore = reader.busyMilliseconds;
  const timed = accounted(network, account);
  let saved = { step: state.step, at: performance.now() };
  const save = async (): Promise<void> => {
    const { step } = state;
    if (step === saved.step) return;
    const scores = canaries?.scores ?? null;
    await account.during("checkpoints", () => checkpoints.save(state, scores));
    saved = { step, at: performance.now() };
  };
  let ended: LoopEnding = "done";
  let ahead = prepare(first);
  for (let step = first; step <= plan.steps; step += 1) {
    checkpoints.check();
    const batch = await account.during("data", () => ahead);
    // The next batch is read while the engine works.
    ahead = step < plan.steps ? prepare(step + 1) : ahead;
    ahead.catch(() => undefined);
    const outcome = await takeStepUnlessStopped(interruption, state, step, batch, {
      plan,
      network: timed,
      noise,
      journal: async () => {
        if (step > job.stepsJournaled) await account.during("journal", () => journal(step));
        log(`step ${step} journaled`);
      },
      beforeNoise: () => {
        log(`step ${step} draws its noise`);
      },
      onNoisedGradient: (gradient) => {
        canaries?.noteStep(gradient, state.memory.weights);
      },
      beforeChange: () => account.during("checkpoints", () => checkpoints.released()),
    });
    if (outcome === null) {
      ended = interruption.wanted() ?? "stopped";
      break;
    }
    account.add("noise", outcome.waitedForNoiseMilliseconds ?? 0);
    // A step whose canaries are half scored could not be told from one whose are not.
    await interruption.holdOff(async () => canaries?.scoreStep());
    port.send({ kind: "step", step, outcome });
    if (performance.now() - saved.at > 1000 * job.checkpointSeconds) await save();
  }
  await save();
  log(loopAccountLine(account, reader.busyMilliseconds - imagesBefore));
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
    memory: state.memory,
    noise,
    drawUnits,
    units: unitCount(job.set),
    stream: streams.views,
  });
}

/** On which coordinate a gradient canary of the run lies. */
function coordinatesOf(job: TrainerJob, network: CompiledNetwork): (canary: number) => number {
  const { canaries } = job.set;
  const all = canaries === undefined ? null : canaryCoordinates(canaries, network.parameterCount);
  return (canary) => {
    const coordinate = all?.get(canary);
    if (coordinate === undefined) throw new Error(`canary ${canary} has no coordinate`);
    return coordinate;
  };
}

import { UserError } from "../../shared/errors.ts";
import type { AutomaticChoice, RememberedChoice } from "../../shared/engine-choice.ts";
import {
  chooseEngine,
  knownChoice,
  rememberedChoices,
  type EngineTask,
  type Waiting,
} from "./automatic.ts";
import type { Engine, EngineDescription } from "./engine.ts";
import {
  cpuEngine,
  describeCpu,
  describeProvider,
  providerEngine,
  type GpuProvider,
} from "./onnxruntime/engine.ts";
import { runTiming } from "./probe.ts";
import { describeTensorFlow, tensorflowEngine, tensorflowName } from "./tensorflow/engine.ts";

interface Candidate {
  readonly name: string;
  readonly describe: (signal?: AbortSignal) => Promise<EngineDescription>;
  readonly open: () => Promise<Engine>;
}

function gpuCandidate(provider: GpuProvider): Candidate {
  return {
    name: `onnxruntime-${provider}`,
    describe: (signal) => describeProvider(provider, signal),
    open: () => providerEngine(provider),
  };
}

/** In the order in which they are listed. */
const candidates: readonly Candidate[] = [
  {
    name: "onnxruntime-cpu",
    describe: () => Promise.resolve(describeCpu()),
    open: () => Promise.resolve(cpuEngine()),
  },
  gpuCandidate("webgpu"),
  gpuCandidate("dml"),
  gpuCandidate("coreml"),
  gpuCandidate("cuda"),
  { name: tensorflowName, describe: describeTensorFlow, open: tensorflowEngine },
];

/** What "auto" opens where nobody says what for: the CPU, which is always there. */
const fallback = "onnxruntime-cpu";

/**
 * Every engine that this program knows, with the reason where one is absent. Never throws; where the
 * signal is given meanwhile, engines that were still being tried count as absent.
 */
export function listEngines(signal?: AbortSignal): Promise<EngineDescription[]> {
  return Promise.all(candidates.map((candidate) => candidate.describe(signal)));
}

/** What an engine is opened for, and the folder where answers are remembered. */
export interface OpenEngineTask extends EngineTask, Waiting {
  readonly dataFolder: string;
}

/**
 * What "auto" stands for on a task; engines that were not timed on it yet are timed now.
 *
 * @throws the signal's reason where it is given meanwhile.
 */
export async function automaticEngine(task: OpenEngineTask): Promise<AutomaticChoice> {
  task.report?.("Looking for engines");
  const engines = await listEngines(task.signal);
  // An engine whose trial was broken off is not absent.
  task.signal?.throwIfAborted();
  return chooseEngine(task.dataFolder, engines, task, runTiming, task);
}

/** What "auto" was measured to be on this machine's engines, newest first; nothing is timed. */
export async function rememberedAutomaticEngines(dataFolder: string): Promise<RememberedChoice[]> {
  return rememberedChoices(dataFolder, await listEngines());
}

/** What "auto" stands for on a task as far as it is known; nothing is timed. */
export async function knownAutomaticEngine(task: OpenEngineTask): Promise<AutomaticChoice> {
  return knownChoice(task.dataFolder, await listEngines(), task);
}

async function nameFor(name: string, task: OpenEngineTask | null): Promise<string> {
  if (name !== "auto") return name;
  return task === null ? fallback : (await automaticEngine(task)).engine;
}

/**
 * Opens an engine by name; "auto" takes the quickest on the task, or the CPU without one.
 *
 * Throws UserError: "not-found" for an unknown name, "resource" for an engine that is absent,
 * with the reason and what would bring it; the task's signal's reason where it is given meanwhile.
 */
export async function openEngine(
  name: string,
  task: OpenEngineTask | null = null,
): Promise<Engine> {
  const wanted = await nameFor(name, task);
  const candidate = candidates.find((other) => other.name === wanted);
  if (candidate === undefined)
    throw new UserError(
      "not-found",
      `There is no engine named ${name}. Choose one of: auto, ` +
        `${candidates.map((other) => other.name).join(", ")}.`,
    );
  const { available, reason, detail } = await candidate.describe(task?.signal);
  task?.signal?.throwIfAborted();
  if (!available)
    throw new UserError(
      "resource",
      `The engine ${name} cannot be used here: ${reason ?? ""}` +
        (detail == null ? "" : " `engine list --json` tells what its loader said."),
    );
  return candidate.open();
}

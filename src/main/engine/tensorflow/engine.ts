import { checkResolution } from "../../network/validate.ts";
import { MicrobatchedNetwork } from "../compiled.ts";
import type { Engine, EngineDescription } from "../engine.ts";
import { driverSentence, nvidiaGpu } from "../graphics.ts";
import { microbatchPlan } from "../memory.ts";
import { runProbe } from "../probe.ts";
import {
  installation,
  isInstalled,
  library,
  loadTensorFlow,
  packageName,
  requirements,
} from "./load.ts";
import type { TensorFlow } from "./operations.ts";
import { openProgram } from "./program.ts";

export const tensorflowName = "tensorflow";

/** An engine on a TensorFlow.js that is loaded already, with its present backend. */
export function engineOn(tf: TensorFlow, description: EngineDescription): Engine {
  return {
    description,
    compile: (network, options) => {
      checkResolution(network, options.resolutionPixels);
      return Promise.resolve(
        new MicrobatchedNetwork({
          ...options,
          network,
          ...microbatchPlan(network, options, { direct: false, wholeImages: true }),
          device: "keeping",
          prepare: (graph, label, kept) => Promise.resolve(openProgram(tf, graph, label, kept)),
        }),
      );
    },
  };
}

/**
 * Says whether @tensorflow/tfjs-node-gpu is here and works, tried in a process of its own, which the
 * signal ends.
 */
export async function describeTensorFlow(signal?: AbortSignal): Promise<EngineDescription> {
  const absent = (reason: string, detail: string | null = null): EngineDescription => ({
    name: tensorflowName,
    device: null,
    version: null,
    available: false,
    reason,
    detail,
  });
  const needs = `${requirements} ${driverSentence(await nvidiaGpu(signal))}`;
  if (!isInstalled())
    return absent(`The optional package ${packageName} is not installed. ${installation} ${needs}`);
  const probe = await runProbe(tensorflowName, signal);
  if (!probe.works)
    return absent(
      `Its package is installed, but its TensorFlow library does not load. ${library} ${needs}`,
      probe.reason,
    );
  const gpu = probe.onGpu === true ? await nvidiaGpu(signal) : null;
  return {
    name: tensorflowName,
    device: gpu?.name ?? probe.device,
    version: probe.version,
    driver: gpu?.driver ?? null,
    memoryMebibytes: gpu?.memoryMebibytes ?? null,
    available: true,
    reason: null,
  };
}

/** Opens the engine in this process. Call only where `describeTensorFlow` says it is available. */
export async function tensorflowEngine(): Promise<Engine> {
  const description = await describeTensorFlow();
  const { tf } = loadTensorFlow();
  await tf.ready();
  return engineOn(tf, description);
}

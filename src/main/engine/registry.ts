import { UserError } from "../../shared/errors.ts";
import type { Engine, EngineDescription } from "./engine.ts";
import {
  cpuEngine,
  describeCpu,
  describeProvider,
  providerEngine,
  type GpuProvider,
} from "./onnxruntime/engine.ts";
import { describeTensorFlow, tensorflowEngine, tensorflowName } from "./tensorflow/engine.ts";

interface Candidate {
  readonly name: string;
  readonly describe: () => Promise<EngineDescription>;
  readonly open: () => Promise<Engine>;
}

function gpuCandidate(provider: GpuProvider): Candidate {
  return {
    name: `onnxruntime-${provider}`,
    describe: () => describeProvider(provider),
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

/**
 * What "auto" opens: the CPU, whose results and memory are known, until engines are timed on the
 * network at hand. A GPU is a choice by name.
 */
const automatic = "onnxruntime-cpu";

/** Every engine that this program knows, with the reason where one is absent. Never throws. */
export function listEngines(): Promise<EngineDescription[]> {
  return Promise.all(candidates.map((candidate) => candidate.describe()));
}

/**
 * Opens an engine by name; "auto" takes the CPU.
 *
 * Throws UserError: "not-found" for an unknown name, "resource" for an engine that is absent,
 * with the reason and what would bring it.
 */
export async function openEngine(name: string): Promise<Engine> {
  const wanted = name === "auto" ? automatic : name;
  const candidate = candidates.find((other) => other.name === wanted);
  if (candidate === undefined)
    throw new UserError(
      "not-found",
      `There is no engine named ${name}. Choose one of: auto, ` +
        `${candidates.map((other) => other.name).join(", ")}.`,
    );
  const { available, reason } = await candidate.describe();
  if (!available)
    throw new UserError("resource", `The engine ${name} cannot be used here: ${reason ?? ""}`);
  return candidate.open();
}

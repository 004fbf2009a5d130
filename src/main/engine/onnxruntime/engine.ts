import { availableParallelism, cpus } from "node:os";
import { createRequire } from "node:module";
import { checkResolution } from "../../network/validate.ts";
import { MicrobatchedNetwork } from "../compiled.ts";
import type { Engine, EngineDescription } from "../engine.ts";
import { unitsAtOnce } from "../memory.ts";
import { openProgram } from "./program.ts";

export function onnxruntimeVersion(): string {
  const found: unknown = createRequire(import.meta.url)("onnxruntime-node/package.json");
  if (typeof found === "object" && found !== null && "version" in found)
    return String(found.version);
  return "unknown";
}

export function cpuName(): string {
  const model = cpus()[0]?.model.trim() ?? "";
  const threads = availableParallelism();
  return `${model === "" ? "CPU" : model}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** The CPU is always there: onnxruntime is part of the product. */
export function describeCpu(): EngineDescription {
  return {
    name: "onnxruntime-cpu",
    device: cpuName(),
    version: `onnxruntime ${onnxruntimeVersion()}`,
    available: true,
    reason: null,
  };
}

/** onnxruntime on the CPU, with its own fused operators. */
export function cpuEngine(): Engine {
  return {
    description: describeCpu(),
    compile: (network, options) => {
      checkResolution(network, options.resolutionPixels);
      const threads = options.threads ?? availableParallelism();
      const units = unitsAtOnce(options);
      const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads };
      return Promise.resolve(
        new MicrobatchedNetwork(network, options.resolutionPixels, units, (step, label) =>
          openProgram(step, label, sessions),
        ),
      );
    },
  };
}

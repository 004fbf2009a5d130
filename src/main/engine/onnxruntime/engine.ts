import { availableParallelism, cpus } from "node:os";
import { createRequire } from "node:module";
import type { NetworkDescription } from "../../network/description.ts";
import { checkResolution } from "../../network/validate.ts";
import { MicrobatchedNetwork } from "../compiled.ts";
import type { DeviceKind } from "../device.ts";
import type { CompileOptions, CompiledNetwork, Engine, EngineDescription } from "../engine.ts";
import { hasGraphicsDevice, nvidiaGpu } from "../graphics.ts";
import { microbatchPlan, usableMemoryBytes } from "../memory.ts";
import { runProbe } from "../probe.ts";
import { openProgram } from "./program.ts";

export function onnxruntimeVersion(): string {
  const found: unknown = createRequire(import.meta.url)("onnxruntime-node/package.json");
  if (typeof found === "object" && found !== null && "version" in found)
    return String(found.version);
  return "unknown";
}

function cpuName(): string {
  const model = cpus()[0]?.model.trim() ?? "";
  const threads = availableParallelism();
  return `${model === "" ? "CPU" : model}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** Of onnxruntime's bindings for Node only WebGPU's keeps tensors on the device. */
function deviceOf(provider: string): DeviceKind {
  if (provider === "cpu") return "none";
  return provider === "webgpu" ? "keeping" : "crossing";
}

/**
 * A network on one of onnxruntime's execution providers ("cpu", "webgpu", ...).
 *
 * @param device what of the provider's device is used: less than there is, to compare
 */
export function providerNetwork(
  provider: string,
  network: NetworkDescription,
  options: CompileOptions,
  device: DeviceKind = deviceOf(provider),
): CompiledNetwork {
  checkResolution(network, options.resolutionPixels);
  // Kernels of the CPU provider too: see blocks.ts.
  const isCpu = provider === "cpu";
  const sessions = {
    executionProviders: [provider],
    // The fused operators are kernels of the CPU provider.
    fusedOperators: isCpu,
    threads: options.threads ?? availableParallelism(),
  };
  return new MicrobatchedNetwork({
    ...options,
    network,
    ...microbatchPlan(network, options, { direct: isCpu, wholeImages: !isCpu }),
    device,
    prepare: (graph, label, kept) => openProgram(graph, label, sessions, kept),
  });
}

/** An engine on a provider, whatever is said of it. */
export function engineOn(provider: string, description: EngineDescription): Engine {
  return {
    description,
    compile: (network, options) => Promise.resolve(providerNetwork(provider, network, options)),
  };
}

/** The CPU is always there: onnxruntime is part of the product. */
export function describeCpu(): EngineDescription {
  return {
    name: "onnxruntime-cpu",
    device: cpuName(),
    version: `onnxruntime ${onnxruntimeVersion()}`,
    memoryMebibytes: Math.round(usableMemoryBytes() / 2 ** 20),
    available: true,
    reason: null,
  };
}

export function cpuEngine(): Engine {
  return engineOn("cpu", describeCpu());
}

/** Where onnxruntime-node brings a provider along, and what else it takes. */
const gpuProviders = {
  webgpu: {
    platforms: ["linux x64", "win32 x64", "win32 arm64", "darwin arm64"],
    help:
      "It needs a graphics driver for this machine's GPU: Vulkan on Linux, DirectX 12 on " +
      "Windows, Metal on macOS.",
  },
  dml: { platforms: ["win32 x64", "win32 arm64"], help: "It needs a GPU with DirectX 12." },
  coreml: { platforms: ["darwin arm64"], help: "It needs macOS on Apple silicon." },
  cuda: {
    platforms: ["linux x64"],
    help:
      "It needs an NVIDIA GPU with CUDA 12 and cuDNN 9, and onnxruntime's CUDA libraries, which " +
      "`node node_modules/onnxruntime-node/script/install --onnxruntime-node-install=cuda12` downloads.",
  },
} as const;

export type GpuProvider = keyof typeof gpuProviders;

/**
 * Says whether a GPU provider works here, tried in a process of its own, which the signal ends. Never
 * throws.
 */
export async function describeProvider(
  provider: GpuProvider,
  signal?: AbortSignal,
): Promise<EngineDescription> {
  const name = `onnxruntime-${provider}`;
  const { platforms, help } = gpuProviders[provider];
  const absent = (reason: string, detail: string | null = null): EngineDescription => ({
    name,
    device: null,
    version: null,
    available: false,
    reason,
    detail,
  });
  const here = `${process.platform} ${process.arch}`;
  if (!platforms.some((platform) => platform === here))
    return absent(`onnxruntime has it on ${platforms.join(", ")} only; this is ${here}.`);
  if (!hasGraphicsDevice())
    return absent(
      `No graphics device was found: neither /dev/dri nor /dev/nvidia0 exists. ${help}`,
    );
  const probe = await runProbe(name, signal);
  if (!probe.works) return absent(`No usable device was found. ${help}`, probe.reason);
  const gpu = provider === "cuda" ? await nvidiaGpu(signal) : null;
  return {
    name,
    device: gpu?.name ?? probe.device,
    version: probe.version,
    driver: gpu?.driver ?? null,
    memoryMebibytes: gpu?.memoryMebibytes ?? null,
    available: true,
    reason: null,
  };
}

/** Opens a provider in this process. Call only where `describeProvider` says it is available. */
export async function providerEngine(provider: GpuProvider): Promise<Engine> {
  return engineOn(provider, await describeProvider(provider));
}

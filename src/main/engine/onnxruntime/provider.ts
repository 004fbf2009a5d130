import { networkNamed } from "../../network/networks.ts";
import { initialise } from "../../network/initialise.ts";
import type { ProbeResult } from "../probe.ts";
import { onnxruntimeVersion, providerNetwork } from "./engine.ts";

/** What a provider's device is called, as far as onnxruntime lets one know. */
const devices: Readonly<Record<string, string>> = {
  webgpu: "GPU through WebGPU",
  cuda: "NVIDIA GPU through CUDA",
  dml: "GPU through DirectML",
  coreml: "Apple GPU or Neural Engine through CoreML",
};

/** Even numbers between 0 and 1, to compute something with. */
function* ramp(): Generator<number, never> {
  for (let i = 0; ; i += 1) yield ((i * 37) % 101) / 101;
}

/**
 * Runs a whole private step of a small network on the provider and on the CPU and compares them:
 * a provider that lacks an operation, or computes it wrongly, is no engine. Meant for the
 * probing process. Throws what onnxruntime throws.
 */
export async function probeProvider(provider: string): Promise<ProbeResult> {
  const network = networkNamed("resnet9-smooth");
  const numbers = ramp();
  const weights = initialise(network, () => numbers.next().value);
  const resolutionPixels = 16;
  const units = 2;
  const batch = {
    units,
    views: 1,
    images: Float32Array.from({ length: units * 256 }, () => numbers.next().value),
    labels: Float32Array.from({ length: units * network.labels }, (_, i) => i % 2),
  };
  const options = { resolutionPixels, microbatch: units, threads: 1 };
  const clipping = { kind: "flat", norm: 1 } as const;
  const norms: Float32Array[] = [];
  for (const name of ["cpu", provider]) {
    const compiled = providerNetwork(name, network, options);
    norms.push((await compiled.clippedSum(weights, batch, clipping)).norms);
    await compiled.dispose();
  }
  const [expected, found] = norms;
  const agrees = found?.every(
    (norm, unit) => Math.abs(norm / (expected?.[unit] ?? NaN) - 1) < 1e-3,
  );
  if (agrees !== true)
    return { works: false, reason: "its gradients do not agree with those of the CPU." };
  return {
    works: true,
    device: devices[provider] ?? provider,
    version: `onnxruntime ${onnxruntimeVersion()}`,
  };
}

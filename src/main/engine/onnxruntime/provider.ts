import { networkNamed } from "../../network/networks.ts";
import { initialise } from "../../network/initialise.ts";
import type { ClippedSum } from "../engine.ts";
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

/** Norms within a thousandth, and the sum within a thousandth of its length. */
function agree(found: ClippedSum, expected: ClippedSum): boolean {
  const { norms, sum } = expected;
  let [off, all] = [0, 0];
  sum.forEach((value, i) => {
    off += ((found.sum[i] ?? NaN) - value) ** 2;
    all += value ** 2;
  });
  const close = (norm: number, unit: number): boolean =>
    Math.abs(norm / (norms[unit] ?? NaN) - 1) < 1e-3;
  return found.norms.every(close) && off < 1e-6 * all;
}

/**
 * Runs a whole private step of a small network, in two micro-batches, on the provider and on the CPU
 * and compares norms and sums: a provider that lacks an operation, computes it wrongly or loses what
 * it was to keep between micro-batches is no engine. Meant for the probing process. Throws what
 * onnxruntime throws.
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
  const options = { resolutionPixels, microbatch: 1, threads: 1 };
  const clipping = { kind: "flat", norm: 1 } as const;
  const results: ClippedSum[] = [];
  for (const name of ["cpu", provider]) {
    const compiled = providerNetwork(name, network, options);
    results.push(await compiled.clippedSum(weights, batch, clipping));
    await compiled.dispose();
  }
  const [expected, found] = results;
  if (expected === undefined || found === undefined || !agree(found, expected))
    return { works: false, reason: "its gradients do not agree with those of the CPU." };
  return {
    works: true,
    device: devices[provider] ?? provider,
    version: `onnxruntime ${onnxruntimeVersion()}`,
  };
}

import { describe, expect, it } from "vitest";
import { hasGraphicsDevice } from "../../src/main/engine/graphics.ts";
import { cpuEngine, providerNetwork } from "../../src/main/engine/onnxruntime/engine.ts";
import { initialise, networkNamed, type NetworkDescription } from "../../src/main/network/index.ts";
import { randomBatch } from "../unit/support/batches.ts";
import {
  conv,
  networkAround,
  rectangularAndGrouped,
  smallConvnext,
  standardisedConv,
} from "../unit/support/networks.ts";
import { seededRandom } from "../unit/support/random.ts";
import { distance, l2Norm, relativeError } from "../unit/support/reference.ts";

interface Task {
  readonly network: NetworkDescription;
  readonly resolutionPixels: number;
  readonly views: number;
  readonly clipping: "flat" | "automatic";
}

/** One private and one ordinary step and an inference on both providers, compared. */
async function expectAgreement({
  network,
  resolutionPixels,
  views,
  clipping,
}: Task): Promise<void> {
  const options = { resolutionPixels, microbatch: 2, threads: 2 };
  const weights = initialise(network, seededRandom(7));
  const batch = randomBatch(network, { units: 3, views, resolutionPixels, seed: 7 });
  batch.labels[0] = NaN;
  const results = [];
  for (const compiled of [
    await cpuEngine().compile(network, options),
    providerNetwork("webgpu", network, options),
  ]) {
    results.push({
      clipped: await compiled.clippedSum(weights, batch, { kind: clipping, norm: 0.3 }),
      ordinary: await compiled.ordinaryGradient(weights, batch),
      logits: await compiled.infer(weights, batch.images, batch.units * views),
    });
    await compiled.dispose();
  }
  const [cpu, gpu] = results;
  if (cpu === undefined || gpu === undefined) throw new Error("an engine gave nothing");
  expect(l2Norm(cpu.clipped.sum)).toBeGreaterThan(0);
  expect(relativeError(gpu.clipped.norms, cpu.clipped.norms)).toBeLessThan(1e-4);
  expect(relativeError(gpu.clipped.losses, cpu.clipped.losses)).toBeLessThan(1e-5);
  expect(relativeError(gpu.logits, cpu.logits)).toBeLessThan(1e-4);
  expect(distance(gpu.clipped.sum, cpu.clipped.sum) / l2Norm(cpu.clipped.sum)).toBeLessThan(1e-3);
  const mean = l2Norm(cpu.clipped.norms) / batch.units;
  expect(distance(gpu.ordinary.gradient, cpu.ordinary.gradient) / mean).toBeLessThan(1e-3);
}

describe.skipIf(!hasGraphicsDevice())("onnxruntime through WebGPU beside its CPU", () => {
  it.each([
    ["resnet9-smooth", 16, 1, "flat"],
    ["resnet9-smooth", 16, 2, "automatic"],
    ["resnet9-small", 32, 1, "automatic"],
  ] as const)(
    "agrees on %s at %i px, %i views, %s clipping",
    async (name, pixels, views, clipping) => {
      const network = networkNamed(name);
      await expectAgreement({ network, resolutionPixels: pixels, views, clipping });
    },
  );

  it("agrees on max-pooling and ReLU", async () => {
    const network = networkAround(
      [
        conv("a", 1, 3),
        { kind: "maxPool", kernel: 3, stride: 2, padding: 1 },
        { kind: "activation", function: "relu" },
        conv("b", 3, 4),
      ],
      4,
    );
    await expectAgreement({ network, resolutionPixels: 9, views: 1, clipping: "flat" });
  });

  it("agrees on standardised convolutions, SiLU and GELU", async () => {
    const network = networkAround(
      [
        standardisedConv("a", 1, 4),
        { kind: "activation", function: "silu" },
        standardisedConv("b", 4, 6, { stride: 2 }),
        { kind: "activation", function: "gelu" },
      ],
      6,
    );
    await expectAgreement({ network, resolutionPixels: 9, views: 2, clipping: "flat" });
  });

  it("agrees on rectangular and grouped convolutions", async () => {
    const network = rectangularAndGrouped();
    await expectAgreement({ network, resolutionPixels: 9, views: 2, clipping: "automatic" });
  });

  it("agrees on ConvNeXt's layers", async () => {
    const network = smallConvnext();
    await expectAgreement({ network, resolutionPixels: 32, views: 1, clipping: "automatic" });
  });
});

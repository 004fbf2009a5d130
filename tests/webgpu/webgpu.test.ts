import { describe, expect, it } from "vitest";
import { MicrobatchedNetwork } from "../../src/main/engine/compiled.ts";
import { hasGraphicsDevice } from "../../src/main/engine/graphics.ts";
import { cpuEngine, providerNetwork } from "../../src/main/engine/onnxruntime/engine.ts";
import { openProgram } from "../../src/main/engine/onnxruntime/program.ts";
import type { Prepare } from "../../src/main/engine/program.ts";
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

describe.skipIf(!hasGraphicsDevice())("what WebGPU keeps between micro-batches", () => {
  const resolutionPixels = 2;
  const network = networkAround([conv("a", 1, 32), conv("b", 32, 256)], 256);
  const weights = initialise(network, seededRandom(3));
  const batch = randomBatch(network, { units: 7, views: 1, resolutionPixels, seed: 3 });
  const clipping = { kind: "flat", norm: 0.3 } as const;
  const options = { resolutionPixels, microbatch: 2, threads: 2 };

  it("is the same sum, a unit that is not finite left out, with less crossing", async () => {
    const spoilt = { ...batch, images: batch.images.slice() };
    spoilt.images[3 * 4] = NaN;
    const cpu = await cpuEngine().compile(network, options);
    const expected = await cpu.clippedSum(weights, spoilt, clipping);
    await cpu.dispose();
    expect(expected.nonFinite).toBe(1);
    const sent: number[] = [];
    const received: number[] = [];
    for (const device of ["keeping", "crossing"] as const) {
      const gpu = providerNetwork("webgpu", network, options, device);
      const { sum, norms, nonFinite } = await gpu.clippedSum(weights, spoilt, clipping);
      expect(nonFinite).toBe(1);
      expect(norms[3]).toBeNaN();
      const finite = (_: number, unit: number): boolean => unit !== 3;
      expect(relativeError(norms.filter(finite), expected.norms.filter(finite))).toBeLessThan(1e-4);
      expect(distance(sum, expected.sum) / l2Norm(expected.sum)).toBeLessThan(1e-3);
      sent.push(gpu.traffic?.sentBytes ?? NaN);
      received.push(gpu.traffic?.receivedBytes ?? NaN);
      await gpu.dispose();
    }
    // Five runs: two of two units, one of them twice, and two of what is left over.
    expect(sent[0]).toBeLessThan(1.1 * weights.byteLength);
    expect(received[0]).toBeLessThan(1.1 * weights.byteLength);
    expect(sent[1]).toBeGreaterThan(5 * weights.byteLength);
    expect(received[1]).toBeGreaterThan(5 * weights.byteLength);
  });

  it("survives that memory runs out and the programs are made anew", async () => {
    const sessions = { executionProviders: ["webgpu"], fusedOperators: false, threads: 2 };
    let failures = 0;
    const prepare: Prepare = async (graph, label, kept) => {
      const program = await openProgram(graph, label, sessions, kept);
      let runs = 0;
      return {
        dispose: () => program.dispose(),
        run: (feeds, into) => {
          runs += 1;
          const full = label.includes("private 4x1") && runs === 2;
          if (!full) return program.run(feeds, into);
          failures += 1;
          return Promise.reject(new Error("Failed to allocate memory"));
        },
      };
    };
    const gpu = new MicrobatchedNetwork({
      network,
      resolutionPixels,
      unitsAtOnce: () => 4,
      sparing: false,
      recomputing: false,
      direct: false,
      wholeImages: true,
      device: "keeping",
      prepare,
    });
    const cpu = await cpuEngine().compile(network, options);
    const large = randomBatch(network, { units: 8, views: 1, resolutionPixels, seed: 4 });
    const expected = await cpu.clippedSum(weights, large, clipping);
    const { sum } = await gpu.clippedSum(weights, large, clipping);
    expect(failures).toBe(1);
    expect(distance(sum, expected.sum) / l2Norm(expected.sum)).toBeLessThan(1e-3);
    await gpu.dispose();
    await cpu.dispose();
  });

  it("does not grow over many steps", async () => {
    const gpu = providerNetwork("webgpu", network, options);
    const residentMebibytes = async (steps: number): Promise<number> => {
      for (let step = 0; step < steps; step += 1) await gpu.clippedSum(weights, batch, clipping);
      return process.memoryUsage().rss / 2 ** 20;
    };
    const warm = await residentMebibytes(20);
    const later = await residentMebibytes(40);
    // One value of the network's size left behind in each step would be 11 MiB.
    expect(later - warm).toBeLessThan(8);
    await gpu.dispose();
  });
});

import { describe, expect, it, vi } from "vitest";
import {
  defaultMemoryPlan,
  memoryNeed,
  microbatchPlan,
  peakBytes,
} from "../../../src/main/engine/memory.ts";
import { MicrobatchedNetwork } from "../../../src/main/engine/compiled.ts";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { ordinaryGraph, privateGraph } from "../../../src/main/graph/step.ts";
import { initialise, networkNamed, networkNames } from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import { rectangularAndGrouped, smallConvnext } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const gibibyte = 2 ** 30;
const plenty = 64 * gibibyte;

describe("the memory of a graph", () => {
  it("is that of the tensors alive at one time", () => {
    const builder = new GraphBuilder();
    const a = builder.input("a", [10]);
    const b = builder.unary("relu", a);
    const c = builder.unary("relu", builder.reshape(b, [5, 2]));
    builder.output("d", builder.unary("relu", c));
    // Never more than an operation's input and output; the reshape takes nothing.
    expect(peakBytes(builder.finish())).toBe(2 * 4 * 10);
  });
});

const cpu = { direct: true, wholeImages: false };
const gpu = { direct: false, wholeImages: true };

describe("the default micro-batch", () => {
  const network = networkNamed("resnet9");

  it("shrinks with the pixels and with the memory at hand, down to one image", () => {
    const images = (pixels: number, free: number) =>
      defaultMemoryPlan(network, pixels, cpu, free).images;
    expect(images(64, plenty)).toBe(32);
    // With 32 a step takes longer there.
    expect(images(128, plenty)).toBe(16);
    expect(images(224, plenty)).toBeLessThan(images(128, plenty));
    expect(images(128, gibibyte / 4)).toBeLessThan(images(128, plenty));
    expect(images(512, plenty)).toBe(1);
    expect(images(512, 2 ** 20)).toBe(1);
  });

  it("follows the network", () => {
    const small = memoryNeed(networkNamed("resnet9-small"), 64);
    const large = memoryNeed(networkNamed("resnet18"), 64);
    expect(small.bytesPerImage).toBeLessThan(large.bytesPerImage);
    expect(small.fixedBytes).toBeLessThan(large.fixedBytes);
  });

  it("counts the views of a unit, and can be chosen by hand", () => {
    const options = { resolutionPixels: 64, microbatch: null, threads: null };
    const { unitsAtOnce } = microbatchPlan(network, options, cpu);
    expect(unitsAtOnce(4)).toBe(Math.max(1, Math.floor(unitsAtOnce(1) / 4)));
    expect(microbatchPlan(network, { ...options, microbatch: 3 }, cpu).unitsAtOnce(7)).toBe(3);
    expect(() => microbatchPlan(network, { ...options, microbatch: 0 }, cpu)).toThrow(
      /not possible/,
    );
  });
});

describe("an arrangement of a graph", () => {
  it("is sparing where few images would fit at once, and then more do", () => {
    expect(defaultMemoryPlan(networkNamed("resnet9"), 64, cpu, plenty).sparing).toBe(false);
    const convnext = networkNamed("convnext-tiny");
    expect(defaultMemoryPlan(convnext, 128, cpu, plenty)).toEqual({
      images: 4,
      sparing: true,
      recomputing: false,
      ...cpu,
    });
    const options = { resolutionPixels: 128, threads: null };
    expect(microbatchPlan(convnext, { ...options, microbatch: 1 }, cpu).sparing).toBe(false);
    expect(microbatchPlan(convnext, { ...options, microbatch: 8 }, cpu).sparing).toBe(true);
  });

  it.each(networkNames)("that is sparing takes less memory for each image of %s", (name) => {
    const network = networkNamed(name);
    const plain = memoryNeed(network, 64).bytesPerImage;
    expect(memoryNeed(network, 64, { sparing: true }).bytesPerImage).toBeLessThan(0.95 * plain);
  });

  it.each(networkNames)("keeps one image of %s at 512 pixels within 4 GiB", (name) => {
    const network = networkNamed(name);
    const { images, ...arrangement } = defaultMemoryPlan(network, 512, cpu, plenty);
    const shape = { ...arrangement, resolutionPixels: 512, units: images, views: 1 };
    for (const graphOf of [privateGraph, ordinaryGraph])
      // Twice what tensors take, for an allocator's holes, and a quarter for the program itself.
      expect(2 * peakBytes(graphOf(network, shape).graph)).toBeLessThan(3.75 * gibibyte);
  });

  it.each(networkNames)("takes for %s what was planned", (name) => {
    const network = networkNamed(name);
    for (const resolutionPixels of [64, 160]) {
      const { images, ...arrangement } = defaultMemoryPlan(network, resolutionPixels, cpu, plenty);
      const shape = { ...arrangement, resolutionPixels, units: images, views: 1 };
      for (const graphOf of [privateGraph, ordinaryGraph])
        expect(peakBytes(graphOf(network, shape).graph)).toBeLessThan(1.1 * 400 * 2 ** 20);
    }
  });

  it.each([
    ["every layer of ConvNeXt", smallConvnext(3)],
    ["rectangular and grouped convolutions", rectangularAndGrouped(3)],
    ["standardised convolutions", networkNamed("wrn16-4", 3)],
    ["the study's network", networkNamed("resnet9", 3)],
  ])("gives the same sums, norms and gradients: %s", async (_title, tested) => {
    const resolutionPixels = 32;
    const weights = initialise(tested, seededRandom(8));
    const batch = randomBatch(tested, { units: 3, views: 2, resolutionPixels, seed: 8 });
    const arrangements = [
      { sparing: false, recomputing: false, ...gpu, wholeImages: false },
      { sparing: false, recomputing: false, ...gpu },
      { sparing: true, recomputing: false, ...gpu },
      { sparing: false, recomputing: false, ...cpu },
      { sparing: true, recomputing: true, ...gpu, wholeImages: false },
      { sparing: true, recomputing: true, ...gpu },
      { sparing: true, recomputing: true, ...cpu },
    ];
    const [plain, ...others] = await Promise.all(
      arrangements.map(async (arrangement) => {
        const compiled = new MicrobatchedNetwork({
          network: tested,
          resolutionPixels,
          unitsAtOnce: () => 2,
          ...arrangement,
          prepare: (graph, label) =>
            openProgram(graph, label, {
              executionProviders: ["cpu"],
              fusedOperators: true,
              threads: 1,
            }),
        });
        const clipped = await compiled.clippedSum(weights, batch, { kind: "flat", norm: 0.5 });
        const ordinary = await compiled.ordinaryGradient(weights, batch);
        await compiled.dispose();
        return { ...clipped, ...ordinary };
      }),
    );
    for (const other of others) {
      expect(relativeError(other.norms, plain!.norms)).toBeLessThan(2e-6);
      expect(relativeError(other.sum, plain!.sum)).toBeLessThan(1e-5);
      expect(relativeError(other.gradient, plain!.gradient)).toBeLessThan(1e-5);
    }
  });
});

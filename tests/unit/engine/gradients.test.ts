import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import type { CompiledNetwork, UnitBatch } from "../../../src/main/engine/engine.ts";
import {
  defineNetwork,
  initialise,
  networkNamed,
  type Layer,
  type NetworkDescription,
} from "../../../src/main/network/index.ts";
import {
  conv,
  networkAround,
  smallConvnext,
  smoothNetworks,
  standardisedConv,
} from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import {
  distance,
  l2Norm,
  referenceGradient,
  referenceLogits,
  referenceLoss,
  relativeError,
} from "../support/reference.ts";
import { randomBatch, labelsOf, viewsOf } from "../support/batches.ts";

vi.setConfig({ testTimeout: 120_000 });

const opened: CompiledNetwork[] = [];

async function compile(network: NetworkDescription, resolutionPixels: number, microbatch = 4) {
  const compiled = await cpuEngine().compile(network, { resolutionPixels, microbatch, threads: 1 });
  opened.push(compiled);
  return compiled;
}

afterAll(async () => {
  for (const compiled of opened) await compiled.dispose();
});

/** Weights away from their symmetric start, so that every rule has something to get wrong. */
function weightsOf(network: NetworkDescription, seed: number): Float32Array {
  const random = seededRandom(seed);
  return initialise(network, random).map((weight) => weight + 0.2 * (random() - 0.5));
}

/** Compares norms and clipped sum of a batch with central differences of each unit. */
async function expectRightGradients(
  network: NetworkDescription,
  resolutionPixels: number,
  batch: UnitBatch,
  tolerance = 1e-4,
): Promise<void> {
  const weights = weightsOf(network, 11);
  const compiled = await compile(network, resolutionPixels);
  const wide = Float64Array.from(weights);
  const gradients = Array.from({ length: batch.units }, (_, unit) =>
    referenceGradient(network, weights, viewsOf(batch, unit), labelsOf(batch, unit)),
  );
  const expectedNorms = gradients.map(l2Norm);
  const clip = [...expectedNorms].sort((a, b) => a - b)[Math.floor(batch.units / 2)] ?? 1;
  const result = await compiled.clippedSum(weights, batch, { kind: "flat", norm: clip });
  for (let unit = 0; unit < batch.units; unit += 1) {
    const loss = referenceLoss(network, wide, viewsOf(batch, unit), labelsOf(batch, unit));
    expect(result.losses[unit]).toBeCloseTo(loss, 5);
    expect(Math.abs(result.norms[unit]! / expectedNorms[unit]! - 1)).toBeLessThan(tolerance);
  }
  const expectedSum = new Float64Array(weights.length);
  gradients.forEach((gradient, unit) => {
    const factor = Math.min(1, clip / expectedNorms[unit]!);
    gradient.forEach((value, i) => (expectedSum[i]! += factor * value));
  });
  // Units may cancel each other, so errors are measured against the sum of their lengths.
  const clippedLengths = expectedNorms.reduce((sum, norm) => sum + Math.min(norm, clip), 0);
  expect(distance(result.sum, expectedSum) / clippedLengths).toBeLessThan(tolerance);

  const ordinary = await compiled.ordinaryGradient(weights, batch);
  const expectedMean = new Float64Array(weights.length);
  gradients.forEach((gradient) =>
    gradient.forEach((value, i) => (expectedMean[i]! += value / batch.units)),
  );
  const meanLength = expectedNorms.reduce((sum, norm) => sum + norm / batch.units, 0);
  expect(distance(ordinary.gradient, expectedMean) / meanLength).toBeLessThan(tolerance);
}

const activate = (name: "mish" | "relu" | "silu" | "gelu"): Layer => ({
  kind: "activation",
  function: name,
});

const layerCases: Record<string, NetworkDescription> = {
  "a dense layer": networkAround([], 1),
  "a convolution with bias": networkAround([conv("c", 1, 3, { bias: true })], 3),
  "a convolution behind another": networkAround([conv("a", 1, 3), conv("b", 3, 4)], 4),
  "a strided convolution behind another": networkAround(
    [conv("a", 1, 3), conv("b", 3, 4, { stride: 2 })],
    4,
  ),
  "a 5x5 convolution of stride 3": networkAround(
    [conv("a", 1, 2), conv("b", 2, 3, { kernel: 5, stride: 3, padding: 2 })],
    3,
  ),
  "a pointwise convolution of stride 2": networkAround(
    [conv("a", 1, 2), conv("b", 2, 4, { kernel: 1, stride: 2, padding: 0 })],
    4,
  ),
  "an unpadded 2x2 convolution": networkAround(
    [conv("a", 1, 2), conv("b", 2, 3, { kernel: 2, padding: 0 })],
    3,
  ),
  "a depthwise convolution": networkAround(
    [conv("a", 1, 4), conv("b", 4, 4, { groups: 4, stride: 2, bias: true }), activate("mish")],
    4,
  ),
  "a rectangular convolution": networkAround(
    [
      conv("a", 1, 3, { kernel: [1, 4], padding: [0, 2], stride: [1, 2], bias: true }),
      activate("mish"),
      conv("b", 3, 4, { kernel: [3, 2], stride: [2, 1], padding: [1, 0] }),
    ],
    4,
  ),
  "a rectangular depthwise convolution": networkAround(
    [
      conv("a", 1, 4),
      conv("b", 4, 4, { groups: 4, kernel: [1, 5], padding: [0, 2], stride: [1, 2] }),
      activate("mish"),
    ],
    4,
  ),
  "a rectangular standardised convolution": networkAround(
    [
      conv("a", 1, 2),
      standardisedConv("b", 2, 3, { kernel: [3, 1], padding: [2, 0], stride: [2, 3] }),
      activate("mish"),
    ],
    3,
  ),
  "a pointwise window that strides along one axis": networkAround(
    [conv("a", 1, 2), conv("b", 2, 4, { kernel: 1, stride: [1, 2], padding: 0 })],
    4,
  ),
  "a grouped convolution": networkAround(
    [
      conv("a", 1, 6),
      activate("mish"),
      conv("b", 6, 9, { groups: 3, stride: 2, bias: true }),
      activate("mish"),
    ],
    9,
  ),
  "a grouped convolution with fewer outputs than inputs": networkAround(
    [conv("a", 1, 8), activate("mish"), conv("b", 8, 2, { groups: 2, kernel: [2, 3] })],
    2,
  ),
  "a pointwise grouped convolution": networkAround(
    [conv("a", 1, 4), conv("b", 4, 6, { groups: 2, kernel: 1, padding: 0 }), activate("mish")],
    6,
  ),
  "several outputs for each channel by itself": networkAround(
    [conv("a", 1, 3), conv("b", 3, 6, { groups: 3 }), activate("mish")],
    6,
  ),
  "a grouped convolution of few pixels, by ghost norms": networkAround(
    [
      conv("a", 1, 8, { stride: 7 }),
      activate("mish"),
      conv("b", 8, 8, { groups: 2, kernel: [3, 3], padding: 1, stride: 2 }),
    ],
    8,
  ),
  "a convolution in blocks of channels": networkAround(
    [
      conv("a", 1, 16, { stride: 2 }),
      activate("mish"),
      conv("b", 16, 16, { kernel: [3, 2], padding: [1, 1], bias: true }),
      activate("mish"),
    ],
    16,
  ),
  "a strided standardised convolution in blocks of channels": networkAround(
    [
      conv("a", 1, 16),
      activate("mish"),
      standardisedConv("b", 16, 16, { stride: 2 }),
      activate("mish"),
    ],
    16,
  ),
  "group normalisation": networkAround(
    [
      conv("a", 1, 4),
      { kind: "groupNorm", name: "n", channels: 4, groups: 2, epsilon: 1e-5 },
      activate("mish"),
    ],
    4,
  ),
  "a standardised convolution": networkAround([standardisedConv("c", 1, 3)], 3),
  "a strided standardised convolution behind another": networkAround(
    [
      standardisedConv("a", 1, 3, { bias: false }),
      standardisedConv("b", 3, 4, { stride: 2 }),
      activate("mish"),
    ],
    4,
  ),
  "a pointwise standardised convolution of two inputs": networkAround(
    [conv("a", 1, 2), standardisedConv("b", 2, 4, { kernel: 1, padding: 0 })],
    4,
  ),
  "a standardised convolution at its floor": networkAround(
    [conv("a", 1, 2), standardisedConv("b", 2, 3, { epsilon: 1 }), activate("mish")],
    3,
  ),
  "layer normalisation of maps": networkAround(
    [
      conv("a", 1, 4),
      { kind: "layerNorm", name: "n", channels: 4, epsilon: 1e-6 },
      activate("gelu"),
      conv("b", 4, 3),
    ],
    3,
  ),
  "layer normalisation of features": defineNetwork({
    name: "test",
    labels: 2,
    layers: [
      conv("a", 1, 4),
      activate("silu"),
      { kind: "globalAveragePool" },
      { kind: "layerNorm", name: "n", channels: 4, epsilon: 1e-6 },
      { kind: "dense", name: "hidden", inputFeatures: 4, outputFeatures: 5 },
      activate("gelu"),
      { kind: "dense", name: "fc", inputFeatures: 5, outputFeatures: 2 },
    ],
  }),
  "dense layers on maps, with a layer scale": networkAround(
    [
      conv("a", 1, 3),
      {
        kind: "residual",
        body: [
          conv("d", 3, 3, { groups: 3, kernel: 5, padding: 2, bias: true }),
          { kind: "layerNorm", name: "n", channels: 3, epsilon: 1e-6 },
          { kind: "dense", name: "up", inputFeatures: 3, outputFeatures: 6 },
          activate("gelu"),
          { kind: "dense", name: "down", inputFeatures: 6, outputFeatures: 3 },
          { kind: "layerScale", name: "scale", channels: 3, initial: 0.5 },
        ],
        shortcut: [],
      },
      activate("mish"),
    ],
    3,
  ),
  "scale normalisation behind a residual block": networkAround(
    [
      conv("a", 1, 4),
      { kind: "residual", body: [conv("b", 4, 4), activate("mish")], shortcut: [] },
      { kind: "groupNorm", name: "scale", channels: 4, groups: 2, epsilon: 1e-5 },
      activate("mish"),
    ],
    4,
  ),
  "a convolution with more padding than its window": networkAround(
    [conv("a", 1, 2, { kernel: 2, padding: 3 }), activate("mish"), conv("b", 2, 3, { padding: 4 })],
    3,
  ),
  "a convolution whose stride exceeds its window": networkAround(
    [conv("a", 1, 2), activate("mish"), conv("b", 2, 3, { kernel: 2, stride: 3, padding: 1 })],
    3,
  ),
  mish: networkAround([conv("a", 1, 4), activate("mish"), conv("b", 4, 2)], 2),
  silu: networkAround([conv("a", 1, 4), activate("silu"), conv("b", 4, 2)], 2),
  gelu: networkAround([conv("a", 1, 4), activate("gelu"), conv("b", 4, 2)], 2),
  relu: networkAround([conv("a", 1, 4), activate("relu"), conv("b", 4, 2)], 2),
  "average pooling": networkAround(
    [
      conv("a", 1, 2),
      activate("mish"),
      { kind: "averagePool", kernel: 3, stride: 2, padding: 1 },
      conv("b", 2, 3),
    ],
    3,
  ),
  "average pooling of a 2x2 window with stride 3": networkAround(
    [conv("a", 1, 2), activate("mish"), { kind: "averagePool", kernel: 2, stride: 3, padding: 0 }],
    2,
  ),
  "overlapping max pooling of a 5x5 window": networkAround(
    [
      conv("a", 1, 2),
      activate("mish"),
      { kind: "maxPool", kernel: 5, stride: 2, padding: 2 },
      conv("b", 2, 3),
    ],
    3,
  ),
  "max pooling": networkAround(
    [
      conv("a", 1, 2),
      activate("mish"),
      { kind: "maxPool", kernel: 3, stride: 2, padding: 1 },
      conv("b", 2, 3),
    ],
    3,
  ),
  "a residual block with the identity": networkAround(
    [
      conv("a", 1, 2),
      { kind: "residual", body: [conv("b", 2, 2), activate("mish")], shortcut: [] },
      activate("mish"),
    ],
    2,
  ),
  "a residual block with a projection": networkAround(
    [
      conv("a", 1, 2),
      {
        kind: "residual",
        body: [conv("b", 2, 4, { stride: 2 })],
        shortcut: [conv("s", 2, 4, { kernel: 1, stride: 2, padding: 0 })],
      },
    ],
    4,
  ),
};

describe("gradients against central differences in float64", () => {
  it.each(Object.keys(layerCases))("%s", async (name) => {
    const network = layerCases[name]!;
    await expectRightGradients(
      network,
      7,
      randomBatch(network, { units: 3, views: 1, resolutionPixels: 7, seed: 5 }),
    );
  });

  it("is the mean over a unit's views", async () => {
    const network = layerCases["group normalisation"]!;
    await expectRightGradients(
      network,
      6,
      randomBatch(network, { units: 2, views: 3, resolutionPixels: 6, seed: 6 }),
    );
  });

  it("missing labels add nothing and still count in the divisor", async () => {
    const network = layerCases["group normalisation"]!;
    const batch = randomBatch(network, { units: 3, views: 1, resolutionPixels: 6, seed: 7 });
    batch.labels[1] = NaN;
    batch.labels[2] = NaN;
    await expectRightGradients(network, 6, batch);
  });

  it("holds for random small networks", async () => {
    await fc.assert(
      fc.asyncProperty(
        smoothNetworks,
        fc.integer({ min: 6, max: 9 }),
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 0, max: 1000 }),
        async (network, resolutionPixels, views, seed) => {
          const batch = randomBatch(network, { units: 2, views, resolutionPixels, seed });
          await expectRightGradients(network, resolutionPixels, batch);
        },
      ),
      { seed: 20, numRuns: 24 },
    );
  });

  it("the networks by name give the reference's logits", async () => {
    const networks = [
      [networkNamed("resnet9-small"), 32],
      [networkNamed("resnet9-smooth"), 32],
      [networkNamed("resnet9"), 32],
      [networkNamed("wrn16-4"), 8],
      [smallConvnext(), 32],
    ] as const;
    for (const [network, resolutionPixels] of networks) {
      const weights = initialise(network, seededRandom(3));
      const batch = randomBatch(network, { units: 1, views: 1, resolutionPixels, seed: 8 });
      const compiled = await compile(network, resolutionPixels, 1);
      const logits = await compiled.infer(weights, batch.images, 1);
      const expected = referenceLogits(network, Float64Array.from(weights), batch.images);
      expect(relativeError(logits, expected)).toBeLessThan(1e-5);
    }
  });

  it("resnet9-smooth agrees along random parameters of every layer", async () => {
    const network = networkNamed("resnet9-smooth");
    const weights = initialise(network, seededRandom(3));
    const batch = randomBatch(network, { units: 1, views: 1, resolutionPixels: 16, seed: 9 });
    const compiled = await compile(network, 16, 1);
    const { gradient } = await compiled.ordinaryGradient(weights, batch);
    const random = seededRandom(4);
    const indices = network.parameters.map(
      ({ offset, size }) => offset + Math.floor(random() * size),
    );
    const expected = referenceGradient(
      network,
      weights,
      viewsOf(batch, 0),
      labelsOf(batch, 0),
      indices,
    );
    const found = indices.map((index) => gradient[index]!);
    expect(relativeError(found, expected)).toBeLessThan(1e-4);
  });
});

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import util from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import { engineOn } from "../../../src/main/engine/tensorflow/engine.ts";
import { restoreRemovedUtilities } from "../../../src/main/engine/tensorflow/load.ts";
import {
  initialise,
  networkNamed,
  type NetworkDescription,
} from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import {
  conv,
  networkAround,
  rectangularAndGrouped,
  smallConvnext,
  smoothNetworks,
  standardisedConv,
} from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import { distance, l2Norm, relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const tensorflow = engineOn(tf, {
  name: "tensorflow",
  device: "CPU",
  version: tf.version_core,
  available: true,
  reason: null,
});

beforeAll(async () => {
  await tf.setBackend("cpu");
  await tf.ready();
});

/** Runs one private and one ordinary step on both engines and compares them. */
async function expectAgreement(
  network: NetworkDescription,
  resolutionPixels: number,
  views: number,
  seed: number,
): Promise<void> {
  const options = { resolutionPixels, microbatch: 2, threads: 1 };
  const weights = initialise(network, seededRandom(seed));
  const batch = randomBatch(network, { units: 3, views, resolutionPixels, seed });
  batch.labels[0] = NaN;
  const engines = [cpuEngine(), tensorflow];
  const compiled = await Promise.all(engines.map((engine) => engine.compile(network, options)));
  const [onnx, tensor] = await Promise.all(
    compiled.map(async (one) => ({
      clipped: await one.clippedSum(weights, batch, { kind: "flat", norm: 0.3 }),
      ordinary: await one.ordinaryGradient(weights, batch),
      logits: await one.infer(weights, batch.images, batch.units * views),
    })),
  );
  await Promise.all(compiled.map((one) => one.dispose()));
  if (onnx === undefined || tensor === undefined) throw new Error("an engine gave nothing");
  const lengths = onnx.clipped.norms.reduce((sum, norm) => sum + Math.min(norm, 0.3), 0);
  expect(distance(tensor.clipped.sum, onnx.clipped.sum) / lengths).toBeLessThan(1e-4);
  expect(relativeError(tensor.clipped.norms, onnx.clipped.norms)).toBeLessThan(1e-4);
  expect(relativeError(tensor.clipped.losses, onnx.clipped.losses)).toBeLessThan(1e-5);
  expect(relativeError(tensor.logits, onnx.logits)).toBeLessThan(1e-4);
  const mean = l2Norm(onnx.clipped.norms) / batch.units;
  expect(distance(tensor.ordinary.gradient, onnx.ordinary.gradient) / mean).toBeLessThan(1e-4);
}

describe("TensorFlow.js beside onnxruntime", () => {
  it("agrees on random small networks", async () => {
    await fc.assert(
      fc.asyncProperty(
        smoothNetworks,
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 0, max: 1000 }),
        (network, views, seed) => expectAgreement(network, 8, views, seed),
      ),
      { seed: 31, numRuns: 12 },
    );
  });

  it("agrees on a network with max-pooling and ReLU", async () => {
    const network = networkAround(
      [
        conv("a", 1, 3),
        { kind: "maxPool", kernel: 3, stride: 2, padding: 1 },
        { kind: "activation", function: "relu" },
        conv("b", 3, 4),
      ],
      4,
    );
    await expectAgreement(network, 9, 1, 5);
  });

  it("agrees on ConvNeXt's layers and on standardised convolutions", async () => {
    await expectAgreement(smallConvnext(), 32, 1, 8);
    await expectAgreement(
      networkAround(
        [
          standardisedConv("a", 1, 4),
          { kind: "activation", function: "silu" },
          standardisedConv("b", 4, 6, { stride: 2 }),
          { kind: "activation", function: "gelu" },
        ],
        6,
      ),
      9,
      2,
      9,
    );
  });

  it("agrees on rectangular and grouped convolutions", async () => {
    await expectAgreement(rectangularAndGrouped(), 9, 2, 10);
  });

  it("agrees on resnet9-smooth", async () => {
    await expectAgreement(networkNamed("resnet9-smooth"), 16, 1, 6);
  });

  it("leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    await expectAgreement(networkAround([conv("a", 1, 2)], 2), 6, 1, 7);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("keeps nothing of a step on the backend, even of one that breaks off", async () => {
    const network = networkAround([conv("a", 1, 2)], 2);
    const weights = initialise(network, seededRandom(3));
    const batch = randomBatch(network, { units: 7, views: 1, resolutionPixels: 6, seed: 3 });
    batch.images[4 * 36] = NaN;
    const clipping = { kind: "flat", norm: 0.3 } as const;
    let left = Infinity;
    const interrupt = (): void => {
      if (left === 0) throw new Error("enough");
      left -= 1;
    };
    const options = { resolutionPixels: 6, microbatch: 2, threads: 1, interrupt };
    const before = tf.memory().numTensors;
    const compiled = await tensorflow.compile(network, options);
    const step = () => compiled.clippedSum(weights, batch, clipping);
    expect((await step()).nonFinite).toBe(1);
    // Constants of the programs stay.
    const afterOne = tf.memory().numTensors;
    await step();
    expect(tf.memory().numTensors).toBe(afterOne);
    left = 2;
    await expect(step()).rejects.toThrow("enough");
    expect(tf.memory().numTensors).toBe(afterOne);
    await compiled.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gets the weights once a step, and gives the sum once", async () => {
    const network = networkAround([conv("a", 1, 16), conv("b", 16, 16)], 16);
    const weights = initialise(network, seededRandom(3));
    const batch = randomBatch(network, { units: 8, views: 1, resolutionPixels: 6, seed: 3 });
    const options = { resolutionPixels: 6, microbatch: 1, threads: 1 };
    const compiled = await tensorflow.compile(network, options);
    await compiled.clippedSum(weights, batch, { kind: "flat", norm: 0.3 });
    const { sentBytes, receivedBytes } = compiled.traffic!;
    expect(sentBytes).toBeLessThan(2 * (weights.byteLength + batch.images.byteLength));
    expect(receivedBytes).toBeLessThan(2 * weights.byteLength);
    await compiled.dispose();
  });

  it("puts back the two functions of node:util that the GPU package calls", () => {
    restoreRemovedUtilities();
    const restored = util as unknown as Record<string, (value: unknown) => boolean>;
    expect(restored["isNullOrUndefined"]?.(undefined)).toBe(true);
    expect(restored["isNullOrUndefined"]?.(0)).toBe(false);
    expect(restored["isArray"]?.([])).toBe(true);
  });
});

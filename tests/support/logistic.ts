import type { Clipping, CompiledNetwork, Engine, UnitBatch } from "../../src/main/engine/engine.ts";
import type { Recipe } from "../../src/shared/plan.ts";
import type { NetworkDescription } from "../../src/main/network/description.ts";
import { defineNetwork } from "../../src/main/network/validate.ts";

/**
 * Logistic regression on the pixels as a network: one convolution as large as the image, pooled
 * over its single position. 8 x (pixels^2 + 1) parameters, weights [8, 1, pixels, pixels] and then
 * biases [8].
 */
export function logisticNetwork(pixels: number): NetworkDescription {
  return defineNetwork({
    name: "logistic",
    labels: 8,
    layers: [
      {
        kind: "conv2d",
        name: "fc",
        inputChannels: 1,
        outputChannels: 8,
        kernel: pixels,
        stride: 1,
        padding: 0,
        groups: 1,
        bias: true,
      },
      { kind: "globalAveragePool" },
    ],
  });
}

/**
 * An engine for that network only, with exact gradients of each unit in float64: small enough to
 * be seen to be right, so that the loop around it can be tested without another engine.
 */
export function logisticEngine(): Engine {
  const description = {
    name: "logistic",
    device: "float64",
    version: null,
    available: true,
    reason: null,
  };
  return {
    description,
    compile: (network, { resolutionPixels, positiveWeights }) =>
      Promise.resolve(compileLogistic(network, resolutionPixels, positiveWeights ?? null)),
  };
}

function compileLogistic(
  network: NetworkDescription,
  pixels: number,
  positiveWeights: readonly number[] | null,
): CompiledNetwork {
  const area = pixels * pixels;
  const count = network.parameterCount;
  if (count !== 8 * (area + 1)) throw new Error("not a logistic network");
  const logit = (weights: Float32Array, image: Float32Array, label: number): number => {
    let sum = weights[8 * area + label]!;
    for (let i = 0; i < area; i += 1) sum += weights[label * area + i]! * image[i]!;
    return sum;
  };
  /** Loss and gradient of one unit: mean over its views and its labels that are not missing. */
  const unit = (weights: Float32Array, batch: UnitBatch, index: number) => {
    const gradient = new Float64Array(count);
    const labels = batch.labels.subarray(8 * index, 8 * index + 8);
    let loss = 0;
    for (let view = 0; view < batch.views; view += 1) {
      const at = (index * batch.views + view) * area;
      const image = batch.images.subarray(at, at + area);
      labels.forEach((truth, label) => {
        if (Number.isNaN(truth)) return;
        const z = logit(weights, image, label);
        const weight = truth === 1 ? (positiveWeights?.[label] ?? 1) : 1;
        const share = weight / (8 * batch.views);
        loss += share * (Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - z * truth);
        const error = share * (1 / (1 + Math.exp(-z)) - truth);
        for (let i = 0; i < area; i += 1) gradient[label * area + i]! += error * image[i]!;
        gradient[8 * area + label]! += error;
      });
    }
    return { gradient, loss };
  };
  const units = (batch: UnitBatch): number[] => Array.from({ length: batch.units }, (_, i) => i);
  return {
    network,
    parameterCount: count,
    infer: (weights, images, images_) =>
      Promise.resolve(
        Float32Array.from({ length: 8 * images_ }, (_, i) =>
          logit(
            weights,
            images.subarray(Math.floor(i / 8) * area, (Math.floor(i / 8) + 1) * area),
            i % 8,
          ),
        ),
      ),
    clippedSum: (weights, batch, clipping: Clipping) => {
      let nonFinite = 0;
      const sum = new Float64Array(count);
      const norms = new Float32Array(batch.units);
      const losses = new Float32Array(batch.units);
      for (const index of units(batch)) {
        const { gradient, loss } = unit(weights, batch, index);
        const norm = Math.hypot(...gradient);
        norms[index] = norm;
        losses[index] = loss;
        if (!Number.isFinite(norm)) {
          nonFinite += 1;
          continue;
        }
        const factor =
          clipping.kind === "flat"
            ? Math.min(1, clipping.norm / norm)
            : clipping.norm / (norm + 0.01);
        gradient.forEach((value, i) => (sum[i]! += factor * value));
      }
      return Promise.resolve({ sum: Float32Array.from(sum), norms, losses, nonFinite });
    },
    ordinaryGradient: (weights, batch) => {
      const sum = new Float64Array(count);
      const losses = new Float32Array(batch.units);
      for (const index of units(batch)) {
        const { gradient, loss } = unit(weights, batch, index);
        gradient.forEach((value, i) => (sum[i]! += value / batch.units));
        losses[index] = loss;
      }
      return Promise.resolve({ gradient: Float32Array.from(sum), losses });
    },
    dispose: () => Promise.resolve(),
  };
}

/**
 * A recipe for a few quick steps on frames of 16 pixels. The network's name is a real one, since
 * plans are checked; a trainer made of the parts above takes its own network whatever the name.
 */
export const smallRecipe: Recipe = {
  network: "resnet9-small",
  resolutionPixels: 16,
  expectedBatch: 12,
  epochs: 8,
  learningRate: 0.02,
  warmupSteps: 0,
  clipping: { kind: "automatic", norm: 1 },
  averagingDecay: 0.9,
  viewsPerUnit: 1,
  unit: "patient",
  noise: "gaussian",
  augmentation: false,
  mirror: false,
  classWeights: "none",
  optimiser: "nadam",
  momentum: 0.9,
  weightDecay: 0,
  schedule: "constant",
  engine: "auto",
  initialWeights: null,
};

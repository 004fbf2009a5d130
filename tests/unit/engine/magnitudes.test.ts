import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import type { CompiledNetwork, UnitBatch } from "../../../src/main/engine/engine.ts";
import { engineOn } from "../../../src/main/engine/tensorflow/engine.ts";
import { initialise, parameterNamed, type Layer } from "../../../src/main/network/index.ts";
import { chosen, randomBatch } from "../support/batches.ts";
import { conv, networkAround } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import { l2Norm } from "../support/reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const silu: Layer = { kind: "activation", function: "silu" };
const resolutionPixels = 6;
/** Without norms, so that magnitudes pass through; with a ghost norm, and a written-out one. */
const network = networkAround(
  [
    conv("first", 1, 3),
    silu,
    conv("depthwise", 3, 3, { groups: 3, stride: 2 }),
    conv("wide", 3, 24, { stride: 3 }),
  ],
  24,
  1,
);
const start = initialise(network, seededRandom(1));
const batch = randomBatch(network, { units: 3, views: 1, resolutionPixels, seed: 2 });
batch.labels.fill(0);

let opened: CompiledNetwork | null = null;
async function compiled(): Promise<CompiledNetwork> {
  opened ??= await cpuEngine().compile(network, { resolutionPixels, microbatch: 3, threads: 1 });
  return opened;
}
afterAll(() => opened?.dispose());

/** The starting weights with some parameters at another magnitude, and a bias of the logit. */
function weightsWith(powers: { first: number; wide: number; fc: number }, bias: number) {
  const weights = start.slice();
  for (const [name, power] of Object.entries(powers)) {
    const { offset, size } = parameterNamed(network, `${name}.weight`);
    for (let i = offset; i < offset + size; i += 1) weights[i] = weights[i]! * 10 ** power;
  }
  weights[parameterNamed(network, "fc.bias").offset] = bias;
  return weights;
}

/** The norm of one unit's gradient, its squares summed in float64. */
async function trueNorm(
  engine: CompiledNetwork,
  weights: Float32Array,
  units: UnitBatch,
  unit: number,
): Promise<number> {
  const { gradient } = await engine.ordinaryGradient(weights, chosen(units, [unit]));
  return l2Norm(gradient);
}

/** The batch with labels that are all wrong, so that no gradient is saturated away. */
async function contradicted(weights: Float32Array, units: UnitBatch): Promise<UnitBatch> {
  const logits = await (await compiled()).infer(weights, units.images, units.units);
  return { ...units, labels: logits.map((logit) => (logit < 0 ? 1 : 0)) };
}

describe("norms of any magnitude", () => {
  it.each([
    ["a gradient whose squares overflow", { first: 0, wide: 12, fc: 11 }],
    ["a large gradient", { first: 0, wide: 8, fc: 8 }],
    ["an ordinary gradient", { first: 0, wide: 0, fc: 0 }],
  ] as const)("%s has its norm right within 1e-5", async (_, powers) => {
    const engine = await compiled();
    const weights = weightsWith(powers, 0);
    const units = await contradicted(weights, batch);
    for (const kind of ["flat", "automatic"] as const) {
      const { norms, sum, nonFinite } = await engine.clippedSum(weights, units, { kind, norm: 1 });
      expect(nonFinite).toBe(0);
      for (let unit = 0; unit < units.units; unit += 1) {
        const expected = await trueNorm(engine, weights, units, unit);
        if (powers.wide === 12) expect(expected).toBeGreaterThan(2e19);
        expect(Math.abs(norms[unit]! / expected - 1)).toBeLessThan(1e-5);
      }
      expect(sum.every((value) => Number.isFinite(value))).toBe(true);
    }
  });

  it("a gradient whose squares underflow has its norm right within 1e-5", async () => {
    // onnxruntime's sigmoid has no values this small; TensorFlow.js' has.
    await tf.setBackend("cpu");
    await tf.ready();
    const description = { name: "tensorflow", device: "CPU", version: null, available: true };
    const engine = await engineOn(tf, { ...description, reason: null }).compile(network, {
      resolutionPixels,
      microbatch: 3,
      threads: 1,
    });
    const weights = weightsWith({ first: 0, wide: 0, fc: -3 }, -48);
    const { norms, nonFinite } = await engine.clippedSum(weights, batch, { kind: "flat", norm: 1 });
    expect(nonFinite).toBe(0);
    for (let unit = 0; unit < batch.units; unit += 1) {
      const expected = await trueNorm(engine, weights, batch, unit);
      expect(expected).toBeGreaterThan(0);
      expect(expected).toBeLessThan(1e-19);
      expect(Math.abs(norms[unit]! / expected - 1)).toBeLessThan(1e-5);
    }
    await engine.dispose();
  });

  it("one that overflows leaves the others of its micro-batch as they are", async () => {
    const engine = await compiled();
    const weights = weightsWith({ first: 0, wide: 12, fc: 11 }, 0);
    const images = batch.images.slice();
    // The first unit's film is dark enough for its gradient to fit.
    for (let i = 0; i < resolutionPixels ** 2; i += 1) images[i] = images[i]! * 1e-12;
    const uneven = await contradicted(weights, { ...batch, images });
    const clipping = { kind: "flat", norm: 1 } as const;
    const all = await engine.clippedSum(weights, uneven, clipping);
    expect(all.norms[0]).toBeLessThan(1e16);
    expect(all.norms[1]).toBeGreaterThan(2e19);
    const singles = new Float64Array(network.parameterCount);
    for (let unit = 0; unit < 3; unit += 1) {
      const one = await engine.clippedSum(weights, chosen(uneven, [unit]), clipping);
      expect(Math.abs(all.norms[unit]! / one.norms[0]! - 1)).toBeLessThan(1e-6);
      one.sum.forEach((value, i) => (singles[i]! += value));
    }
    const difference = l2Norm(all.sum.map((value, i) => value - singles[i]!));
    expect(difference / l2Norm(singles)).toBeLessThan(1e-5);
  });

  it("never let a contribution exceed the bound, whatever the magnitudes", async () => {
    const power = fc.integer({ min: -20, max: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ first: power, wide: power, fc: power }),
        fc.integer({ min: -90, max: 90 }),
        fc.constantFrom("flat", "automatic" as const),
        fc.constantFrom(1e-6, 1e-2, 1, 1e4),
        async (powers, bias, kind, norm) => {
          const weights = weightsWith(powers, bias);
          const engine = await compiled();
          const one = chosen(batch, [0]);
          const result = await engine.clippedSum(weights, one, { kind, norm });
          const length = l2Norm(result.sum);
          expect(length).toBeLessThanOrEqual(norm);
          if (result.nonFinite > 0) {
            expect(length).toBe(0);
            expect(result.norms[0]).toBeNaN();
            return;
          }
          const before = result.norms[0]!;
          const expected = await trueNorm(engine, weights, batch, 0);
          // Below this a float32 has no room for five digits.
          if (!(expected > 1e-30 && expected < 3e38)) return;
          expect(Math.abs(before / expected - 1)).toBeLessThan(1e-5);
          const clipped =
            kind === "flat" ? Math.min(norm, before) : (norm * before) / (before + 0.01);
          if (clipped > 1e-30) expect(Math.abs(length / clipped - 1)).toBeLessThan(1e-4);
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  });
});

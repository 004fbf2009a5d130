import { afterAll, describe, expect, it, vi } from "vitest";
import type { CompiledNetwork } from "../../../src/main/engine/engine.ts";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import { initialise } from "../../../src/main/network/index.ts";
import { logisticEngine, logisticNetwork } from "../../support/logistic.ts";
import { randomBatch } from "../support/batches.ts";
import { seededRandom } from "../support/random.ts";
import { l2Norm, relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 60_000 });

const resolutionPixels = 8;
const network = logisticNetwork(resolutionPixels);
const weights = initialise(network, seededRandom(3));
const batch = randomBatch(network, { units: 7, views: 2, resolutionPixels, seed: 4 });
const positiveWeights = [1, 3, 0.2, 10, 0.1, 2, 1, 5];
const flat = { kind: "flat", norm: 0.2 } as const;

const opened: CompiledNetwork[] = [];
async function compile(microbatch: number, given: readonly number[] | null) {
  const options = { resolutionPixels, microbatch, threads: 2, positiveWeights: given };
  const compiled = await cpuEngine().compile(network, options);
  opened.push(compiled);
  return compiled;
}
afterAll(async () => {
  for (const compiled of opened) await compiled.dispose();
});

describe("class weights in the loss", () => {
  it("give the losses and gradients that the formula gives in float64", async () => {
    const options = { resolutionPixels, microbatch: null, threads: null, positiveWeights };
    const exact = await logisticEngine().compile(network, options);
    const compiled = await compile(3, positiveWeights);
    const expected = await exact.clippedSum(weights, batch, flat);
    const found = await compiled.clippedSum(weights, batch, flat);
    expect(relativeError(found.sum, expected.sum)).toBeLessThan(1e-4);
    expect(relativeError(found.norms, expected.norms)).toBeLessThan(1e-5);
    expect(relativeError(found.losses, expected.losses)).toBeLessThan(1e-5);
    const [ours, theirs] = await Promise.all([
      compiled.ordinaryGradient(weights, batch),
      exact.ordinaryGradient(weights, batch),
    ]);
    expect(relativeError(ours.gradient, theirs.gradient)).toBeLessThan(1e-5);
  });

  it("change nothing where all are 1, and something where they are not", async () => {
    const none = await (await compile(4, null)).clippedSum(weights, batch, flat);
    const ones = await (
      await compile(
        4,
        positiveWeights.map(() => 1),
      )
    ).clippedSum(weights, batch, flat);
    expect(ones).toEqual(none);
    const weighted = await (await compile(4, positiveWeights)).clippedSum(weights, batch, flat);
    expect(relativeError(weighted.sum, none.sum)).toBeGreaterThan(0.05);
  });

  it("leave the clipping bound as it is", async () => {
    const heavy = await compile(
      1,
      positiveWeights.map(() => 10),
    );
    const one = randomBatch(network, { units: 1, views: 1, resolutionPixels, seed: 9 });
    for (const kind of ["flat", "automatic"] as const) {
      const { sum } = await heavy.clippedSum(weights, one, { kind, norm: 0.01 });
      expect(l2Norm(sum)).toBeLessThanOrEqual(0.01);
    }
  });
});

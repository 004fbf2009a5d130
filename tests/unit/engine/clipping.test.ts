import { afterAll, describe, expect, it, vi } from "vitest";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import type { CompiledNetwork } from "../../../src/main/engine/engine.ts";
import { initialise, networkNamed } from "../../../src/main/network/index.ts";
import { chosen, randomBatch } from "../support/batches.ts";
import { everyKind, rectangularAndGrouped } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import { l2Norm, relativeError } from "../support/reference.ts";

const resolutionPixels = 16;
const flat = { kind: "flat", norm: 0.5 } as const;

vi.setConfig({ testTimeout: 120_000 });

describe.each([networkNamed("resnet9-smooth"), everyKind(), rectangularAndGrouped()])(
  "the clipped sum of $name",
  (network) => {
    const weights = initialise(network, seededRandom(1));
    const batch = randomBatch(network, { units: 9, views: 2, resolutionPixels, seed: 2 });

    const opened = new Map<number, CompiledNetwork>();
    async function compile(microbatch = 4) {
      const known = opened.get(microbatch);
      if (known !== undefined) return known;
      const options = { resolutionPixels, microbatch, threads: 2 };
      const compiled = await cpuEngine().compile(network, options);
      opened.set(microbatch, compiled);
      return compiled;
    }
    afterAll(async () => {
      for (const compiled of opened.values()) await compiled.dispose();
    });

    it("is the sum of clipped gradients of single units", async () => {
      const compiled = await compile();
      const expected = new Float64Array(network.parameterCount);
      for (let unit = 0; unit < batch.units; unit += 1) {
        const { gradient } = await compiled.ordinaryGradient(weights, chosen(batch, [unit]));
        const factor = Math.min(1, flat.norm / l2Norm(gradient));
        gradient.forEach((value, i) => (expected[i]! += factor * value));
      }
      const { sum } = await compiled.clippedSum(weights, batch, flat);
      expect(relativeError(sum, expected)).toBeLessThan(1e-4);
    });

    it("reports norms within 1e-5 of those of single gradients", async () => {
      const compiled = await compile();
      const { norms } = await compiled.clippedSum(weights, batch, flat);
      for (let unit = 0; unit < batch.units; unit += 1) {
        const { gradient } = await compiled.ordinaryGradient(weights, chosen(batch, [unit]));
        expect(Math.abs(norms[unit]! / l2Norm(gradient) - 1)).toBeLessThan(1e-5);
      }
    });

    it.each([
      ["flat", 0.5],
      ["flat", 1e-3],
      ["flat", 100],
      ["automatic", 0.5],
      ["automatic", 1e-3],
    ] as const)("one unit never exceeds the norm (%s, %d)", async (kind, norm) => {
      const compiled = await compile();
      for (let unit = 0; unit < batch.units; unit += 1) {
        const result = await compiled.clippedSum(weights, chosen(batch, [unit]), { kind, norm });
        const length = l2Norm(result.sum);
        expect(length).toBeLessThanOrEqual(norm);
        const before = result.norms[0]!;
        const expected =
          kind === "flat" ? Math.min(norm, before) : (norm * before) / (before + 0.01);
        expect(Math.abs(length / expected - 1)).toBeLessThan(1e-4);
      }
    });

    it.each([1, 3, 8, 9])("is the same for micro-batches of %d", async (microbatch) => {
      const reference = await (await compile(4)).clippedSum(weights, batch, flat);
      const other = await (await compile(microbatch)).clippedSum(weights, batch, flat);
      expect(relativeError(other.sum, reference.sum)).toBeLessThan(1e-6);
      expect(relativeError(other.norms, reference.norms)).toBeLessThan(1e-6);
      expect(relativeError(other.losses, reference.losses)).toBeLessThan(1e-6);
    });

    it("does not depend on the order of units", async () => {
      const compiled = await compile();
      const order = [4, 2, 8, 0, 6, 1, 7, 3, 5];
      const reference = await compiled.clippedSum(weights, batch, flat);
      const other = await compiled.clippedSum(weights, chosen(batch, order), flat);
      expect(relativeError(other.sum, reference.sum)).toBeLessThan(1e-6);
      order.forEach((unit, at) =>
        expect(Math.abs(other.norms[at]! / reference.norms[unit]! - 1)).toBeLessThan(1e-6),
      );
    });

    it("of one view repeated is that of the view", async () => {
      const compiled = await compile();
      const single = randomBatch(network, { units: 5, views: 1, resolutionPixels, seed: 3 });
      const pixels = resolutionPixels ** 2;
      const images = new Float32Array(single.images.length * 3);
      for (let unit = 0; unit < 5; unit += 1)
        for (let view = 0; view < 3; view += 1)
          images.set(
            single.images.subarray(unit * pixels, (unit + 1) * pixels),
            (unit * 3 + view) * pixels,
          );
      const reference = await compiled.clippedSum(weights, single, flat);
      const repeated = await compiled.clippedSum(weights, { ...single, views: 3, images }, flat);
      expect(relativeError(repeated.sum, reference.sum)).toBeLessThan(1e-5);
      expect(relativeError(repeated.norms, reference.norms)).toBeLessThan(1e-5);
    });

    it("lands where the caller wants it, whatever was there", async () => {
      const compiled = await compile();
      const into = new Float32Array(new SharedArrayBuffer(4 * network.parameterCount)).fill(7);
      const seven = chosen(batch, [0, 1, 2, 3, 4, 5, 6]);
      for (const some of [batch, chosen(batch, [1]), seven, batch]) {
        const expected = await compiled.clippedSum(weights, some, flat);
        const found = await compiled.clippedSum(weights, some, flat, into);
        expect(found.sum).toBe(into);
        expect([...into]).toEqual([...expected.sum]);
        const ordinary = await compiled.ordinaryGradient(weights, some);
        expect((await compiled.ordinaryGradient(weights, some, into)).gradient).toBe(into);
        expect([...into]).toEqual([...ordinary.gradient]);
      }
      await compiled.clippedSum(weights, chosen(batch, []), flat, into);
      expect(into.every((value) => value === 0)).toBe(true);
      const short = new Float32Array(network.parameterCount - 1);
      await expect(compiled.clippedSum(weights, batch, flat, short)).rejects.toThrow(/values for/);
    });

    it("of no units is zero", async () => {
      const compiled = await compile();
      const empty = chosen(batch, []);
      const { sum, norms, nonFinite } = await compiled.clippedSum(weights, empty, flat);
      expect(sum.every((value) => value === 0)).toBe(true);
      expect(sum).toHaveLength(network.parameterCount);
      expect([norms.length, nonFinite]).toEqual([0, 0]);
      const { gradient } = await compiled.ordinaryGradient(weights, empty);
      expect(gradient.every((value) => value === 0)).toBe(true);
      expect(await compiled.infer(weights, new Float32Array(0), 0)).toHaveLength(0);
    });

    it("of units without any label is zero, with finite norms", async () => {
      const compiled = await compile();
      const unlabelled = { ...batch, labels: batch.labels.map(() => NaN) };
      const { sum, norms, nonFinite } = await compiled.clippedSum(weights, unlabelled, flat);
      expect(sum.every((value) => value === 0)).toBe(true);
      expect(norms.every((value) => value === 0)).toBe(true);
      expect(nonFinite).toBe(0);
    });

    it("counts units that are not finite as zero, and only those", async () => {
      const compiled = await compile();
      const images = batch.images.slice();
      const unitPixels = 2 * resolutionPixels ** 2;
      images[3 * unitPixels + 40] = NaN;
      images[8 * unitPixels + 7] = Infinity;
      const spoilt = await compiled.clippedSum(weights, { ...batch, images }, flat);
      const without = await compiled.clippedSum(
        weights,
        chosen(batch, [0, 1, 2, 4, 5, 6, 7]),
        flat,
      );
      expect(spoilt.nonFinite).toBe(2);
      expect([spoilt.norms[3], spoilt.norms[8]]).toEqual([NaN, NaN]);
      expect(Number.isFinite(spoilt.norms[2])).toBe(true);
      expect(relativeError(spoilt.sum, without.sum)).toBeLessThan(1e-6);
    });

    it("refuses a clipping norm that is not positive, and overlapping calls", async () => {
      const compiled = await compile();
      for (const norm of [0, -1, NaN, Infinity])
        await expect(compiled.clippedSum(weights, batch, { kind: "flat", norm })).rejects.toThrow(
          /clipping norm must be a positive number/,
        );
      const first = compiled.clippedSum(weights, batch, flat);
      await expect(compiled.clippedSum(weights, batch, flat)).rejects.toThrow(/overlap/);
      await first;
    });
  },
);

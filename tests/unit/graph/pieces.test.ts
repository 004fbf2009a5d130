import { describe, expect, it, vi } from "vitest";
import { MicrobatchedNetwork } from "../../../src/main/engine/compiled.ts";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { privateGraph } from "../../../src/main/graph/step.ts";
import type { NetworkDescription } from "../../../src/main/network/description.ts";
import { initialise, networkNamed } from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const network = networkNamed("resnet9", 3);
const resolutionPixels = 224;
const views = 2;
const arrangement = { sparing: false, recomputing: false, wholeImages: false };

/** With three units at once, in pieces where the engine convolves directly. */
function compiledFor(
  network: NetworkDescription,
  resolutionPixels: number,
  how: { readonly direct: boolean; readonly sparing?: boolean },
): MicrobatchedNetwork {
  return new MicrobatchedNetwork({
    ...arrangement,
    ...how,
    network,
    resolutionPixels,
    unitsAtOnce: () => 3,
    prepare: (graph, label) =>
      openProgram(graph, label, { executionProviders: ["cpu"], fusedOperators: true, threads: 2 }),
  });
}

describe("large maps of a few units at a time", () => {
  it("are cut where engines convolve directly, and where they are large", () => {
    const inputs = (pixels: number, direct: boolean) =>
      privateGraph(network, {
        ...arrangement,
        resolutionPixels: pixels,
        units: 3,
        views,
        direct,
      }).imageFeeds.map(({ first, images }) => [first, images]);
    expect(inputs(resolutionPixels, true)).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ]);
    expect(inputs(resolutionPixels, false)).toEqual([[0, 6]]);
    expect(inputs(64, true)).toEqual([[0, 6]]);
  });

  it("give what they give at once: sums, norms, losses and logits, beside a unit that is no number", async () => {
    const weights = initialise(network, seededRandom(8));
    const batch = randomBatch(network, { units: 5, views, resolutionPixels, seed: 8 });
    const spoilt = { ...batch, images: batch.images.slice(), labels: batch.labels.slice() };
    spoilt.images[(1 * views + 1) * resolutionPixels ** 2 + 7] = NaN;
    spoilt.labels[2 * network.labels] = NaN;
    const results = [];
    for (const direct of [false, true]) {
      // Three units, and two of one: layer1's maps of two units are as many as fit.
      const compiled = compiledFor(network, resolutionPixels, { direct });
      const clipped = await compiled.clippedSum(weights, spoilt, { kind: "flat", norm: 0.5 });
      const ordinary = await compiled.ordinaryGradient(weights, batch);
      const logits = await compiled.infer(weights, batch.images, 5 * views);
      results.push({ clipped, ordinary, logits });
      await compiled.dispose();
    }
    const [whole, inPieces] = results;
    const withoutSpoilt = (values: Float32Array) => values.filter((_, unit) => unit !== 1);
    for (const { clipped } of results) {
      expect(clipped.nonFinite).toBe(1);
      expect(clipped.norms[1]).toBeNaN();
    }
    for (const part of ["norms", "losses"] as const)
      expect(
        relativeError(withoutSpoilt(inPieces!.clipped[part]), withoutSpoilt(whole!.clipped[part])),
        part,
      ).toBeLessThan(1e-5);
    expect(relativeError(inPieces!.clipped.sum, whole!.clipped.sum)).toBeLessThan(1e-4);
    expect(relativeError(inPieces!.ordinary.gradient, whole!.ordinary.gradient)).toBeLessThan(1e-4);
    expect(relativeError(inPieces!.ordinary.losses, whole!.ordinary.losses)).toBeLessThan(1e-5);
    expect(relativeError(inPieces!.logits, whole!.logits)).toBeLessThan(1e-5);
  });

  it.each([
    ["wrn16-4", 128],
    ["resnet18", 224],
  ])("give the norms and sums of %s, in strips of windows too", async (name, pixels) => {
    const tested = networkNamed(name, 3);
    // One unit alone is never cut.
    const [operations = 0, ofOne = 0] = [3, 1].map((units) => {
      const shape = { ...arrangement, resolutionPixels: pixels, units, views: 1, direct: true };
      return privateGraph(tested, shape).graph.operations.length;
    });
    expect(operations).toBeGreaterThan(1.1 * ofOne);
    const weights = initialise(tested, seededRandom(8));
    const batch = randomBatch(tested, { units: 3, views: 1, resolutionPixels: pixels, seed: 8 });
    const results = [];
    for (const how of [{ direct: false }, { direct: true, sparing: true }]) {
      const compiled = compiledFor(tested, pixels, how);
      results.push(await compiled.clippedSum(weights, batch, { kind: "flat", norm: 0.5 }));
      await compiled.dispose();
    }
    const [whole, inPieces] = results;
    expect(relativeError(inPieces!.norms, whole!.norms)).toBeLessThan(1e-5);
    expect(relativeError(inPieces!.sum, whole!.sum)).toBeLessThan(1e-3);
  });
});

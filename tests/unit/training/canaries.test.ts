import { keysOf } from "../../../src/shared/findings.ts";
import { describe, expect, it } from "vitest";
import type { CompiledNetwork, UnitBatch } from "../../../src/main/engine/engine.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import { BatchReader } from "../../../src/main/training/batches.ts";
import { CanaryScorer } from "../../../src/main/training/canary-scores.ts";
import {
  canaryCoordinates,
  canaryFilm,
  drawCanaries,
  kindOfCanary,
  withCanaries,
  type CanaryDraw,
} from "../../../src/main/training/canaries.ts";
import { openWeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import { noiseFromStream } from "../../../src/main/training/noise-source.ts";
import { mechanismOf, privateGradient } from "../../../src/main/training/private-gradient.ts";
import { makePlan, planObstacle } from "../../../src/main/training/recipe.ts";
import { drawStep } from "../../../src/main/training/sampling.ts";
import { unitCount, type TrainingSet } from "../../../src/main/training/training-set.ts";
import { logisticEngine, logisticNetwork, smallRecipe } from "../../support/logistic.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const labelCount = keysOf("sided").length;

const pixels = 16;

/** 60 patients, the first of them with two images; no films on disk. */
function patientsOnly(): TrainingSet {
  const images = 61;
  return {
    shards: [],
    framePixels: pixels,
    imageIds: Float64Array.from({ length: images }, (_, i) => 100 + i),
    shardOfImage: new Uint32Array(images),
    positionOfImage: new Float64Array(images),
    checksumOfImage: new Float64Array(images),
    scheme: "sided",
    labels: new Float32Array(images * labelCount),
    unitOffsets: Uint32Array.from([0, 2, ...Array.from({ length: 59 }, (_, i) => i + 3)]),
    unitImages: Uint32Array.from({ length: images }, (_, i) => i),
    validation: new Uint32Array(0),
    test: new Uint32Array(0),
  };
}

const draw: CanaryDraw = {
  seed: "test",
  included: Array.from({ length: 40 }, (_, canary) => canary % 3 === 0),
};

const numbers = draw.included.map((_, canary) => canary);

describe("canaries", () => {
  it("enter by fair coins of the operating system, with another seed each time", () => {
    const { seed, included } = drawCanaries(4000);
    const inside = included.filter((one) => one).length;
    // Six standard deviations.
    expect(Math.abs(inside - 2000)).toBeLessThan(6 * Math.sqrt(1000));
    expect(drawCanaries(1).seed).not.toBe(seed);
    expect(drawCanaries(0).included).toEqual([]);
  });

  it("stand after all patients as units, with one film or with none, those outside in no unit", () => {
    const before = patientsOnly();
    const set = withCanaries(before, draw);
    const films = numbers.filter((canary) => kindOfCanary(canary) === "film");
    const inside = films.flatMap((canary, at) => (draw.included[canary] ? [61 + at] : []));
    const directions = numbers.filter(
      (canary) => kindOfCanary(canary) === "gradient" && draw.included[canary],
    );
    expect(inside.length).toBeGreaterThan(3);
    expect(directions.length).toBeGreaterThan(3);
    expect(unitCount(set)).toBe(60 + inside.length + directions.length);
    expect([...set.unitOffsets.subarray(0, 61)]).toEqual([...before.unitOffsets]);
    const sizes = [...set.unitOffsets.subarray(60)].map(
      (offset, i, all) => (all[i + 1] ?? NaN) - offset,
    );
    expect(sizes.slice(0, -1)).toEqual([...inside.map(() => 1), ...directions.map(() => 0)]);
    expect([...set.unitImages.subarray(61)]).toEqual(inside);
    expect(set.imageIds).toBe(before.imageIds);
    expect(set.canaries).toMatchObject({ firstImage: 61, count: 40 });
    expect([...set.canaries!.gradients.values()]).toEqual(directions);
    expect(Math.min(...set.canaries!.gradients.keys())).toBe(60 + inside.length);
    expect(set.labels.length).toBe((61 + films.length) * labelCount);
    expect(withCanaries(before, { seed: "", included: [] })).toBe(before);
  });

  it("without a film lie on a coordinate each, which their seed gives again", () => {
    const coordinates = canaryCoordinates({ seed: "a", count: 1000 }, 2056);
    expect(coordinates.size).toBe(750);
    expect(new Set(coordinates.values()).size).toBe(750);
    expect([...coordinates.values()].every((coordinate) => coordinate < 2056)).toBe(true);
    expect(canaryCoordinates({ seed: "a", count: 1000 }, 2056)).toEqual(coordinates);
    expect(canaryCoordinates({ seed: "b", count: 1000 }, 2056)).not.toEqual(coordinates);
    expect(() => canaryCoordinates({ seed: "a", count: 10 }, 9)).toThrow(
      /no place for 10 canaries/,
    );
  });

  it("without a film move a private sum by C on their coordinate, with either noise", async () => {
    const { network, batch, weights } = await emptyStep();
    for (const noise of ["gaussian", "discrete-gaussian"] as const) {
      const plan = makePlan({
        recipe: { ...smallRecipe, noise, clipping: { kind: "flat", norm: 0.3 } },
        epsilon: 8,
        delta: 1e-3,
        units: 60,
        positiveAtGrade: 2,
        pixelPipeline: "test",
      });
      const mechanism = mechanismOf(plan)!;
      const gradientOf = async (gradientCanaries: Uint32Array): Promise<Float32Array> => {
        const { noise: stream } = reproducibleRandomStreams("the same noise");
        const source = noiseFromStream(mechanism.noise, network.parameterCount, stream);
        const step = { ...batch, gradientCanaries };
        const memory = openWeightsMemory(network.parameterCount, noise);
        memory.weights.set(weights);
        return (await privateGradient(memory, step, network, mechanism, source)).gradient;
      };
      const without = await gradientOf(new Uint32Array(0));
      const withTwo = await gradientOf(Uint32Array.from([5, 1000]));
      withTwo.forEach((value, i) => {
        const moved = (value - without[i]!) * plan.divisor;
        expect(moved).toBeCloseTo(i === 5 || i === 1000 ? 0.3 : 0, 4);
      });
    }
  });

  it("are sampled as often as patients are", () => {
    const set = withCanaries(patientsOnly(), draw);
    const streams = reproducibleRandomStreams("sampled");
    const drawn = new Float64Array(unitCount(set));
    const steps = 3000;
    for (let step = 0; step < steps; step += 1) {
      for (const unit of drawStep(streams, set, 0.2, 1).units) drawn[unit]! += 1;
    }
    const rates = [...drawn].map((count) => count / steps);
    // Six standard deviations for each of 74 units.
    expect(rates.every((rate) => Math.abs(rate - 0.2) < 6 * Math.sqrt(0.16 / steps))).toBe(true);
  });

  it("leave the plan as it would be without them, but for their number", () => {
    const choices = {
      epsilon: 4,
      delta: 1e-4,
      units: 60,
      positiveAtGrade: 2,
      pixelPipeline: "test",
    };
    const without = makePlan({ ...choices, recipe: smallRecipe });
    const recipe = { ...smallRecipe, auditCanaries: 40 };
    expect(makePlan({ ...choices, recipe })).toEqual({ ...without, recipe });
    expect(planObstacle({ ...recipe, auditCanaries: 61 }, 60)).toMatch(/outnumber the 60/);
  });

  it("have films that their seed gives again, unlike each other, with either label", () => {
    const films = Array.from({ length: 20 }, (_, canary) =>
      canaryFilm("a", canary, pixels, labelCount),
    );
    expect(canaryFilm("a", 3, pixels, labelCount)).toEqual(films[3]);
    expect(canaryFilm("b", 3, pixels, labelCount)).not.toEqual(films[3]);
    expect(new Set(films.map(({ frame }) => frame.join())).size).toBe(20);
    expect(films.every(({ frame }) => Math.min(...frame) === 0 && Math.max(...frame) === 255)).toBe(
      true,
    );
    const ones = films.flatMap(({ labels }) => [...labels]).filter((label) => label === 1).length;
    expect(ones).toBeGreaterThan(50);
    expect(ones).toBeLessThan(110);
  });
});

async function emptyStep() {
  const network = await logisticEngine().compile(logisticNetwork(pixels), {
    resolutionPixels: pixels,
    microbatch: null,
    threads: null,
  });
  const none = new Float32Array(0);
  const batch: UnitBatch = { units: 0, views: 1, images: none, labels: none };
  return { network, batch, weights: new Float32Array(network.parameterCount) };
}

describe("a canary's score", () => {
  it("is the evidence that a step's sum holds its clipped gradient", async () => {
    const set = withCanaries(patientsOnly(), draw);
    const network = await logisticEngine().compile(logisticNetwork(pixels), {
      resolutionPixels: pixels,
      microbatch: null,
      threads: null,
    });
    const reader = new BatchReader(temporaryFolder(), set, pixels);
    const random = reproducibleRandomStreams("scores").views;
    const vector = (scale: number): Float32Array =>
      Float32Array.from({ length: network.parameterCount }, () => scale * (random.uniform() - 0.5));
    const weights = vector(0.2);
    const gradient = vector(1);
    for (const clipping of [
      { kind: "automatic", norm: 1 },
      { kind: "flat", norm: 0.05 },
    ] as const) {
      const recipe = { ...smallRecipe, clipping };
      const plan = makePlan({
        recipe,
        epsilon: 8,
        delta: 1e-3,
        units: 60,
        positiveAtGrade: 2,
        pixelPipeline: "test",
      });
      const scorer = new CanaryScorer({ network, reader, set, plan, classWeights: null }, null);
      scorer.noteStep(gradient, weights);
      await scorer.scoreStep();
      const coordinates = canaryCoordinates(set.canaries!, network.parameterCount);
      for (const kind of ["film", "gradient"] as const) {
        const ofKind = numbers.filter((canary) => kindOfCanary(canary) === kind);
        const shares: number[] = [];
        for (const [at, canary] of ofKind.entries()) {
          const own =
            kind === "film"
              ? await clippedGradient(network, set, at, weights, clipping)
              : unitVector(network.parameterCount, coordinates.get(canary)!, clipping.norm);
          const product = own.reduce((dot, value, i) => dot + value * gradient[i]!, 0);
          const squared = own.reduce((sum, value) => sum + value * value, 0);
          shares.push((product * plan.divisor) / squared);
        }
        const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
        const variance =
          shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
        const q = plan.samplingRate;
        shares.forEach((share, at) => {
          const exact = Math.log(1 - q + q * Math.exp((share - mean - 0.5) / variance));
          expect(Math.abs(scorer.scores[ofKind[at]!]! - exact)).toBeLessThan(
            5e-3 * Math.abs(exact) + 1e-4,
          );
        });
      }
      // A checkpoint carries the scores on.
      const resumed = new CanaryScorer(
        { network, reader, set, plan, classWeights: null },
        scorer.scores.slice(),
      );
      resumed.noteStep(gradient, weights);
      await resumed.scoreStep();
      expect(resumed.scores[0]).toBeCloseTo(2 * scorer.scores[0]!, 9);
    }
    await reader.close();
  });
});

function unitVector(length: number, coordinate: number, norm: number): Float32Array {
  const vector = new Float32Array(length);
  vector[coordinate] = norm;
  return vector;
}

async function clippedGradient(
  network: CompiledNetwork,
  set: TrainingSet,
  film: number,
  weights: Float32Array,
  clipping: Parameters<CompiledNetwork["clippedSum"]>[2],
): Promise<Float32Array> {
  const { firstImage, frames } = set.canaries!;
  const from = (firstImage + film) * labelCount;
  const batch: UnitBatch = {
    units: 1,
    views: 1,
    images: Float32Array.from(
      frames.subarray(film * pixels ** 2, (film + 1) * pixels ** 2),
      (value) => value / 255,
    ),
    labels: set.labels.slice(from, from + labelCount),
  };
  return (await network.clippedSum(weights, batch, clipping)).sum;
}

import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledNetwork } from "../../../src/main/engine/engine.ts";
import {
  openRandomStreams,
  poissonSample,
  type RandomStream,
} from "../../../src/main/privacy/random.ts";
import { openWeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import { noiseFromStream, type NoiseSource } from "../../../src/main/training/noise-source.ts";
import { mechanismOf } from "../../../src/main/training/private-gradient.ts";
import { makeUpUnits } from "../../../src/main/training/preflight/clipping.ts";
import {
  preflight,
  requirePassed,
  type CheckedParts,
} from "../../../src/main/training/preflight/preflight.ts";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import type { NoiseKind } from "../../../src/shared/plan.ts";
import { logisticEngine, logisticNetwork } from "../../support/logistic.ts";

const pixels = 16;
const units = 1000;
const network = logisticNetwork(pixels);

function planWith(noise: NoiseKind, expectedBatch = 100) {
  return makePlan({
    recipe: { ...defaultRecipe(units, pixels), resolutionPixels: pixels, expectedBatch, noise },
    epsilon: 4,
    delta: null,
    units,
    positiveAtGrade: 2,
    pixelPipeline: "test",
  });
}

let compiled: CompiledNetwork;
beforeAll(async () => {
  compiled = await logisticEngine().compile(network, {
    resolutionPixels: pixels,
    microbatch: null,
    threads: null,
  });
});

/** The parts of a sound run, of which a test replaces one. */
function soundParts(noise: NoiseKind = "gaussian", expectedBatch = 100): CheckedParts {
  const plan = planWith(noise, expectedBatch);
  const mechanism = mechanismOf(plan)!;
  const streams = openRandomStreams();
  const memory = openWeightsMemory(network.parameterCount, noise);
  memory.weights.forEach((_, i) => (memory.weights[i] = Math.sin(i)));
  return {
    plan,
    mechanism,
    network: compiled,
    memory,
    noise: noiseFromStream(mechanism.noise, network.parameterCount, streams.noise),
    drawUnits: () => poissonSample(streams.sampling, units, plan.samplingRate),
    units,
    stream: streams.views,
  };
}

async function failures(change: Partial<CheckedParts>, noise: NoiseKind = "gaussian") {
  const result = await preflight({ ...soundParts(noise), ...change });
  expect(result.passed).toBe(result.checks.every(({ passed }) => passed));
  return result.checks.filter(({ passed }) => !passed).map(({ title }) => title);
}

/** A source whose numbers are changed after they were drawn. */
function changedNoise(
  change: (noise: Float64Array, draw: number) => void,
  kind: NoiseKind = "gaussian",
): NoiseSource {
  const { noise } = soundParts(kind);
  let draws = 0;
  return {
    ...noise,
    draw: async () => {
      const drawn = await noise.draw();
      change(drawn, draws);
      draws += 1;
      return drawn;
    },
  };
}

/** Epochs that are shuffled and cut into batches of one size. */
function shuffledBatches(size: number): () => Uint32Array {
  const { views }: { views: RandomStream } = openRandomStreams();
  let left: number[] = [];
  return () => {
    if (left.length < size) {
      left = Array.from({ length: units }, (_, i) => i);
      for (let i = units - 1; i > 0; i -= 1) {
        const j = views.below(i + 1);
        [left[i], left[j]] = [left[j]!, left[i]!];
      }
    }
    return Uint32Array.from(left.splice(0, size));
  };
}

describe("the check before a run", () => {
  for (const kind of ["gaussian", "discrete-gaussian"] as const) {
    it(`passes sound runs with ${kind} noise, again and again`, async () => {
      for (let round = 0; round < 2; round += 1) {
        for (const batch of [10, 100, 500]) {
          const result = await preflight(soundParts(kind, batch));
          expect(result.checks.filter(({ passed }) => !passed)).toEqual([]);
          expect(() => {
            requirePassed(result, planWith("gaussian"));
          }).not.toThrow();
        }
      }
    });
  }

  it("catches noise that is switched off", async () => {
    const off = changedNoise((noise) => noise.fill(0));
    const failed = await failures({ noise: off });
    expect(failed).toContain("Deviation of the noise, over sigma C");
    expect(failed).toContain("Noise found in the gradient of a step, over sigma C");
  });

  it("catches noise that is a twentieth too weak, of either kind", async () => {
    for (const kind of ["gaussian", "discrete-gaussian"] as const) {
      const weak = changedNoise((noise) => {
        noise.forEach((value, i) => (noise[i] = Math.round(value * 0.95e6) / 1e6));
      }, kind);
      expect(await failures({ noise: weak }, kind)).toContain(
        "Deviation of the noise, over sigma C",
      );
    }
  });

  it("catches noise that a part of the parameters goes without", async () => {
    const partial = changedNoise((noise) => noise.fill(0, 0, 150));
    expect(await failures({ noise: partial })).toContain(
      "Least deviation of a sixteenth of the parameters, over sigma C",
    );
  });

  it("catches noise that is the same in every step, and noise that is shifted", async () => {
    let first: Float64Array | null = null;
    const repeated = changedNoise((noise) => {
      first ??= noise.slice();
      noise.set(first);
    });
    expect(await failures({ noise: repeated })).toContain(
      "Correlation of the noise of two steps running",
    );
    const shifted = changedNoise((noise) => {
      noise.forEach((value, i) => (noise[i] = value + 0.1));
    });
    expect(await failures({ noise: shifted })).toContain("Mean of the noise, over sigma C");
  });

  it("catches an engine that does not clip", async () => {
    const unclipped: CompiledNetwork = {
      ...compiled,
      clippedSum: (weights, batch) =>
        compiled.clippedSum(weights, batch, { kind: "flat", norm: 1e9 }),
    };
    const failed = await failures({ network: unclipped });
    expect(failed).toContain("Longest contribution of a unit, over C");
    expect(failed).toContain("Contribution where every gradient is too long, over C");
  });

  it("catches an engine that clips the sum and not each unit", async () => {
    const plain = soundParts().mechanism.clipping;
    const broken: CompiledNetwork = {
      ...compiled,
      clippedSum: async (weights, batch, clipping) => {
        const result = await compiled.clippedSum(weights, batch, clipping);
        return { ...result, sum: result.sum.map((value) => value * batch.units) };
      },
    };
    expect(plain.norm).toBe(1);
    expect(await failures({ network: broken })).toContain("Change of a sum by a unit more, over C");
  });

  it("never makes up a unit that leaves clipping nothing to do", async () => {
    const { mechanism, memory, stream } = soundParts();
    const { weights } = memory;
    for (let draw = 0; draw < 1000; draw += 1) {
      const { plain, huge } = await makeUpUnits(compiled, weights, stream, {
        resolutionPixels: pixels,
        views: 1,
        labelCount: 8,
      });
      const { norms } = await compiled.clippedSum(weights, huge, mechanism.clipping);
      expect(norms[0]).toBeGreaterThan(1);
      const beside = await compiled.clippedSum(weights, plain, mechanism.clipping);
      expect(beside.norms[0]).toBeGreaterThan(0);
    }
  });

  it("catches a unit that is not finite and spoils the sum", async () => {
    const spoilt: CompiledNetwork = {
      ...compiled,
      clippedSum: async (weights, batch, clipping) => {
        const result = await compiled.clippedSum(weights, batch, clipping);
        return result.nonFinite === 0 ? result : { ...result, sum: result.sum.map(() => NaN) };
      },
    };
    expect(await failures({ network: spoilt })).toEqual([
      "Contribution of a unit that is not finite, over C",
      "Change of a sum by a unit that is not finite, over C",
    ]);
  });

  it("catches batches that are shuffled and cut, at high and low rates", async () => {
    for (const size of [500, 100, 10]) {
      const parts = soundParts("gaussian", size);
      const result = await preflight({ ...parts, drawUnits: shuffledBatches(size) });
      const failed = result.checks.filter(({ passed }) => !passed).map(({ title }) => title);
      expect(failed).toContain("Variance of the batch's size, over that of Poisson sampling");
      expect(failed).not.toContain("Sampling rate");
      expect(() => {
        requirePassed(result, planWith("gaussian"));
      }).toThrow(/nothing was spent.*Variance of the batch's size.*measured 0, expected/);
    }
  });

  it("catches a sampler at a twentieth above its rate, and one that favours some units", async () => {
    const { sampling } = openRandomStreams();
    const eager = () => poissonSample(sampling, units, 0.105);
    expect(await failures({ drawUnits: eager })).toContain("Sampling rate");
    const favouring = () => poissonSample(sampling, units, 0.2).filter((unit) => unit < units / 2);
    expect(await failures({ drawUnits: favouring })).toContain(
      "Variance of how often a unit is taken, over that of Poisson sampling",
    );
  });

  it("catches a batch that is used in two steps", async () => {
    const { sampling } = openRandomStreams();
    let count = 0;
    let batch: Uint32Array = new Uint32Array(0);
    const repeating = () => {
      if (count % 2 === 0) batch = poissonSample(sampling, units, 0.1);
      count += 1;
      return batch;
    };
    expect(await failures({ drawUnits: repeating })).toContain(
      "Units taken in two steps running, over the expected",
    );
  });

  it("catches a divisor that is not the plan's expected batch", async () => {
    const parts = soundParts();
    const mechanism = { ...parts.mechanism, divisor: 2 * parts.mechanism.divisor };
    const failed = await failures({ mechanism });
    expect(failed).toContain("Divisor, over sampling rate times units");
  });
});

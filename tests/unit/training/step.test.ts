import { describe, expect, it } from "vitest";
import type { CompiledNetwork, UnitBatch } from "../../../src/main/engine/engine.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import { openWeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import { noiseFromStream } from "../../../src/main/training/noise-source.ts";
import { mechanismOf } from "../../../src/main/training/private-gradient.ts";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import {
  createTrainingState,
  takeStep,
  type TrainingState,
} from "../../../src/main/training/step.ts";
import { logisticEngine, logisticNetwork } from "../../support/logistic.ts";

const pixels = 16;
const network = logisticNetwork(pixels);

async function compile(): Promise<CompiledNetwork> {
  return logisticEngine().compile(network, {
    resolutionPixels: pixels,
    microbatch: null,
    threads: null,
  });
}

const plans = new Map([null, 2].map((epsilon) => [epsilon, plan(epsilon)]));

function planOf(epsilon: number | null) {
  return plans.get(epsilon)!;
}

function plan(epsilon: number | null) {
  return makePlan({
    recipe: { ...defaultRecipe(1000, pixels), resolutionPixels: pixels, expectedBatch: 40 },
    epsilon,
    delta: null,
    units: 1000,
    positiveAtGrade: 2,
    pixelPipeline: "test",
  });
}

function batchOf(units: number): UnitBatch {
  return {
    units,
    views: 1,
    images: Float32Array.from({ length: units * pixels * pixels }, (_, i) => (i % 7) / 7),
    labels: Float32Array.from({ length: units * 8 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  };
}

/** Runs one step and gives the gradient that the optimiser saw: its first moment is (1-b1) g. */
async function gradientSeen(epsilon: number | null, batch: UnitBatch, key: string) {
  const state = stateOf(epsilon);
  const outcome = await takeStep(state, 1, batch, {
    plan: planOf(epsilon),
    network: await compile(),
    journal: () => Promise.resolve(),
    noise: epsilon === null ? null : noiseOf(key),
  });
  return { gradient: state.memory.firstMoment.map((m) => m / (1 - 0.9)), outcome, state };
}

function stateOf(epsilon: number | null, parameterCount = network.parameterCount): TrainingState {
  const kind = mechanismOf(planOf(epsilon))?.noise.kind ?? null;
  return createTrainingState(
    openWeightsMemory(parameterCount, kind),
    new Float32Array(parameterCount),
  );
}

function noiseOf(key: string) {
  const mechanism = mechanismOf(planOf(2))!;
  return noiseFromStream(
    mechanism.noise,
    network.parameterCount,
    reproducibleRandomStreams(key).noise,
  );
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

describe("a private step", () => {
  it("adds noise of sigma C / divisor to every coordinate, also to an empty batch", async () => {
    const plan = planOf(2);
    const expected = (plan.privacy!.noiseMultiplier * plan.recipe.clipping.norm) / plan.divisor;
    const { gradient, outcome } = await gradientSeen(2, batchOf(0), "empty");
    expect(gradient.every((value) => value !== 0)).toBe(true);
    // Five standard errors of a deviation from 2056 values.
    const error = 5 / Math.sqrt(2 * gradient.length);
    expect(Math.abs(deviation(gradient) / expected - 1)).toBeLessThan(error);
    expect(outcome).toMatchObject({ units: 0, loss: null, clippedShare: null, nonFinite: 0 });
  });

  it("is the clipped sum over the fixed divisor, plus that noise", async () => {
    const batch = batchOf(13);
    const noise = (await gradientSeen(2, batchOf(0), "same key")).gradient;
    const noised = (await gradientSeen(2, batch, "same key")).gradient;
    const plan = planOf(2);
    const { sum, norms } = await (
      await compile()
    ).clippedSum(new Float32Array(network.parameterCount), batch, plan.recipe.clipping);
    expect(Math.max(...norms)).toBeGreaterThan(0);
    noised.forEach((value, i) => {
      expect(value - noise[i]!).toBeCloseTo(sum[i]! / plan.divisor, 5);
    });
  });

  it("draws no noise and changes nothing where the journal refuses", async () => {
    const state = stateOf(2);
    let drawn = 0;
    const step = takeStep(state, 1, batchOf(3), {
      plan: planOf(2),
      network: await compile(),
      journal: () => Promise.reject(new Error("refused")),
      noise: noiseOf("refused"),
      beforeNoise: () => (drawn += 1),
    });
    await expect(step).rejects.toThrow("refused");
    expect(drawn).toBe(0);
    expect(state.step).toBe(0);
    expect(state.memory.weights.every((weight) => weight === 0)).toBe(true);
  });

  it("journals before it draws", async () => {
    const order: string[] = [];
    const state = stateOf(2);
    await takeStep(state, 1, batchOf(3), {
      plan: planOf(2),
      network: await compile(),
      journal: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push("journaled");
      },
      noise: noiseOf("order"),
      beforeNoise: () => order.push("drawn"),
    });
    expect(order).toEqual(["journaled", "drawn"]);
  });
});

describe("a reference step", () => {
  it("is the sum over units over the same divisor, without clipping and noise", async () => {
    const batch = batchOf(13);
    const { gradient, outcome } = await gradientSeen(null, batch, "unused");
    const { gradient: mean } = await (
      await compile()
    ).ordinaryGradient(new Float32Array(network.parameterCount), batch);
    gradient.forEach((value, i) => {
      expect(value).toBeCloseTo((mean[i]! * 13) / planOf(null).divisor, 5);
    });
    expect(outcome.clippedShare).toBeNull();
  });

  it("does not move on an empty batch", async () => {
    const { gradient } = await gradientSeen(null, batchOf(0), "unused");
    expect(gradient.every((value) => value === 0)).toBe(true);
  });
});

describe("a step", () => {
  it("stops the run where the gradient is no longer finite", async () => {
    const broken: CompiledNetwork = {
      ...(await compile()),
      ordinaryGradient: (weights) =>
        Promise.resolve({
          gradient: weights.map(() => NaN),
          losses: Float32Array.of(NaN),
        }),
    };
    const step = takeStep(stateOf(null, 8), 1, batchOf(1), {
      plan: planOf(null),
      network: broken,
      journal: () => Promise.resolve(),
      noise: null,
    });
    await expect(step).rejects.toThrow(/diverged/);
  });
});

import { describe, expect, it } from "vitest";
import {
  likelihoodRatioScores,
  measureAttack,
  scaledConfidence,
} from "../../../src/main/evaluation/membership.ts";
import { seededGenerator } from "../../../src/main/evaluation/random.ts";

function normals(count: number, mean: number, seed: number): Float64Array {
  const next = seededGenerator(seed);
  const uniform = (): number => (next() + 0.5) / 2 ** 32;
  return Float64Array.from(
    { length: count },
    () => mean + Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

const options = {
  attack: "loss-threshold",
  shadowModels: null,
  samples: 200,
  seed: 5,
} as const;

describe("a membership attack", () => {
  it("has the AUROC and the rates of two normal distributions one deviation apart", async () => {
    const result = await measureAttack(
      { members: normals(4000, 1, 1), nonMembers: normals(4000, 0, 2) },
      options,
    );
    // Phi(1 / sqrt 2), and 1 - Phi(z - 1) at z of 1 % and of 0.1 %.
    for (const [interval, truth] of [
      [result.auroc, 0.7602],
      [result.tprAt1Percent, 0.0924],
      [result.tprAt01Percent, 0.0183],
    ] as const) {
      expect(interval!.low - 0.006).toBeLessThan(truth);
      expect(interval!.high + 0.006).toBeGreaterThan(truth);
    }
    expect(result).toMatchObject({ members: 4000, nonMembers: 4000 });
    const { curve } = result;
    expect(curve[0]).toEqual({ falsePositiveRate: 0, truePositiveRate: 0 });
    expect(curve.at(-1)).toEqual({ falsePositiveRate: 1, truePositiveRate: 1 });
    expect(curve.length).toBeLessThan(600);
    // The lowest rates keep their points.
    expect(curve[1]!.falsePositiveRate).toBeLessThanOrEqual(1 / 4000);
  });

  it("finds nothing where there is nothing", async () => {
    const { auroc } = await measureAttack(
      { members: normals(1000, 0, 3), nonMembers: normals(1000, 0, 4) },
      options,
    );
    expect(auroc!.low).toBeLessThan(0.5);
    expect(auroc!.high).toBeGreaterThan(0.5);
  });

  it("counts ties as half and states no rate that its patients cannot resolve", async () => {
    const tied = await measureAttack(
      { members: new Float64Array(20), nonMembers: new Float64Array(12) },
      { ...options, samples: 50 },
    );
    expect(tied.auroc?.estimate).toBe(0.5);
    expect(tied.tprAt1Percent).toBeNull();
    const hundred = await measureAttack(
      { members: normals(100, 2, 5), nonMembers: normals(100, 0, 6) },
      options,
    );
    expect(hundred.tprAt1Percent).not.toBeNull();
    expect(hundred.tprAt01Percent).toBeNull();
  });
});

describe("the likelihood ratio", () => {
  it("measures in deviations from the models that did not see the patient", () => {
    const scores = likelihoodRatioScores(Float64Array.of(3, 5), [
      Float64Array.of(1, NaN),
      Float64Array.of(NaN, 4),
      Float64Array.of(2, NaN),
      Float64Array.of(NaN, 6),
    ]);
    // Means 1.5 and 5; pooled variance (0.5 + 2) / 2.
    const deviation = Math.sqrt(1.25);
    expect(scores[0]).toBeCloseTo(1.5 / deviation, 12);
    expect(scores[1]).toBeCloseTo(0, 12);
  });

  it("sees through patients of different difficulty where a threshold cannot", async () => {
    const patients = 600;
    const difficulty = normals(patients, 0, 7).map((value) => 3 * value);
    const noisy = (seed: number, shift: number): Float64Array =>
      normals(patients, 0, seed).map((value, i) => difficulty[i]! + 0.5 * value + shift);
    const members = patients / 2;
    const target = noisy(8, 0).map((value, i) => value + (i < members ? 1 : 0));
    const shadows = [9, 10, 11, 12].map((seed) => noisy(seed, 0));
    const ratios = likelihoodRatioScores(target, shadows);
    const of = (scores: Float64Array) =>
      measureAttack(
        { members: scores.subarray(0, members), nonMembers: scores.subarray(members) },
        options,
      );
    const threshold = await of(target);
    const ratio = await of(ratios);
    expect(ratio.auroc!.low).toBeGreaterThan(0.8);
    expect(threshold.auroc!.estimate).toBeLessThan(0.65);
  });

  it("scales confidence so that a loss of ln 2 stands at zero", () => {
    expect(scaledConfidence(Math.LN2)).toBeCloseTo(0, 12);
    expect(scaledConfidence(0)).toBeGreaterThan(15);
    expect(scaledConfidence(100)).toBeLessThan(-40);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/shared/errors.ts";
import { trainingPlanSchema } from "../../../src/shared/plan.ts";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { defaultDelta, defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";

const cohort = { positiveAtGrade: 2, pixelPipeline: "test" };

function planOf(units: number, epsilon: number | null, delta: number | null = null) {
  return makePlan({ recipe: defaultRecipe(units, 256), epsilon, delta, units, ...cohort });
}

describe("the default delta", () => {
  it("is a tenth of one over the patients, rounded down to one digit", () => {
    expect(defaultDelta(1000)).toBe(1e-4);
    expect(defaultDelta(1001)).toBe(9e-5);
    expect(defaultDelta(2100)).toBe(4e-5);
    expect(defaultDelta(193_311)).toBe(5e-7);
  });

  it("never exceeds that bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (patients) => {
        const delta = defaultDelta(patients);
        expect(delta).toBeLessThanOrEqual((1 + 1e-12) / (10 * patients));
        expect(delta).toBeGreaterThan(0.5 / (10 * patients));
      }),
      { seed: 2 },
    );
  });
});

describe("a plan", () => {
  it("holds a noise whose epsilon over all steps does not exceed the target", () => {
    for (const epsilon of [0.29, 1.06, 7.89, 8, 20]) {
      const plan = planOf(2000, epsilon);
      const { noiseMultiplier, delta } = plan.privacy!;
      const { samplingRate, steps } = plan;
      const spent = epsilonOf([{ samplingRate, noiseMultiplier, steps }], delta).epsilon;
      expect(spent).toBeLessThanOrEqual(epsilon);
      expect(spent).toBeGreaterThan(0.99 * epsilon);
      expect(plan.privacy!.epsilon).toBe(spent);
    }
  });

  it("couples rate, divisor and steps to the expected batch", () => {
    const recipe = { ...defaultRecipe(1000, 256), expectedBatch: 100, epochs: 7 };
    const plan = makePlan({ recipe, epsilon: null, delta: null, units: 1000, ...cohort });
    expect(plan.samplingRate).toBe(0.1);
    expect(plan.divisor).toBeCloseTo(100, 9);
    expect(plan.steps).toBe(70);
    expect(plan.privacy).toBeNull();
  });

  it("is a valid plan for the default recipe at any size of cohort", () => {
    for (const units of [50, 51, 99, 100, 1000, 5000, 190_000]) {
      expect(() => trainingPlanSchema.parse(planOf(units, 8))).not.toThrow();
    }
  });

  it("is refused for an epsilon or delta that means nothing", () => {
    for (const epsilon of [0, -1, NaN, Infinity]) {
      expect(() => planOf(1000, epsilon)).toThrow(UserError);
    }
    for (const delta of [0, 1, -1e-5, NaN]) {
      expect(() => planOf(1000, 8, delta)).toThrow(UserError);
    }
  });

  it("is refused for a cohort too small or a batch too large, with what to do", () => {
    expect(() => planOf(49, 8)).toThrow(/at least 50/);
    const recipe = { ...defaultRecipe(1000, 256), expectedBatch: 501 };
    expect(() => makePlan({ recipe, epsilon: 8, delta: null, units: 1000, ...cohort })).toThrow(
      /at most 500/,
    );
  });
});

import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import {
  composedEpsilon,
  exactEpsilon,
  liveEpsilon,
  patientMechanism,
} from "../../../src/main/training/spending.ts";

function planOf(epsilon: number | null, unit: "patient" | "image" = "patient") {
  return makePlan({
    recipe: { ...defaultRecipe(800, 64), unit },
    epsilon,
    delta: 1e-5,
    units: 800,
    positiveAtGrade: 2,
    pixelPipeline: "test",
  });
}

const plan = planOf(4);

describe("the epsilon of a run under way", () => {
  it("rises with the steps to the plan's, and never passes it", () => {
    const figures = [0, 1, 10, plan.steps / 2, plan.steps].map((t) => liveEpsilon(plan, t)!);
    expect(figures[0]).toBe(0);
    figures.slice(1).forEach((figure, i) => {
      expect(figure).toBeGreaterThanOrEqual(figures[i]!);
      expect(figure).toBeLessThanOrEqual(plan.privacy!.epsilon);
    });
  });

  it("is never below what the better accountant proves", () => {
    for (const steps of [1, 7, Math.round(plan.steps / 3)]) {
      expect(liveEpsilon(plan, steps)!).toBeGreaterThanOrEqual(exactEpsilon(plan, steps)!);
    }
  });

  it("does not exist for a reference run", () => {
    expect(liveEpsilon(planOf(null), 5)).toBeNull();
    expect(exactEpsilon(planOf(null), 5)).toBeNull();
  });
});

describe("what the ledger composes", () => {
  const run = (unit: "patient" | "image", mostImagesOfAPatient: number) => ({
    runId: "p",
    state: "finished" as const,
    plan: planOf(4, unit),
    stepsSpent: 20,
    mostImagesOfAPatient,
  });

  it("takes a patient-level run as it is", () => {
    const { samplingRate, privacy } = plan;
    expect(patientMechanism(run("patient", 5))).toEqual({
      samplingRate,
      noiseMultiplier: privacy!.noiseMultiplier,
      steps: 20,
    });
  });

  it("counts an image-level run for a patient with all images, above the mixture's figure", () => {
    const imageRun = run("image", 3);
    const { samplingRate, privacy, recipe } = imageRun.plan;
    expect(recipe.unit).toBe("image");
    const image = { samplingRate, noiseMultiplier: privacy!.noiseMultiplier, steps: 20 };
    const bound = composedEpsilon([imageRun], 1e-5);
    expect(bound).toBeGreaterThan(epsilonOf([image], 1e-5).epsilon);
  });

  it("leaves reference runs out", () => {
    expect(composedEpsilon([{ ...run("patient", 1), plan: planOf(null) }], 1e-5)).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { epsilonFigure } from "../../../src/main/privacy/figures.ts";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import {
  composedEpsilon,
  exactEpsilon,
  liveEpsilon,
  livePatientFigures,
  liveQuestions,
  patientFigures,
  patientMechanisms,
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

  it("comes near to the exact one once the figures of its stages are computed", () => {
    const spent = (stepsSpent: number) => ({
      plan,
      stepsSpent,
      classCountsSpent: false,
      mostImagesOfAPatient: 1,
      medianImagesOfAPatient: 1,
    });
    let before = 0;
    for (let steps = 0; steps <= plan.steps; steps += 1) {
      for (const question of liveQuestions(spent(steps))) epsilonFigure(question);
      const live = liveEpsilon(plan, steps)!;
      expect(live).toBeGreaterThanOrEqual(before);
      before = live;
    }
    for (const share of [0.3, 0.5, 0.84, 0.95]) {
      const steps = Math.round(share * plan.steps);
      const [live, exact] = [liveEpsilon(plan, steps)!, exactEpsilon(plan, steps)!];
      expect(live).toBeGreaterThanOrEqual(exact);
      expect(live).toBeLessThan(1.05 * exact);
      expect(live).toBeLessThan(plan.privacy!.epsilon);
    }
  });

  it("does not exist for a reference run", () => {
    expect(liveEpsilon(planOf(null), 5)).toBeNull();
    expect(exactEpsilon(planOf(null), 5)).toBeNull();
  });
});

describe("what the ledger composes", () => {
  const run = (unit: "patient" | "image", most: number, median = most) => ({
    plan: planOf(4, unit),
    stepsSpent: 20,
    classCountsSpent: false,
    mostImagesOfAPatient: most,
    medianImagesOfAPatient: median,
  });
  const mechanismOf = (spent: ReturnType<typeof run>) => ({
    samplingRate: spent.plan.samplingRate,
    noiseMultiplier: spent.plan.privacy!.noiseMultiplier,
    steps: spent.stepsSpent,
  });

  it("takes a run by patients as it was accounted, however many images they have", () => {
    const patientRun = run("patient", 5);
    expect(patientMechanisms(patientRun)).toEqual([mechanismOf(patientRun)]);
    expect(patientFigures(patientRun)).toBeNull();
  });

  it("counts a run by images for the patient with the most by the mixture of Gaussians", () => {
    const imageRun = run("image", 3, 2);
    const figures = patientFigures(imageRun)!;
    const direct = (images: number) =>
      epsilonOf([mechanismOf(imageRun)], 1e-5, "pld", images).epsilon;
    expect(figures).toEqual({
      mostImages: 3,
      epsilon: direct(3),
      medianImages: 2,
      medianEpsilon: direct(2),
    });
    expect(figures.epsilon).toBeGreaterThan(figures.medianEpsilon);
    expect(figures.medianEpsilon).toBeGreaterThan(exactEpsilon(imageRun.plan, 20)!);
  });

  it("needs far less than a patient with all images at once would", () => {
    const imageRun = run("image", 4);
    const { samplingRate, noiseMultiplier, steps } = mechanismOf(imageRun);
    const loose = epsilonOf(
      [{ samplingRate: 1 - (1 - samplingRate) ** 4, noiseMultiplier: noiseMultiplier / 4, steps }],
      1e-5,
    ).epsilon;
    expect(composedEpsilon([imageRun], 1e-5)).toBeLessThan(loose);
  });

  it("composes runs by patients and by images, in any order, each with its own contributions", () => {
    const patientRun = run("patient", 4);
    const imageRun = run("image", 4);
    const together = composedEpsilon([patientRun, imageRun], 1e-5);
    expect(together).toBeGreaterThan(composedEpsilon([imageRun], 1e-5));
    expect(together).toBeLessThan(
      composedEpsilon([imageRun], 5e-6) + composedEpsilon([patientRun], 5e-6),
    );
    expect(composedEpsilon([imageRun, patientRun], 1e-5)).toBe(together);
    const asOne = [mechanismOf(patientRun), { ...mechanismOf(imageRun), imagesPerPatient: 4 }];
    expect(epsilonOf(asOne, 1e-5).epsilon).toBe(together);
    expect(epsilonOf(asOne.toReversed(), 1e-5).epsilon).toBeCloseTo(together, 9);
  });

  it("leaves reference runs out", () => {
    expect(composedEpsilon([{ ...run("patient", 1), plan: planOf(null) }], 1e-5)).toBe(0);
  });

  it("shows a patient's figure of a run under way that is never below the exact one", () => {
    for (const stepsSpent of [1, 13, 37]) {
      const live = { ...run("image", 3, 2), stepsSpent };
      const atFirst = livePatientFigures(live)!;
      const exact = patientFigures(live)!;
      expect(atFirst.epsilon).toBeGreaterThanOrEqual(exact.epsilon);
      for (const question of liveQuestions(live)) epsilonFigure(question);
      const settled = livePatientFigures(live)!;
      expect(settled.epsilon).toBeGreaterThanOrEqual(exact.epsilon);
      if (stepsSpent > 10) expect(settled.epsilon).toBeLessThan(1.2 * exact.epsilon);
      expect(settled.medianEpsilon).toBeGreaterThanOrEqual(exact.medianEpsilon);
    }
  });
});

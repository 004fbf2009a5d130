import { describe, expect, it } from "vitest";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import {
  privacyChecklist,
  severities,
  type ChecklistFacts,
  type ChecklistItem,
} from "../../../src/shared/checklist.ts";
import type { Recipe } from "../../../src/shared/plan.ts";

function facts(
  change: { recipe?: Partial<Recipe>; delta?: number } & Partial<ChecklistFacts> = {},
): ChecklistFacts {
  const { recipe, delta = 1e-5, ...rest } = change;
  const plan = makePlan({
    recipe: { ...defaultRecipe(800, 64), ...recipe },
    epsilon: 4,
    delta,
    units: 800,
    positiveAtGrade: 2,
    pixelPipeline: "test",
  });
  return {
    plan,
    epsilon: 3.99,
    patient: null,
    patients: { trained: 800, validation: 100, test: 200 },
    earlierRuns: 0,
    withReference: true,
    ...rest,
  };
}

function item(list: readonly ChecklistItem[], title: RegExp): ChecklistItem {
  const found = list.find((candidate) => title.test(candidate.title));
  if (found === undefined) throw new Error(`no item ${String(title)}`);
  return found;
}

describe("the privacy checklist", () => {
  it("lists what is open first, each group from critical to theoretical", () => {
    const list = privacyChecklist(facts());
    const ranks = list.map((one) => severities.indexOf(one.severity) + (one.covered ? 3 : 0));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(list.map((one) => one.title)).size).toBe(list.length);
  });

  it("says of held-out patients how many are measured exactly, whatever the plan", () => {
    const held = item(privacyChecklist(facts()), /Validation and test/);
    expect(held).toMatchObject({ severity: "critical", covered: false });
    expect(held.text).toMatch(/800 training patients/);
    expect(held.text).toMatch(/100 validation and 200 test patients/);
  });

  it("names the reference run only where there is one", () => {
    expect(item(privacyChecklist(facts()), /reference run/).covered).toBe(false);
    const alone = privacyChecklist(facts({ withReference: false }));
    expect(alone.some(({ title }) => title.includes("reference run"))).toBe(false);
  });

  it("makes the image as a unit critical, with the figures of a patient", () => {
    expect(item(privacyChecklist(facts()), /All films/).covered).toBe(true);
    const patient = { mostImages: 7, epsilon: 36.2, medianImages: 2, medianEpsilon: 8.31 };
    const unit = item(
      privacyChecklist(facts({ recipe: { unit: "image" }, patient })),
      /unit is one image/,
    );
    expect(unit).toMatchObject({ severity: "critical", covered: false });
    expect(unit.text).toMatch(/7 images.*epsilon 36\.2.* 2, the median, by 8\.31/);
  });

  it("judges delta by the number of patients", () => {
    const judged = (delta: number): [string, boolean] => {
      const { severity, covered } = item(privacyChecklist(facts({ delta })), /Delta/);
      return [severity, covered];
    };
    expect(judged(1e-4)).toEqual(["serious", true]);
    expect(judged(1 / 8000)).toEqual(["serious", true]);
    expect(judged(2e-4)).toEqual(["serious", false]);
    expect(judged(1 / 800)).toEqual(["critical", false]);
  });

  it("says whether class weights come from nowhere or from private counts", () => {
    const weights = item(privacyChecklist(facts()), /Class weights/);
    expect(weights).toMatchObject({ severity: "serious", covered: true });
    expect(weights.text).toMatch(/a public constant/);
    const counted = item(
      privacyChecklist(facts({ recipe: { classWeights: "private" } })),
      /Class weights/,
    );
    expect(counted).toMatchObject({ severity: "serious", covered: true });
    expect(counted.text).toMatch(/counts of patients.*noise of [\d.]+ times.*line of their own/);
  });

  it("says of a run that a person ended early that the choice is not covered", () => {
    const stopping = (list: readonly ChecklistItem[]) => item(list, /Early stopping/);
    expect(stopping(privacyChecklist(facts()))).toMatchObject({ covered: true });
    expect(stopping(privacyChecklist(facts({ endedByHand: true })))).toMatchObject({
      severity: "serious",
      covered: false,
    });
  });

  it("names membership attacks where their figures go along", () => {
    const named = (list: readonly ChecklistItem[]) =>
      list.find(({ title }) => title === "Membership attacks");
    expect(named(privacyChecklist(facts()))).toBeUndefined();
    expect(named(privacyChecklist(facts({ withAttacks: true })))).toMatchObject({
      severity: "serious",
      covered: false,
    });
  });

  it("depends on starting weights, earlier runs, noise, augmentation and epsilon", () => {
    const plain = privacyChecklist(facts());
    expect(item(plain, /start from/).covered).toBe(true);
    expect(item(plain, /looking at results/).covered).toBe(true);
    expect(item(plain, /rounding of noise/)).toMatchObject({
      severity: "theoretical",
      covered: false,
    });
    expect(plain.some(({ title }) => title === "A large epsilon")).toBe(false);
    const other = privacyChecklist(
      facts({
        recipe: {
          initialWeights: "w.safetensors",
          augmentation: false,
          noise: "discrete-gaussian",
        },
        earlierRuns: 3,
        epsilon: 20,
      }),
    );
    expect(item(other, /start from/).covered).toBe(false);
    expect(item(other, /looking at results/)).toMatchObject({
      severity: "serious",
      covered: false,
    });
    expect(item(other, /looking at results/).text).toMatch(/3 private runs/);
    expect(item(other, /rounding of noise/).covered).toBe(true);
    expect(item(other, /Augmentation/).text).toMatch(/None/);
    expect(item(other, /large epsilon/).text).toMatch(/20\.0/);
  });
});

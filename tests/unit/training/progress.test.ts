import { describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/shared/domain.ts";
import { defaultRecipe, makePlan } from "../../../src/main/training/recipe.ts";
import { createProgressMeter } from "../../../src/main/training/progress.ts";
import type { StepOutcome } from "../../../src/main/training/step.ts";

const plan = makePlan({
  recipe: { ...defaultRecipe(800, 64), epochs: 3 },
  epsilon: 8,
  delta: 1e-5,
  units: 800,
  positiveAtGrade: 2,
  pixelPipeline: "1",
});

function outcome(nonFinite: number, loss: number | null = 0.5): StepOutcome {
  return { units: 10, loss, clippedShare: 1, nonFinite, waitedForNoiseMilliseconds: 0 };
}

describe("contributions left out as not finite", () => {
  it("add up over the run and stand in every later point of its curve", () => {
    const meter = createProgressMeter(plan, 0);
    expect(meter.noteStep(1, outcome(0))?.leftOut).toBe(0);
    expect(meter.noteStep(2, outcome(2))?.leftOut).toBe(2);
    expect(meter.noteStep(3, outcome(1))?.leftOut).toBe(3);
    expect(meter.progress({ state: "running" } as RunSummary).leftOut).toBe(3);
  });

  it("are shown where all of a batch was left out and no loss is known", () => {
    const meter = createProgressMeter(plan, 0);
    expect(meter.noteStep(1, outcome(10, null))).toBeNull();
    expect(meter.progress({ state: "running" } as RunSummary).leftOut).toBe(10);
    expect(meter.noteStep(2, outcome(0))?.leftOut).toBe(10);
  });

  it("of a run that goes on start where its curve ended", () => {
    const meter = createProgressMeter(plan, 5, 7);
    expect(meter.noteStep(6, outcome(1))?.leftOut).toBe(8);
  });
});

import { describe, expect, it } from "vitest";
import {
  createNadamState,
  learningRateAt,
  nadamStep,
  updateAverage,
} from "../../../src/main/training/optimiser.ts";

/** The gradients of step t (from 1) that the golden values were made with. */
function gradientOf(t: number): Float32Array {
  return Float32Array.of(0.3 * (-1) ** t + 0.1 * t, -0.2 + 0.05 * t, 1e-3 * (t + 1), 2 - 0.3 * t);
}

describe("NAdam", () => {
  it("follows torch.optim.NAdam", () => {
    // torch 1.13, float64: torch.optim.NAdam([p], lr=0.01, foreach=True) from p = [0.5, -1, 0.25, 2]
    // with the gradients above, after 1, 3 and 6 steps. (Its foreach=False applies the momentum of
    // the step twice in the product of the next; later versions and Dozat do not.)
    const golden = new Map([
      [1, [0.510564517255328, -0.9894354829207472, 0.2394355350387709, 1.9894354822785905]],
      [3, [0.5006605817113402, -0.9791738512420429, 0.22135200883555198, 1.9763860717938708]],
      [6, [0.47544880937765593, -0.9864039900532476, 0.1920645578243956, 1.9646381091964567]],
    ]);
    const weights = Float32Array.of(0.5, -1, 0.25, 2);
    const state = createNadamState(4);
    for (let t = 1; t <= 6; t += 1) {
      nadamStep(state, weights, gradientOf(t), 0.01, null);
      golden.get(t)?.forEach((value, index) => {
        expect(weights[index]).toBeCloseTo(value, 6);
      });
    }
  });

  it("subtracts the noise's variance from the second moment, but not below the floor", () => {
    // One step: the second moment is g^2 exactly after the bias correction, and the first moment
    // and the gradient are both multiples of g, so the step is proportional to g / denominator.
    const step = (gradient: number, variance: number): number => {
      const weights = Float32Array.of(0);
      const correction = { variance, floorShare: 0.25 };
      nadamStep(createNadamState(1), weights, Float32Array.of(gradient), 1, correction);
      return weights[0]!;
    };
    const plain = step(2, 0);
    expect(step(2, 3) / plain).toBeCloseTo(2 / Math.sqrt(4 - 3), 5);
    expect(step(2, 100) / plain).toBeCloseTo(2 / Math.sqrt(25), 5);
  });
});

describe("the learning rate", () => {
  it("rises over the warm-up and stays", () => {
    const recipe = { learningRate: 0.4, warmupSteps: 4 };
    const rates = [1, 2, 3, 4, 5, 100].map((step) => learningRateAt(recipe, step));
    expect(rates).toEqual([0.1, 0.2, expect.closeTo(0.3), 0.4, 0.4, 0.4]);
  });

  it("is constant without a warm-up", () => {
    expect(learningRateAt({ learningRate: 0.4, warmupSteps: 0 }, 1)).toBe(0.4);
  });
});

describe("the average of the weights", () => {
  it("keeps the weight that the decay says once it has warmed up", () => {
    const average = Float32Array.of(1);
    updateAverage(average, Float32Array.of(0), 0.9, 1_000_000);
    expect(average[0]).toBeCloseTo(0.9, 6);
  });

  it("forgets the initial weights at first", () => {
    const average = Float32Array.of(1);
    updateAverage(average, Float32Array.of(0), 0.999, 1);
    expect(average[0]).toBeCloseTo(2 / 11, 6);
  });

  it("is the weights themselves where the decay is 0", () => {
    const average = Float32Array.of(1, 2);
    updateAverage(average, Float32Array.of(5, 6), 0, 7);
    expect([...average]).toEqual([5, 6]);
  });
});

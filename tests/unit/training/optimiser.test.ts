import { describe, expect, it } from "vitest";
import { openWeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import {
  createOptimiserState,
  learningRateAt,
  optimiserStep,
  type NoiseCorrection,
  type OptimiserChoice,
} from "../../../src/main/training/optimiser.ts";

/** The gradients of step t (from 1) that the golden values were made with. */
function gradientOf(t: number): Float32Array {
  return Float32Array.of(0.3 * (-1) ** t + 0.1 * t, -0.2 + 0.05 * t, 1e-3 * (t + 1), 2 - 0.3 * t);
}

/** The weights after each of some steps by gradients, without an average that matters. */
function steps(
  start: readonly number[],
  gradients: readonly Float32Array[],
  choice: OptimiserChoice,
  learningRate: number,
  correction: NoiseCorrection | null = null,
): number[][] {
  const memory = openWeightsMemory(start.length, null);
  memory.weights.set(start);
  const state = createOptimiserState();
  return gradients.map((gradient, index) => {
    memory.gradient.set(gradient);
    const averaging = { decay: 0, step: index + 1 };
    optimiserStep(memory, state, choice, learningRate, correction, averaging);
    return [...memory.weights];
  });
}

const nadam = { optimiser: "nadam", momentum: 0, weightDecay: 0 } as const;

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
    trajectory(nadam, 0.01, 6).forEach((weights, index) => {
      golden.get(index + 1)?.forEach((value, at) => {
        expect(weights[at]).toBeCloseTo(value, 6);
      });
    });
  });

  it("subtracts the noise's variance from the second moment, but not below the floor", () => {
    // One step: the second moment is g^2 exactly after the bias correction, and the first moment
    // and the gradient are both multiples of g, so the step is proportional to g / denominator.
    const step = (gradient: number, variance: number): number =>
      steps([0], [Float32Array.of(gradient)], nadam, 1, { variance, floorShare: 0.25 })[0]![0]!;
    const plain = step(2, 0);
    expect(step(2, 3) / plain).toBeCloseTo(2 / Math.sqrt(4 - 3), 5);
    expect(step(2, 100) / plain).toBeCloseTo(2 / Math.sqrt(25), 5);
  });
});

/** The weights after each step from [0.5, -1, 0.25, 2] with the gradients above. */
function trajectory(choice: OptimiserChoice, learningRate: number, count: number): number[][] {
  const gradients = Array.from({ length: count }, (_, index) => gradientOf(index + 1));
  return steps([0.5, -1, 0.25, 2], gradients, choice, learningRate);
}

describe("AdamW", () => {
  it("follows torch.optim.AdamW", () => {
    // torch 1.13, float64: torch.optim.AdamW([p], lr=0.01, weight_decay=0.1), as above.
    const golden = new Map([
      [1, [0.5094999995, -0.9890000006666666, 0.23975004999975, 1.9880000000588236]],
      [3, [0.5006454419359282, -0.9683929672399783, 0.2195002265922677, 1.9644288909969516]],
      [6, [0.4788401709482059, -0.9525290464429669, 0.18909641989767387, 1.9324528092392854]],
    ] as [number, number[]][]);
    const found = trajectory({ optimiser: "adamw", momentum: 0, weightDecay: 0.1 }, 0.01, 6);
    for (const [step, values] of golden) {
      values.forEach((value, index) => {
        expect(found[step - 1]![index]).toBeCloseTo(value, 6);
      });
    }
  });

  it("corrects its second moment for the noise as NAdam does", () => {
    const choice = { optimiser: "adamw", momentum: 0, weightDecay: 0 } as const;
    const step = (variance: number): number =>
      steps([0], [Float32Array.of(2)], choice, 1, { variance, floorShare: 0.25 })[0]![0]!;
    expect(step(0)).toBeCloseTo(-1, 5);
    expect(step(3)).toBeCloseTo(-2 / Math.sqrt(4 - 3), 5);
    expect(step(100)).toBeCloseTo(-2 / Math.sqrt(25), 5);
  });
});

describe("SGD", () => {
  it("follows torch.optim.SGD with momentum and weight decay", () => {
    // torch 1.13, float64: torch.optim.SGD([p], lr=0.01, momentum=0.9, weight_decay=0.1), as above.
    const golden = new Map([
      [1, [0.5015, -0.9975, 0.24973, 1.981]],
      [3, [0.4931148015, -0.9879364975000001, 0.24844760573000002, 1.9051981810000003]],
      [6, [0.4482978717185587, -0.9714008607029244, 0.2448855331254902, 1.7573245434619038]],
    ] as [number, number[]][]);
    const found = trajectory({ optimiser: "sgd", momentum: 0.9, weightDecay: 0.1 }, 0.01, 6);
    for (const [step, values] of golden) {
      values.forEach((value, index) => {
        expect(found[step - 1]![index]).toBeCloseTo(value, 6);
      });
    }
  });
});

describe("NAdam's weight decay", () => {
  it("is decoupled: it shrinks the weights and leaves the moments alone", () => {
    const plain = trajectory(nadam, 0.01, 1)[0]!;
    const decayed = trajectory({ ...nadam, weightDecay: 0.1 }, 0.01, 1)[0]!;
    [0.5, -1, 0.25, 2].forEach((start, index) => {
      expect(decayed[index]! - plain[index]!).toBeCloseTo(-0.01 * 0.1 * start, 7);
    });
  });
});

describe("the learning rate", () => {
  const recipe = { learningRate: 0.4, warmupSteps: 4, schedule: "constant" } as const;

  it("rises over the warm-up and stays", () => {
    const rates = [1, 2, 3, 4, 5, 100].map((step) => learningRateAt(recipe, step, 100));
    expect(rates).toEqual([0.1, 0.2, expect.closeTo(0.3), 0.4, 0.4, 0.4]);
  });

  it("is constant without a warm-up", () => {
    expect(learningRateAt({ ...recipe, warmupSteps: 0 }, 1, 10)).toBe(0.4);
  });

  it("falls along half a cosine after the warm-up", () => {
    const cosine = { ...recipe, schedule: "cosine" } as const;
    const rates = Array.from({ length: 10 }, (_, i) => learningRateAt(cosine, i + 1, 10));
    // torch's CosineAnnealingLR(T_max=7) from step 4 on: 0.2 (1 + cos(pi k / 7)).
    const expected = Array.from({ length: 7 }, (_, k) => 0.2 * (1 + Math.cos((Math.PI * k) / 7)));
    expect(rates.slice(0, 3)).toEqual([0.1, 0.2, expect.closeTo(0.3)]);
    rates.slice(3).forEach((rate, k) => {
      expect(rate).toBeCloseTo(expected[k]!, 12);
    });
    const bare = { ...cosine, warmupSteps: 0 };
    expect(learningRateAt(bare, 1, 10)).toBe(0.4);
    expect(learningRateAt(bare, 10, 10)).toBeGreaterThan(0);
  });
});

describe("the average of the weights", () => {
  /** An average after a step that leaves the weights where they are. */
  function moved(average: number[], weights: number[], decay: number, step: number): number[] {
    const memory = openWeightsMemory(weights.length, null);
    memory.average.set(average);
    memory.weights.set(weights);
    optimiserStep(memory, createOptimiserState(), nadam, 0, null, { decay, step });
    expect([...memory.weights]).toEqual(weights);
    return [...memory.average];
  }

  it("keeps the weight that the decay says once it has warmed up", () => {
    expect(moved([1], [0], 0.9, 1_000_000)[0]).toBeCloseTo(0.9, 6);
  });

  it("forgets the initial weights at first", () => {
    expect(moved([1], [0], 0.999, 1)[0]).toBeCloseTo(2 / 11, 6);
  });

  it("is the weights themselves where the decay is 0", () => {
    expect(moved([1, 2], [5, 6], 0, 7)).toEqual([5, 6]);
  });
});

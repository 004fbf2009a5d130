import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assembleKernel } from "../../../scripts/kernel.mjs";
import { openWeightsMemory, type WeightsMemory } from "../../../src/main/training/kernel/kernel.ts";
import { kernelModule } from "../../../src/main/training/kernel/kernel.wasm.ts";
import { seededRandom } from "../support/random.ts";

const f = Math.fround;

/** Lengths around the vectors of four and the blocks of 65,536. */
const lengths = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.constantFrom(40_003, 65_535, 65_536, 65_537, 131_073),
);

/** A memory with room for everything, full of numbers. */
function filled(length: number, seed: number): WeightsMemory {
  const random = seededRandom(seed);
  const memory = openWeightsMemory(length, "discrete-gaussian");
  const fill = (array: Float32Array | Float64Array, scale: number, offset: number): void => {
    for (let i = 0; i < length; i += 1) array[i] = scale * (random() - offset);
  };
  fill(memory.gradient, 2, 0.5);
  fill(memory.firstMoment, 1, 0.5);
  fill(memory.secondMoment, 1e-3, 0);
  fill(memory.weights, 4, 0.5);
  fill(memory.average, 4, 0.5);
  fill(memory.noise!, 3, 0.5);
  for (let i = 0; i < length; i += 1) memory.sumOnGrid![i] = Math.round(2 ** 40 * random());
  return memory;
}

const names = [
  "weights",
  "average",
  "firstMoment",
  "secondMoment",
  "gradient",
  "noise",
  "sumOnGrid",
] as const;

type Arrays = Record<(typeof names)[number], number[]>;

function arraysOf(memory: WeightsMemory): Arrays {
  return Object.fromEntries(names.map((name) => [name, Array.from(memory[name]!)])) as Arrays;
}

/** Holds a loop against the same one by one; what `expected` does not change must stay as it was. */
function compare(
  work: (memory: WeightsMemory) => void,
  expected: (all: Arrays, i: number) => void,
) {
  fc.assert(
    fc.property(lengths, fc.integer(), (length, seed) => {
      const memory = filled(length, seed);
      const arrays = arraysOf(memory);
      work(memory);
      for (let i = 0; i < length; i += 1) expected(arrays, i);
      expect(arraysOf(memory)).toEqual(arrays);
    }),
    { numRuns: 40 },
  );
}

describe("the loops over weights", () => {
  it("are what their text assembles to", async () => {
    expect(kernelModule).toBe(await assembleKernel("training"));
  });

  it("compute Adam and the average, bit by bit as in 32-bit floats one by one", () => {
    const numbers = {
      beta1: 0.9,
      beta2: 0.999,
      ofGradient: 1.3e-3,
      ofMoment: 2.1e-3,
      decay: 1e-5,
      inverseBias: 1.7,
      variance: 4e-4,
      floor: 4e-5,
      epsilon: 1e-8,
      kept: 0.997,
    };
    compare(
      ({ kernel }) => {
        kernel.adam(numbers);
      },
      ({ gradient, firstMoment, secondMoment, weights, average }, i) => {
        const g = gradient[i]!;
        const m = f(f(f(0.9) * firstMoment[i]!) + f(f(1 - 0.9) * g));
        const v = f(f(f(0.999) * secondMoment[i]!) + f(f(f(1 - 0.999) * g) * g));
        const square = f(f(v * f(numbers.inverseBias)) - f(numbers.variance));
        const root = f(Math.sqrt(Math.max(square, f(numbers.floor))));
        const numerator = f(f(f(numbers.ofGradient) * g) + f(f(numbers.ofMoment) * m));
        const moved = f(numerator / f(f(numbers.epsilon) + root));
        firstMoment[i] = m;
        secondMoment[i] = v;
        const weight = f(weights[i]! - f(f(f(numbers.decay) * weights[i]!) + moved));
        weights[i] = weight;
        average[i] = f(weight + f(f(numbers.kept) * f(average[i]! - weight)));
      },
    );
  });

  it("compute gradient descent and the average likewise", () => {
    const numbers = { momentum: 0.9, weightDecay: 1e-3, learningRate: 0.02, kept: 0.5 };
    compare(
      ({ kernel }) => {
        kernel.descent(numbers);
      },
      ({ gradient, firstMoment, weights, average }, i) => {
        const pulled = f(f(f(0.9) * firstMoment[i]!) + gradient[i]!);
        const moved = f(pulled + f(f(numbers.weightDecay) * weights[i]!));
        firstMoment[i] = moved;
        weights[i] = f(weights[i]! - f(f(numbers.learningRate) * moved));
        average[i] = f(weights[i] + f(f(numbers.kept) * f(average[i]! - weights[i])));
      },
    );
  });

  it("add noise and divide in 64-bit floats, rounded once", () => {
    const factor = 1 / 21.7;
    compare(
      ({ kernel }) => {
        expect(kernel.addNoise(factor)).toBe(true);
      },
      ({ gradient, noise }, i) => {
        gradient[i] = f((gradient[i]! + noise[i]!) * factor);
      },
    );
    compare(
      ({ kernel }) => {
        expect(kernel.addNoiseOnGrid(factor)).toBe(true);
      },
      ({ gradient, noise, sumOnGrid }, i) => {
        gradient[i] = f((sumOnGrid[i]! + noise[i]!) * factor);
      },
    );
    compare(
      ({ kernel }) => {
        expect(kernel.scale(factor)).toBe(true);
      },
      ({ gradient }, i) => {
        gradient[i] = f(gradient[i]! * factor);
      },
    );
  });

  it("find one value that is not finite wherever it stands, and none where all are", () => {
    const places = fc.tuple(lengths, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
    const bad = fc.constantFrom(NaN, Infinity, -Infinity);
    const loops = ["addNoise", "addNoiseOnGrid", "scale"] as const;
    fc.assert(
      fc.property(places, bad, fc.constantFrom(...loops), ([length, share], value, loop) => {
        const at = Math.floor(share * length);
        const memory = filled(length, 3);
        expect(memory.kernel[loop](0.5)).toBe(true);
        const summed = loop === "addNoiseOnGrid" ? memory.sumOnGrid : memory.gradient;
        summed![at] = value;
        expect(memory.kernel[loop](0.5)).toBe(false);
        const finite = Array.from(memory.gradient, (one) => Number.isFinite(one));
        expect(finite.indexOf(false)).toBe(at);
        expect(finite.lastIndexOf(false)).toBe(at);
        if (loop === "scale") return;
        const noisy = filled(length, 3);
        noisy.noise![at] = value;
        expect(noisy.kernel[loop](0.5)).toBe(false);
      }),
    );
  });

  it("take a result that leaves 32-bit floats for what it is, and the largest for finite", () => {
    const memory = openWeightsMemory(5, null);
    const largest = (2 - 2 ** -23) * 2 ** 127;
    memory.gradient[4] = largest;
    expect(memory.kernel.scale(1)).toBe(true);
    expect(memory.gradient[4]).toBe(largest);
    expect(memory.kernel.scale(2)).toBe(false);
    expect(memory.gradient[4]).toBe(Infinity);
  });
});

describe("a run's memory", () => {
  it("begins with zeros, in arrays that do not overlap, whatever lies behind their ends", () => {
    for (const length of [1, 3, 4, 17, 1000]) {
      const memory = openWeightsMemory(length, "discrete-gaussian");
      names.forEach((name, index) => {
        expect(memory[name]!.every((value) => value === 0)).toBe(true);
        memory[name]!.fill(index + 1);
      });
      names.forEach((name, index) => {
        expect([...memory[name]!]).toEqual(Array(length).fill(index + 1));
      });
    }
  });

  it("has room for what its kind of noise takes, and adds no other", () => {
    const reference = openWeightsMemory(8, null);
    expect(reference.noise).toBeNull();
    expect(() => reference.kernel.addNoise(1)).toThrow(/no room/);
    const gaussian = openWeightsMemory(8, "gaussian");
    expect(gaussian.noise).toHaveLength(8);
    expect(gaussian.sumOnGrid).toBeNull();
    expect(() => gaussian.kernel.addNoiseOnGrid(1)).toThrow(/no room/);
  });

  it("refuses a network that is too large for it in words", () => {
    expect(() => openWeightsMemory(2e8, "gaussian")).toThrow(
      /200000000 parameters.*smaller network/,
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assembleKernel } from "../../../scripts/kernel.mjs";
import {
  adamBlock,
  averageBlock,
  descentBlock,
  overBlocks,
} from "../../../src/main/training/kernel/kernel.ts";
import { kernelModule } from "../../../src/main/training/kernel/kernel.wasm.ts";
import { seededRandom } from "../support/random.ts";

const f = Math.fround;

/** Lengths around the vectors of four and the blocks of 16,384. */
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.constantFrom(16_383, 16_384, 16_385, 40_003),
);

function arrays(length: number, seed: number) {
  const random = seededRandom(seed);
  const of = (scale: number, offset: number): Float32Array =>
    Float32Array.from({ length }, () => scale * (random() - offset));
  return {
    gradient: of(2, 0.5),
    first: of(1, 0.5),
    second: of(1e-3, 0),
    weights: of(4, 0.5),
    average: of(4, 0.5),
  };
}

type Arrays = ReturnType<typeof arrays>;

function copied(all: Arrays): Arrays {
  return {
    gradient: all.gradient.slice(),
    first: all.first.slice(),
    second: all.second.slice(),
    weights: all.weights.slice(),
    average: all.average.slice(),
  };
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
    };
    const kept = 0.997;
    fc.assert(
      fc.property(lengths, fc.integer(), (length, seed) => {
        const found = arrays(length, seed);
        const expected = copied(found);
        overBlocks(found, ["first", "second", "weights", "average"], (kernel, count) => {
          adamBlock(kernel, count, numbers);
          averageBlock(kernel, count, kept);
        });
        const { gradient, first, second, weights, average } = expected;
        for (let i = 0; i < length; i += 1) {
          const g = gradient[i]!;
          const m = f(f(f(0.9) * first[i]!) + f(f(1 - 0.9) * g));
          const v = f(f(f(0.999) * second[i]!) + f(f(f(1 - 0.999) * g) * g));
          const square = f(f(v * f(numbers.inverseBias)) - f(numbers.variance));
          const root = f(Math.sqrt(Math.max(square, f(numbers.floor))));
          const numerator = f(f(f(numbers.ofGradient) * g) + f(f(numbers.ofMoment) * m));
          const moved = f(numerator / f(f(numbers.epsilon) + root));
          first[i] = m;
          second[i] = v;
          const weight = f(weights[i]! - f(f(f(numbers.decay) * weights[i]!) + moved));
          weights[i] = weight;
          average[i] = f(weight + f(f(kept) * f(average[i]! - weight)));
        }
        expect(found).toEqual(expected);
      }),
    );
  });

  it("compute gradient descent likewise, and leave alone what is not named as changed", () => {
    const numbers = { momentum: 0.9, weightDecay: 1e-3, learningRate: 0.02 };
    fc.assert(
      fc.property(lengths, fc.integer(), (length, seed) => {
        const found = arrays(length, seed);
        const expected = copied(found);
        const { gradient, first, weights } = found;
        overBlocks({ gradient, first, weights }, ["first", "weights"], (kernel, count) => {
          descentBlock(kernel, count, numbers);
        });
        for (let i = 0; i < length; i += 1) {
          const weight = expected.weights[i]!;
          const pulled = f(f(f(0.9) * expected.first[i]!) + expected.gradient[i]!);
          const moved = f(pulled + f(f(numbers.weightDecay) * weight));
          expected.first[i] = moved;
          expected.weights[i] = f(weight - f(f(numbers.learningRate) * moved));
        }
        expect(found).toEqual(expected);
      }),
    );
  });

  it("refuse arrays of different length", () => {
    const three = new Float32Array(3);
    const walk = (): void => {
      overBlocks({ gradient: three, weights: new Float32Array(4) }, [], () => undefined);
    };
    expect(walk).toThrow(RangeError);
  });
});

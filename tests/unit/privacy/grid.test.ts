import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addOnGrid, clippingNormOnGrid, noiseScaleOnGrid } from "../../../src/main/privacy/grid.ts";

const contribution = fc.float32Array({ minLength: 1, maxLength: 60, noDefaultInfinity: true });
const norm = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

/** In whole numbers without a limit. */
function squaredLength(values: Float64Array): bigint {
  return values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n);
}

describe("a contribution on the grid", () => {
  it("is never longer than C, whatever the engine gave", () => {
    fc.assert(
      fc.property(contribution, norm, (values, clippingNorm) => {
        const sum = new Float64Array(values.length);
        const finite = addOnGrid(sum, values, clippingNorm);
        expect(finite).toBe(values.every((value) => Number.isFinite(value)));
        expect(sum.every((value) => Number.isSafeInteger(value))).toBe(true);
        expect(squaredLength(sum)).toBeLessThanOrEqual(BigInt(clippingNormOnGrid) ** 2n);
        if (!finite) expect(sum.every((value) => value === 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("is that of the engine to within one grid step, where that is no longer than C", () => {
    fc.assert(
      fc.property(contribution, norm, (values, clippingNorm) => {
        fc.pre(values.every((value) => Number.isFinite(value)));
        const length = Math.hypot(...values);
        const factor = Math.min(1, (0.999 * clippingNorm) / length);
        const clipped = values.map((value) => value * factor);
        const sum = new Float64Array(values.length);
        addOnGrid(sum, clipped, clippingNorm);
        sum.forEach((steps, i) => {
          const exact = (clipped[i]! * clippingNormOnGrid) / clippingNorm;
          expect(Math.abs(steps - exact)).toBeLessThanOrEqual(1);
          expect(Math.abs(steps)).toBeLessThanOrEqual(Math.abs(exact) * (1 + 1e-15));
        });
      }),
    );
  });

  it("keeps its direction where it is shortened", () => {
    const sum = new Float64Array(2);
    addOnGrid(sum, Float32Array.of(300, -400), 1);
    expect(sum[0]! / clippingNormOnGrid).toBeCloseTo(0.6, 5);
    expect(sum[1]! / clippingNormOnGrid).toBeCloseTo(-0.8, 5);
  });

  it("adds up to the same sum in any order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float32Array({ minLength: 5, maxLength: 5, noNaN: true }), { maxLength: 9 }),
        fc.integer(),
        (units, turn) => {
          const add = (all: Float32Array[]): Float64Array => {
            const sum = new Float64Array(5);
            for (const unit of all) addOnGrid(sum, unit, 1);
            return sum;
          };
          const at = units.length === 0 ? 0 : Math.abs(turn) % units.length;
          const turned = [...units.slice(at), ...units.slice(0, at)].reverse();
          // Equal as numbers: a sum of nothing may be 0 or -0.
          expect([...add(turned)].map((x) => x + 0)).toEqual([...add(units)].map((x) => x + 0));
        },
      ),
    );
  });
});

describe("the scale of the noise on the grid", () => {
  it("is whole, and its variance exceeds that of sigma by more than 16 grid steps", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -20, max: 2 ** 19, noNaN: true }), (sigma) => {
        const scale = noiseScaleOnGrid(sigma);
        expect(Number.isSafeInteger(scale)).toBe(true);
        // sigma 2^26 as a fraction of whole numbers: a double is a multiple of 2^-72 here.
        const exact = BigInt(sigma * 2 ** 72) << 26n;
        const unit = 1n << 72n;
        expect((BigInt(scale) * unit) ** 2n).toBeGreaterThanOrEqual(exact ** 2n + 16n * unit ** 2n);
      }),
    );
  });

  it("is refused where the argument behind it does not hold", () => {
    for (const sigma of [0, 2 ** -21, 2 ** 20, NaN, Infinity]) {
      expect(() => noiseScaleOnGrid(sigma)).toThrow(/noise multipliers from/);
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encloseExponential,
  isBelow,
  isBelowExponential,
  LazyUniform,
} from "../../../src/main/privacy/exact-exponential.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";

describe("an enclosure of exp(-x)", () => {
  it("holds the double of Math.exp and narrows down to a few units in the last place", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1n << 60n }),
        fc.bigInt({ min: 1n << 50n, max: 1n << 60n }),
        (numerator, denominator) => {
          const x = Number(numerator) / Number(denominator);
          const { low, high } = encloseExponential(numerator, denominator, 53);
          const expected = Math.exp(-x) * 2 ** 53;
          expect(Number(low)).toBeLessThanOrEqual(expected + 2 + x);
          expect(Number(high)).toBeGreaterThanOrEqual(expected - 2 - x);
          expect(high - low).toBeLessThanOrEqual(2n);
        },
      ),
    );
  });

  it("narrows as the precision grows, one enclosure within the other", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1n << 40n }),
        fc.bigInt({ min: 1n << 34n, max: 1n << 40n }),
        fc.integer({ min: 20, max: 200 }),
        (numerator, denominator, precision) => {
          const coarse = encloseExponential(numerator, denominator, precision);
          const fine = encloseExponential(numerator, denominator, precision + 90);
          expect(fine.high >> 90n).toBeGreaterThanOrEqual(coarse.low);
          expect(fine.low >> 90n).toBeLessThanOrEqual(coarse.high);
          expect(fine.high - fine.low).toBeLessThanOrEqual(2n);
        },
      ),
    );
  });

  it("knows e to sixty digits", () => {
    // 1/e, OEIS A068985.
    const digits = 367879441171442321595523770161460867445811131031767834507836n;
    const { low, high } = encloseExponential(1n, 1n, 256);
    expect((low * 10n ** 60n) >> 256n).toBe(digits);
    expect((high * 10n ** 60n) >> 256n).toBe(digits);
  });
});

describe("a lazy uniform number", () => {
  it("draws more bits until it lies apart from what it is compared with", () => {
    const { noise } = reproducibleRandomStreams("lazy");
    const uniform = new LazyUniform(noise);
    uniform.extend();
    const { bits } = uniform;
    // A number that shares the first 64 bits, and ends in one half of what follows.
    const near = (precision: number) => {
      const value = ((bits << 1n) | 1n) << BigInt(Math.max(0, precision - 65));
      const shown = precision >= 65 ? value : value >> BigInt(65 - precision);
      return { low: shown, high: shown + 1n };
    };
    const below = isBelow(uniform, near);
    expect(uniform.count).toBeGreaterThan(64);
    expect(uniform.bits >> BigInt(uniform.count - 64)).toBe(bits);
    expect(below).toBe(((uniform.bits >> BigInt(uniform.count - 65)) & 1n) === 0n);
  });

  it("lies below exp(-x) as often as it should", () => {
    const { noise } = reproducibleRandomStreams("coin");
    const throws = 20_000;
    for (const [numerator, denominator] of [
      [1n, 3n],
      [5n, 2n],
      [0n, 1n],
    ] as const) {
      let heads = 0;
      for (let i = 0; i < throws; i += 1) {
        if (isBelowExponential(new LazyUniform(noise), numerator, denominator)) heads += 1;
      }
      const p = Math.exp(-Number(numerator) / Number(denominator));
      expect(Math.abs(heads - throws * p)).toBeLessThanOrEqual(
        6.2 * Math.sqrt(throws * p * (1 - p)),
      );
    }
  });
});

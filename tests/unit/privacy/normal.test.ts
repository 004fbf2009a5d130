import { describe, expect, it } from "vitest";
import { inverseTransform, transform } from "../../../src/main/privacy/pld/fft.ts";
import { normalTail, normalUpperTail } from "../../../src/main/privacy/pld/normal.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";

describe("tail of the normal distribution", () => {
  // erfc(x / sqrt 2) / 2 with 40 digits (mpmath).
  const exact: [number, number][] = [
    [0, 0.5],
    [0.3, 0.3820885778110474],
    [1, 0.15865525393145705],
    [2.5, 0.006209665325776135],
    [5, 2.866515718791939e-7],
    [8, 6.220960574271784e-16],
    [20, 2.7536241186062337e-89],
    [37, 5.725571222524577e-300],
  ];
  for (const [x, tail] of exact) {
    it(`keeps its relative precision at ${x}`, () => {
      expect(Math.abs(normalTail(x) / tail - 1)).toBeLessThan(2e-13);
      expect(Math.abs(normalUpperTail(-x) - (1 - tail))).toBeLessThan(1e-15);
    });
  }

  it("is 0 at infinity, on both sides", () => {
    expect(normalTail(Infinity)).toBe(0);
    expect(normalTail(-Infinity)).toBe(0);
    expect(normalUpperTail(-Infinity)).toBe(1);
  });
});

describe("Fourier transform", () => {
  const random = (count: number): Float64Array => {
    const { views } = reproducibleRandomStreams("fft");
    return Float64Array.from({ length: count }, () => views.uniform() - 0.5);
  };

  it("equals its definition", () => {
    const real = random(32);
    const imaginary = random(64).slice(32);
    const expected = Array.from({ length: 32 }, (_, k) => {
      let sumReal = 0;
      let sumImaginary = 0;
      for (let n = 0; n < 32; n += 1) {
        const angle = (-2 * Math.PI * k * n) / 32;
        const a = real[n] ?? NaN;
        const b = imaginary[n] ?? NaN;
        sumReal += a * Math.cos(angle) - b * Math.sin(angle);
        sumImaginary += a * Math.sin(angle) + b * Math.cos(angle);
      }
      return [sumReal, sumImaginary] as const;
    });
    transform(real, imaginary);
    expected.forEach(([a, b], k) => {
      expect(real[k]).toBeCloseTo(a, 12);
      expect(imaginary[k]).toBeCloseTo(b, 12);
    });
  });

  it("comes back through its inverse, also beyond the cached block length", () => {
    for (const length of [2, 256, 2 ** 15]) {
      const original = random(length);
      const real = original.slice();
      const imaginary = original.slice().reverse();
      transform(real, imaginary);
      inverseTransform(real, imaginary);
      let worst = 0;
      for (let n = 0; n < length; n += 1) {
        worst = Math.max(worst, Math.abs((real[n] ?? NaN) - (original[n] ?? NaN)));
      }
      expect(worst).toBeLessThan(1e-14);
    }
  });

  it("refuses a length that is no power of two", () => {
    expect(() => {
      transform(new Float64Array(12), new Float64Array(12));
    }).toThrow(RangeError);
  });
});

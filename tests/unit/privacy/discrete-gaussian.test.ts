import { describe, expect, it } from "vitest";
import {
  createDiscreteGaussian,
  largestScale,
} from "../../../src/main/privacy/discrete-gaussian.ts";
import { openRandomStreams, reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import {
  chiSquare,
  chiSquareLimit,
  correlation,
  kolmogorovDistance,
  kolmogorovLimit,
  normalLimit,
} from "../../support/statistics.ts";
import { normalUpperTail } from "../../../src/main/privacy/pld/normal.ts";

/** The closed form, summed term by term. */
function probabilities(scale: number, reach: number): number[] {
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * scale * scale)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function draw(scale: number, count: number, wholeNumbersOnly = false): Float64Array {
  const values = new Float64Array(count);
  createDiscreteGaussian(scale, { wholeNumbersOnly }).fill(openRandomStreams().noise, values);
  return values;
}

describe("the discrete Gaussian", () => {
  for (const [scale, reach, count] of [
    [1, 4, 400_000],
    [2, 8, 400_000],
    [3, 13, 400_000],
    [7, 30, 400_000],
  ] as const) {
    it(`has the probabilities of the closed form at scale ${scale}`, () => {
      const counts = new Array<number>(2 * reach + 1).fill(0);
      let beyond = 0;
      for (const value of draw(scale, count)) {
        if (Math.abs(value) > reach) beyond += 1;
        else counts[value + reach]! += 1;
      }
      expect(chiSquare(counts, probabilities(scale, reach))).toBeLessThan(
        chiSquareLimit(2 * reach),
      );
      expect(beyond).toBeLessThan(100);
    });
  }

  it("has them too where every comparison is left to whole numbers", () => {
    const reach = 6;
    const counts = new Array<number>(2 * reach + 1).fill(0);
    for (const value of draw(2, 6_000, true)) {
      if (Math.abs(value) <= reach) counts[value + reach]! += 1;
    }
    expect(chiSquare(counts, probabilities(2, reach))).toBeLessThan(chiSquareLimit(2 * reach));
  });

  it("decides quickly as whole numbers decide, for the same random bits", () => {
    for (const scale of [1, 5, 1000, 2 ** 26 + 12_345, 2 ** 33 + 7, largestScale]) {
      const quick = new Float64Array(500);
      const slow = new Float64Array(500);
      const key = `scale ${scale}`;
      createDiscreteGaussian(scale).fill(reproducibleRandomStreams(key).noise, quick);
      createDiscreteGaussian(scale, { wholeNumbersOnly: true }).fill(
        // Where no more bits are needed, both read the stream alike.
        reproducibleRandomStreams(key).noise,
        slow,
      );
      expect(slow).toEqual(quick);
    }
  });

  it("is a Gaussian to the eye at the scale of a run", () => {
    const scale = Math.ceil(0.8 * 2 ** 26) + 1;
    const values = draw(scale, 400_000).map((value) => value / scale);
    const n = values.length;
    const moment = (power: number): number =>
      values.reduce((sum, value) => sum + value ** power, 0) / n;
    // Standard errors from the moments of a normal number: 1, 3, 15, 105.
    expect(Math.abs(moment(1))).toBeLessThan(normalLimit / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(normalLimit * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(normalLimit * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(normalLimit * Math.sqrt(96 / n));
    expect(Math.abs(correlation(values.subarray(1), values.subarray(0, n - 1)))).toBeLessThan(
      normalLimit / Math.sqrt(n),
    );
    expect(kolmogorovDistance(values, (x) => normalUpperTail(-x))).toBeLessThan(kolmogorovLimit(n));
  });

  it("gives whole numbers of either parity and sign at any scale", () => {
    const values = draw(2 ** 40 + 1, 20_000);
    expect(values.every((value) => Number.isSafeInteger(value))).toBe(true);
    const odd = values.filter((value) => value % 2 !== 0).length;
    const negative = values.filter((value) => value < 0).length;
    for (const count of [odd, negative]) {
      expect(Math.abs(count - 10_000)).toBeLessThan(normalLimit * Math.sqrt(5000));
    }
  });

  it("refuses scales that are not whole or too large", () => {
    for (const scale of [0, -1, 1.5, NaN, Infinity, 2 * largestScale]) {
      expect(() => createDiscreteGaussian(scale)).toThrow(/whole number from 1/);
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bestAttackAccuracy,
  highestPosterior,
  meaningOf,
  mostTruePositives,
} from "../../../src/main/privacy/meaning.ts";
import { UserError } from "../../../src/shared/errors.ts";

const epsilon = fc.double({ min: 1e-3, max: 500, noNaN: true });
const delta = fc.double({ min: 1e-12, max: 0.2, noNaN: true });

describe("what a guarantee means", () => {
  it("draws a curve from delta up to 1 that is concave and never below the diagonal", () => {
    fc.assert(
      fc.property(epsilon, delta, (e, d) => {
        const { tradeOff } = meaningOf(e, d);
        expect(tradeOff[0]).toEqual({ falsePositiveRate: 0, truePositiveRate: d });
        expect(tradeOff.at(-1)).toEqual({ falsePositiveRate: 1, truePositiveRate: 1 });
        let slope = Infinity;
        tradeOff.slice(1).forEach((point, index) => {
          const earlier = tradeOff[index] ?? point;
          const next =
            (point.truePositiveRate - earlier.truePositiveRate) /
            (point.falsePositiveRate - earlier.falsePositiveRate);
          expect(next).toBeLessThanOrEqual(slope * (1 + 1e-9) + 1e-9);
          expect(point.truePositiveRate).toBeGreaterThanOrEqual(point.falsePositiveRate - 1e-12);
          slope = next;
        });
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it("is the two lines of the (epsilon, delta) trade-off where they cross", () => {
    // At a = (1 - delta) / (1 + e^epsilon) both bounds give 1 - a (Kairouz et al. 2015).
    const crossing = (1 - 1e-3) / (1 + Math.exp(1.5));
    expect(mostTruePositives(1.5, 1e-3, crossing)).toBeCloseTo(1 - crossing, 12);
    expect(mostTruePositives(Math.log(3), 0.01, 0.1)).toBeCloseTo(0.31, 12);
    expect(mostTruePositives(Math.log(3), 0.01, 0.7)).toBeCloseTo(1 - 0.29 / 3, 12);
  });

  it("bounds the posterior by odds times exp(epsilon)", () => {
    expect(highestPosterior(Math.log(3), 0.5)).toBeCloseTo(0.75, 12);
    expect(highestPosterior(Math.log(9), 0.1)).toBeCloseTo(0.5, 12);
    expect(highestPosterior(1000, 0.5)).toBe(1);
    expect(meaningOf(Math.log(3), 1e-5).posteriorFromEven).toBeCloseTo(0.75, 12);
  });

  it("has a best accuracy of half of 1 plus the curve's largest rise over the diagonal", () => {
    for (const [e, d] of [
      [0.3, 1e-5],
      [2, 0.05],
      [8, 6e-6],
    ] as const) {
      const crossing = (1 - d) / (1 + Math.exp(e));
      const rise = mostTruePositives(e, d, crossing) - crossing;
      expect(bestAttackAccuracy(e, d)).toBeCloseTo((1 + rise) / 2, 12);
    }
  });

  it("says it in one plain sentence without judging it", () => {
    const { sentence } = meaningOf(1.0986122886681098, 6e-6);
    expect(sentence).toContain("at most 75.1 %");
    expect(sentence).toContain("guessing gives 50 %");
    expect(sentence).toContain("at most 3.01 % of the patients");
    expect(sentence.match(/\.(?:\s|$)/g)?.length).toBe(1);
    expect(sentence).not.toMatch(/safe|secure|danger|green|red\b|good|bad|strong|weak/i);
    expect(meaningOf(2, 1e-5, "image").sentence).toContain("given image");
  });

  it("rounds its bounds up, yet never to a certainty that is not there", () => {
    expect(meaningOf(1.1, 1e-6).sentence).toContain("at most 75.1 %");
    expect(meaningOf(12, 1e-6).sentence).toContain("at most 99.99939 %");
    expect(meaningOf(60, 1e-6).sentence).toContain("at most 100 %");
    expect(meaningOf(Infinity, 1e-6).sentence).toContain("nothing limits");
  });

  it("names a value that is out of range", () => {
    expect(() => meaningOf(0, 1e-5)).toThrow(UserError);
    expect(() => meaningOf(1, 2)).toThrow(/2/);
    expect(() => mostTruePositives(1, 1e-5, 1.5)).toThrow(/1\.5/);
    expect(() => highestPosterior(1, 1)).toThrow(/1/);
  });
});

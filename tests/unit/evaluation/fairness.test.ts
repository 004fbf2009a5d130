import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accuracyParityDifference,
  equalOpportunityDifference,
  incompleteBeta,
  pearson,
  statisticalParityDifference,
} from "../../../src/main/evaluation/fairness.ts";

/** Worked by hand: accuracies 0.8, 0.6 and 0.9 in groups of 100, 50 and 10. */
const first = { truePositives: 30, falsePositives: 10, falseNegatives: 10, trueNegatives: 50 };
const second = { truePositives: 10, falsePositives: 15, falseNegatives: 5, trueNegatives: 20 };
const third = { truePositives: 4, falsePositives: 0, falseNegatives: 1, trueNegatives: 5 };

describe("accuracyParityDifference", () => {
  it("subtracts the size-weighted mean accuracy of the others", () => {
    // 0.8 - (50 x 0.6 + 10 x 0.9) / 60 = 0.8 - 0.65
    expect(accuracyParityDifference(first, [second, third])).toBeCloseTo(0.15, 12);
    // 0.6 - (100 x 0.8 + 10 x 0.9) / 110 = 0.6 - 89/110
    expect(accuracyParityDifference(second, [first, third])).toBeCloseTo(0.6 - 89 / 110, 12);
  });

  it("is female minus male for two groups, and turns its sign with them", () => {
    expect(accuracyParityDifference(first, [second])).toBeCloseTo(0.2, 12);
    expect(accuracyParityDifference(second, [first])).toBeCloseTo(-0.2, 12);
  });
});

describe("statisticalParityDifference", () => {
  it("subtracts the rate of positive predictions of all others together", () => {
    // 40/100 - (25 + 4) / 60
    expect(statisticalParityDifference(first, [second, third])).toBeCloseTo(0.4 - 29 / 60, 12);
  });
});

describe("equalOpportunityDifference", () => {
  it("subtracts the sensitivity of all others together", () => {
    // 30/40 - (10 + 4) / (15 + 5)
    expect(equalOpportunityDifference(first, [second, third])).toBeCloseTo(0.75 - 0.7, 12);
  });
});

describe("the differences", () => {
  const empty = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  it.each([accuracyParityDifference, statisticalParityDifference, equalOpportunityDifference])(
    "are undefined for an empty group or no others (%o)",
    (difference) => {
      expect(difference(empty, [first])).toBeNaN();
      expect(difference(first, [])).toBeNaN();
      expect(difference(first, [empty])).toBeNaN();
    },
  );

  it.each([accuracyParityDifference, statisticalParityDifference, equalOpportunityDifference])(
    "are zero between groups alike (%o)",
    (difference) => {
      expect(difference(first, [first, first])).toBeCloseTo(0, 12);
    },
  );
});

describe("pearson", () => {
  // Source: R 4.3, cor.test(mtcars$mpg, mtcars$wt): r = -0.8676594, p = 1.294e-10.
  it("agrees with R on a published table", () => {
    const mpg = [
      21, 21, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4,
      14.7, 32.4, 30.4, 33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4,
    ];
    const wt = [
      2.62, 2.875, 2.32, 3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78, 5.25,
      5.424, 5.345, 2.2, 1.615, 1.835, 2.465, 3.52, 3.435, 3.84, 3.845, 1.935, 2.14, 1.513, 3.17,
      2.77, 3.57, 2.78,
    ];
    const result = pearson(mpg, wt);
    expect(result?.r).toBeCloseTo(-0.8676594, 6);
    expect((result?.p ?? 0) / 1.294e-10).toBeCloseTo(1, 3);
    expect(result?.n).toBe(32);
  });

  it("has the closed form of three pairs: p = 1 - 2 asin|r| / pi", () => {
    const result = pearson([1, 2, 3], [1, 3, 2]);
    expect(result?.r).toBeCloseTo(0.5, 12);
    expect(result?.p).toBeCloseTo(2 / 3, 10);
  });

  it("is undefined for two pairs or a constant", () => {
    expect(pearson([1, 2], [3, 4])).toBeNull();
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNull();
  });

  it("stays within its bounds and does not depend on scale", () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(values, values, (x, y) => {
        const n = Math.min(x.length, y.length);
        const result = pearson(x.slice(0, n), y.slice(0, n));
        if (result === null) return;
        expect(Math.abs(result.r)).toBeLessThanOrEqual(1);
        expect(result.p).toBeGreaterThanOrEqual(0);
        expect(result.p).toBeLessThanOrEqual(1);
        const scaled = pearson(
          x.slice(0, n).map((value) => 3 * value - 5),
          y.slice(0, n),
        );
        expect(scaled?.r).toBeCloseTo(result.r, 9);
      }),
    );
  });
});

it("incompleteBeta meets its closed forms", () => {
  expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 12);
  expect(incompleteBeta(0.3, 2, 1)).toBeCloseTo(0.09, 12);
  expect(incompleteBeta(0.25, 0.5, 0.5)).toBeCloseTo(1 / 3, 12);
  expect(incompleteBeta(0.9, 40, 0.5) + incompleteBeta(0.1, 0.5, 40)).toBeCloseTo(1, 12);
});

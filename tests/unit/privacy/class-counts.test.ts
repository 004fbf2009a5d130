import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import {
  answersOf,
  classCountsMechanism,
  classCountsNoiseScale,
  classWeightsFrom,
  countLabels,
  largestClassWeight,
  noisyLabelCounts,
} from "../../../src/main/privacy/class-counts.ts";
import { normalUpperTail } from "../../../src/main/privacy/pld/normal.ts";
import { openRandomStreams } from "../../../src/main/privacy/random.ts";
import { chiSquareLimit } from "../../support/statistics.ts";

const labels = 8;
const image = fc.array(fc.constantFrom(0, 1, NaN), { minLength: labels, maxLength: labels });
const unit = fc.array(image, { minLength: 1, maxLength: 40 });

describe("the label counts", () => {
  it("move by at most the square root of the labels with one unit, however many images it has", () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), unit, (others, one) => {
        const answers = others.map((images) => answersOf(images, labels));
        const without = countLabels(answers, labels);
        const withOne = countLabels([...answers, answersOf(one, labels)], labels);
        const changes = (["positive", "negative"] as const).flatMap((part) =>
          withOne[part].map((count, label) => count - without[part][label]!),
        );
        expect(changes.every((change) => change === 0 || change === 1)).toBe(true);
        // Never both counts of a label.
        for (let label = 0; label < labels; label += 1) {
          expect(changes[label]! + changes[labels + label]!).toBeLessThanOrEqual(1);
        }
        expect(Math.hypot(...changes)).toBeLessThanOrEqual(Math.sqrt(labels));
      }),
    );
  });

  it("take a finding as present where any image of the unit has it", () => {
    const images = [
      [0, NaN, 0, NaN],
      [1, NaN, 0, 0],
    ];
    expect([...answersOf(images, 4)]).toEqual([1, NaN, 0, 0]);
    expect(countLabels([answersOf(images, 4), [0, 1, 1, NaN]], 4)).toEqual({
      positive: [1, 1, 1, 0],
      negative: [1, 0, 1, 1],
    });
  });
});

describe("the noise on label counts", () => {
  it("is a discrete Gaussian whose scale keeps the multiplier with the margin of the proof", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (noiseMultiplier, count) => {
          const scale = classCountsNoiseScale(noiseMultiplier, count);
          expect(Number.isSafeInteger(scale)).toBe(true);
          expect(scale ** 2 - 16).toBeGreaterThanOrEqual(noiseMultiplier ** 2 * count);
          expect(scale).toBeLessThan(noiseMultiplier * Math.sqrt(count) + 6);
        },
      ),
    );
    expect(() => classCountsNoiseScale(0, labels)).toThrow(/above 0/);
  });

  it("has the variance of its scale on every count, and no other mean", () => {
    const draws = 4000;
    const exact = { positive: Array(labels).fill(100), negative: Array(labels).fill(7) };
    const scale = classCountsNoiseScale(3, labels);
    const { noise: stream } = openRandomStreams();
    const squares = new Array<number>(2 * labels).fill(0);
    let sum = 0;
    for (let draw = 0; draw < draws; draw += 1) {
      const noisy = noisyLabelCounts(exact, 3, stream);
      [
        ...noisy.positive.map((count) => count - 100),
        ...noisy.negative.map((count) => count - 7),
      ].forEach((value, i) => {
        expect(Number.isInteger(value)).toBe(true);
        squares[i]! += (value / scale) ** 2;
        sum += value / scale;
      });
    }
    for (const square of squares) {
      expect(square).toBeLessThan(chiSquareLimit(draws));
      expect(square).toBeGreaterThan(2 * draws - chiSquareLimit(draws));
    }
    expect(Math.abs(sum) / Math.sqrt(draws * 2 * labels)).toBeLessThan(6.5);
  });

  it("is accounted as the Gaussian mechanism of its multiplier", () => {
    for (const [noiseMultiplier, delta] of [
      [0.7, 1e-5],
      [4.5, 1e-5],
      [30, 1e-7],
    ] as const) {
      const { epsilon } = epsilonOf([classCountsMechanism(noiseMultiplier)], delta);
      // Balle and Wang 2018, arXiv 1805.06530, Theorem 8.
      const mu = 1 / noiseMultiplier;
      const analytic =
        normalUpperTail(epsilon / mu - mu / 2) -
        Math.exp(epsilon) * normalUpperTail(epsilon / mu + mu / 2);
      expect(analytic).toBeLessThanOrEqual(delta * (1 + 1e-9));
      expect(analytic).toBeGreaterThan(0.99 * delta);
    }
  });
});

describe("class weights", () => {
  it("are the share of units without the finding over those with it, bounded", () => {
    const counts = { positive: [100, 1, 400, 0], negative: [300, 999, 100, 0] };
    expect(classWeightsFrom(counts, 0)).toEqual([3, largestClassWeight, 0.25, 1]);
  });

  it("go to 1 where the noise drowns the counts, whatever it gave", () => {
    expect(classWeightsFrom({ positive: [-40, 12], negative: [25, -3] }, 50)).toEqual([1, 1]);
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.nat(1e6), (positive, negative, scale) => {
        const [weight] = classWeightsFrom({ positive: [positive], negative: [negative] }, scale);
        expect(weight).toBeGreaterThanOrEqual(1 / largestClassWeight);
        expect(weight).toBeLessThanOrEqual(largestClassWeight);
      }),
    );
  });
});

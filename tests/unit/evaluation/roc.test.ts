import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auroc, rocCurve, youdenThreshold } from "../../../src/main/evaluation/roc.ts";
import { numbers } from "./simulate.ts";

/** Few distinct scores, so that ties are common. */
const tied = fc.array(
  fc.record({ truth: fc.constantFrom(0, 1), score: fc.integer({ min: 0, max: 6 }) }),
  { maxLength: 60 },
);
const continuous = fc.array(
  fc.record({
    truth: fc.constantFrom(0, 1),
    score: fc.double({ min: -50, max: 50, noNaN: true }),
  }),
  { maxLength: 60 },
);
type Row = { truth: number; score: number };
const columns = (rows: readonly Row[]) => ({
  truth: rows.map((row) => row.truth),
  scores: rows.map((row) => row.score),
});

function byCountingPairs(rows: readonly Row[]): number | null {
  let won = 0;
  let pairs = 0;
  for (const positive of rows.filter((row) => row.truth === 1)) {
    for (const negative of rows.filter((row) => row.truth === 0)) {
      pairs += 1;
      if (positive.score > negative.score) won += 1;
      else if (positive.score === negative.score) won += 0.5;
    }
  }
  return pairs === 0 ? null : won / pairs;
}

describe("auroc", () => {
  it("is the share of concordant pairs, ties counting half", () => {
    fc.assert(
      fc.property(fc.oneof(tied, continuous), (rows) => {
        const expected = byCountingPairs(rows);
        const actual = auroc(columns(rows));
        if (expected === null) expect(actual).toBeNull();
        else expect(actual).toBeCloseTo(expected, 12);
      }),
      { numRuns: 400 },
    );
  });

  it("does not change under a strictly increasing transform of the scores", () => {
    fc.assert(
      fc.property(tied, (rows) => {
        const moved = rows.map((row) => ({ ...row, score: Math.exp(row.score / 3) - 7 }));
        expect(auroc(columns(moved))).toBe(auroc(columns(rows)));
      }),
    );
  });

  it("turns to its complement when the truth is turned round", () => {
    fc.assert(
      fc.property(tied, (rows) => {
        const area = auroc(columns(rows));
        const turned = auroc(columns(rows.map((row) => ({ ...row, truth: 1 - row.truth }))));
        if (area === null) expect(turned).toBeNull();
        else expect(turned).toBeCloseTo(1 - area, 12);
      }),
    );
  });

  // Source: scikit-learn 1.x, user guide of roc_auc_score: y [0, 0, 1, 1], scores
  // [0.1, 0.4, 0.35, 0.8] give 0.75.
  it("gives the documented value of a small example", () => {
    expect(auroc({ truth: [0, 0, 1, 1], scores: [0.1, 0.4, 0.35, 0.8] })).toBe(0.75);
  });

  it("is 1 for a perfect order, 0 for its reverse and one half for a constant", () => {
    const truth = [0, 0, 0, 1, 1];
    expect(auroc({ truth, scores: [1, 2, 3, 4, 5] })).toBe(1);
    expect(auroc({ truth, scores: [5, 4, 3, 2, 1] })).toBe(0);
    expect(auroc({ truth, scores: [1, 1, 1, 1, 1] })).toBe(0.5);
  });

  it("is near one half for scores that know nothing", () => {
    const { uniform } = numbers(11);
    const truth = Array.from({ length: 20_000 }, () => (uniform() < 0.2 ? 1 : 0));
    const scores = truth.map(() => uniform());
    expect(Math.abs((auroc({ truth, scores }) ?? 0) - 0.5)).toBeLessThan(0.02);
  });

  it("is undefined without positives, without negatives and without images", () => {
    expect(auroc({ truth: [0, 0], scores: [0.1, 0.2] })).toBeNull();
    expect(auroc({ truth: [1, 1], scores: [0.1, 0.2] })).toBeNull();
    expect(auroc({ truth: [], scores: [] })).toBeNull();
  });
});

describe("rocCurve", () => {
  it("runs from (0, 0) to (1, 1) and never falls back", () => {
    fc.assert(
      fc.property(tied, (rows) => {
        const points = rocCurve(columns(rows));
        if (byCountingPairs(rows) === null) {
          expect(points).toEqual([]);
          return;
        }
        expect(points[0]).toEqual({ falsePositiveRate: 0, truePositiveRate: 0 });
        expect(points.at(-1)).toEqual({ falsePositiveRate: 1, truePositiveRate: 1 });
        points.slice(1).forEach((point, index) => {
          const before = points[index];
          expect(point.falsePositiveRate).toBeGreaterThanOrEqual(before?.falsePositiveRate ?? 2);
          expect(point.truePositiveRate).toBeGreaterThanOrEqual(before?.truePositiveRate ?? 2);
        });
      }),
    );
  });

  it("encloses the AUROC where nothing had to be thinned", () => {
    fc.assert(
      fc.property(tied, (rows) => {
        const area = auroc(columns(rows));
        if (area === null) return;
        expect(areaUnder(rocCurve(columns(rows)))).toBeCloseTo(area, 12);
      }),
    );
  });

  it("stays small and close to the AUROC for many images", () => {
    const { normal, uniform } = numbers(3);
    const truth = Array.from({ length: 30_000 }, () => (uniform() < 0.3 ? 1 : 0));
    const scores = truth.map((value) => value * 1.5 + normal());
    const points = rocCurve({ truth, scores });
    expect(points.length).toBeLessThanOrEqual(257);
    expect(Math.abs(areaUnder(points) - (auroc({ truth, scores }) ?? 0))).toBeLessThan(0.002);
  });
});

function areaUnder(points: ReturnType<typeof rocCurve>): number {
  let area = 0;
  points.slice(1).forEach((point, index) => {
    const before = points[index] ?? point;
    area +=
      ((point.falsePositiveRate - before.falsePositiveRate) *
        (point.truePositiveRate + before.truePositiveRate)) /
      2;
  });
  return area;
}

describe("youdenThreshold", () => {
  it("is the score with the greatest sensitivity plus specificity", () => {
    fc.assert(
      fc.property(tied, (rows) => {
        const threshold = youdenThreshold(columns(rows));
        const positives = rows.filter((row) => row.truth === 1);
        const negatives = rows.filter((row) => row.truth === 0);
        const indexAt = (from: number): number =>
          positives.filter((row) => row.score >= from).length / positives.length -
          negatives.filter((row) => row.score >= from).length / negatives.length;
        if (positives.length === 0 || negatives.length === 0) {
          expect(threshold).toBeNull();
          return;
        }
        const best = Math.max(...rows.map((row) => indexAt(row.score)));
        if (best <= 1e-12) expect(threshold).toBeNull();
        else expect(indexAt(threshold ?? NaN)).toBeCloseTo(best, 12);
      }),
      { numRuns: 300 },
    );
  });

  it("takes the highest of equally good scores", () => {
    // At 3: 1/2 - 0; at 1: 1 - 1/2.
    expect(youdenThreshold({ truth: [0, 1, 0, 1], scores: [0, 1, 2, 3] })).toBe(3);
  });

  it("is undefined where no score beats chance", () => {
    expect(youdenThreshold({ truth: [0, 1], scores: [1, 0] })).toBeNull();
    expect(youdenThreshold({ truth: [0, 1], scores: [1, 1] })).toBeNull();
  });
});

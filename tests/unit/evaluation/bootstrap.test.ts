import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clusteredBootstrap,
  percentileInterval,
  quantile,
  sampledColumn,
} from "../../../src/main/evaluation/bootstrap.ts";
import { drawPatientCounts, seededGenerator } from "../../../src/main/evaluation/random.ts";
import { auroc } from "../../../src/main/evaluation/roc.ts";
import { rankLabel, tallyFields, tallyLabel } from "../../../src/main/evaluation/tally.ts";
import { numbers } from "./simulate.ts";

/** The interval of a mean over values that belong to patients. */
async function intervalOfMean(values: readonly number[], patients: readonly number[]) {
  const count = Math.max(...patients) + 1;
  const compute = (weights: Uint16Array, out: Float64Array): void => {
    let sum = 0;
    let total = 0;
    values.forEach((value, index) => {
      const weight = weights[patients[index] ?? 0] ?? 0;
      sum += weight * value;
      total += weight;
    });
    out[0] = sum / total;
  };
  const [matrix] = await clusteredBootstrap(count, [{ size: 1, compute }], {
    samples: 1000,
    seed: 5,
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return percentileInterval(mean, sampledColumn(matrix ?? new Float64Array(), 1, 0), 0.95);
}

describe("clusteredBootstrap", () => {
  it("covers about twice its standard error on either side of a mean", async () => {
    const { normal } = numbers(1);
    const values = Array.from({ length: 400 }, () => normal());
    const interval = await intervalOfMean(
      values,
      values.map((_, index) => index),
    );
    const width = (interval?.high ?? 0) - (interval?.low ?? 0);
    // 2 x 1.96 / sqrt(400)
    expect(width).toBeGreaterThan(0.196 * 0.85);
    expect(width).toBeLessThan(0.196 * 1.15);
  });

  it("widens where images repeat patients, as four copies carry no more than one", async () => {
    const { normal } = numbers(2);
    const perPatient = Array.from({ length: 100 }, () => normal());
    const values = perPatient.flatMap((value) => [value, value, value, value]);
    const clustered = await intervalOfMean(
      values,
      values.map((_, index) => Math.floor(index / 4)),
    );
    const naive = await intervalOfMean(
      values,
      values.map((_, index) => index),
    );
    const width = (interval: typeof clustered): number =>
      (interval?.high ?? 0) - (interval?.low ?? 0);
    expect(width(clustered) / width(naive)).toBeGreaterThan(1.7);
    expect(width(clustered) / width(naive)).toBeLessThan(2.3);
  });

  it("gives the same samples for the same seed and others for another", async () => {
    const run = {
      size: 1,
      compute: (w: Uint16Array, out: Float64Array) => void (out[0] = w[0] ?? 0),
    };
    const draw = async (seed: number) =>
      (await clusteredBootstrap(50, [run], { samples: 60, seed }))[0];
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });

  it("stops when aborted, with the signal's reason", async () => {
    const controller = new AbortController();
    const slow = {
      size: 1,
      compute: () => {
        const end = performance.now() + 10;
        while (performance.now() < end);
      },
    };
    const running = clusteredBootstrap(10, [slow], {
      samples: 100_000,
      seed: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });

  it("reports progress up to the end", async () => {
    const seen: number[] = [];
    await clusteredBootstrap(5, [{ size: 1, compute: () => undefined }], {
      samples: 20,
      seed: 1,
      onProgress: (done) => seen.push(done),
    });
    expect(seen.at(-1)).toBe(20);
  });
});

describe("drawPatientCounts", () => {
  it("draws as many patients as there are, each about once on average", () => {
    const next = seededGenerator(9);
    const counts = new Uint16Array(500);
    const sums = new Float64Array(500);
    for (let sample = 0; sample < 400; sample += 1) {
      drawPatientCounts(next, counts);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(500);
      counts.forEach((count, index) => (sums[index] = (sums[index] ?? 0) + count));
    }
    // Standard deviation of a patient's mean count over 400 samples: 0.05.
    for (const sum of sums) expect(Math.abs(sum / 400 - 1)).toBeLessThan(0.25);
  });
});

describe("percentileInterval", () => {
  it("is undefined where the estimate is, or where one sample in twenty has no value", () => {
    const samples = Float64Array.from({ length: 100 }, (_, index) => index);
    expect(percentileInterval(NaN, samples, 0.95)).toBeNull();
    expect(percentileInterval(50, samples.fill(NaN, 0, 5), 0.95)).not.toBeNull();
    expect(percentileInterval(50, samples.fill(NaN, 0, 6), 0.95)).toBeNull();
  });

  // Source: R 4.3, quantile(1:10, c(0.025, 0.975)): 1.225 and 9.775.
  it("takes R's default quantiles", () => {
    const values = Float64Array.from({ length: 10 }, (_, index) => index + 1);
    expect(quantile(values, 0.025)).toBeCloseTo(1.225, 12);
    expect(quantile(values, 0.975)).toBeCloseTo(9.775, 12);
  });
});

describe("tallyLabel", () => {
  const rows = fc.array(
    fc.record({
      patient: fc.integer({ min: 0, max: 7 }),
      truth: fc.constantFrom(0, 1),
      score: fc.integer({ min: 0, max: 5 }),
      cell: fc.constantFrom(1, 2, 3),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const weights = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 8, maxLength: 8 });

  it("counts as if each image were there as often as its patient was drawn", () => {
    fc.assert(
      fc.property(rows, weights, fc.integer({ min: 0, max: 6 }), (table, drawn, threshold) => {
        const label = rankLabel(
          {
            patients: Uint32Array.from(table, (row) => row.patient),
            positive: Uint8Array.from(table, (row) => row.truth),
            scores: Float64Array.from(table, (row) => row.score),
            cells: Uint16Array.from(table, (row) => row.cell),
          },
          threshold,
        );
        const tally = new Float64Array(4 * tallyFields);
        tallyLabel(label, Uint16Array.from(drawn), tally);
        for (const cell of [0, 1, 2, 3]) {
          const repeated = table
            .filter((row) => cell === 0 || row.cell === cell)
            .flatMap((row) => Array.from({ length: drawn[row.patient] ?? 0 }, () => row));
          const count = (truth: number, below: boolean): number =>
            repeated.filter((row) => row.truth === truth && (!below || row.score < threshold))
              .length;
          const [positives = 0, negatives = 0, concordant = 0, missed = 0, left = 0] =
            tally.subarray(cell * tallyFields, (cell + 1) * tallyFields);
          expect([positives, negatives, missed, left]).toEqual([
            count(1, false),
            count(0, false),
            count(1, true),
            count(0, true),
          ]);
          const expected = auroc({
            truth: repeated.map((row) => row.truth),
            scores: repeated.map((row) => row.score),
          });
          if (expected !== null) {
            expect(concordant / (2 * positives * negatives)).toBeCloseTo(expected, 12);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

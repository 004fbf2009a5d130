import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { noiseMultiplierFor, stepsFor } from "../../../src/main/privacy/calibrate.ts";
import { normalUpperTail } from "../../../src/main/privacy/pld/normal.ts";
import { deltaByPld, epsilonByPld } from "../../../src/main/privacy/pld/pld.ts";
import { epsilonByRdp } from "../../../src/main/privacy/rdp.ts";
import { golden } from "./golden.ts";

/** What the grid may add to an epsilon, relative, and a floor for epsilons near 0. */
const GRID = 5e-4;
const FLOOR = 1e-6;

const mechanism = fc.record({
  samplingRate: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  noiseMultiplier: fc.double({ min: 0.4, max: 20, noNaN: true }),
  steps: fc.integer({ min: 1, max: 20_000 }),
});
/** Where a patient's epsilon with several images stays within what a person may ask about. */
const moderate = fc.record({
  samplingRate: fc.double({ min: 1e-3, max: 0.2, noNaN: true }),
  noiseMultiplier: fc.double({ min: 0.8, max: 10, noNaN: true }),
  steps: fc.integer({ min: 1, max: 2000 }),
});
const delta = fc.double({ min: 1e-9, max: 0.01, noNaN: true });
const factor = fc.double({ min: 1, max: 3, noNaN: true });
const options = { numRuns: 15, seed: 90210 };

/** Delta of the Gaussian mechanism: Balle and Wang 2018 (arXiv 1805.06530), Theorem 8. */
function gaussianDelta(epsilon: number, mu: number): number {
  return (
    normalUpperTail(epsilon / mu - mu / 2) -
    Math.exp(epsilon) * normalUpperTail(epsilon / mu + mu / 2)
  );
}

describe("PLD against exact values", { timeout: 120_000 }, () => {
  // Hockey-stick divergence of one step in closed form, 40 digits (mpmath), the larger direction.
  const oneStep: [number, number, number, number][] = [
    [0.01, 1, 0.5, 2.21451901315306e-7],
    [0.3, 0.7, 1, 0.0394143835414114],
    [0.2, 0.5, 3, 0.0100453171508326],
    [1, 2, 1, 0.00682959498311458],
    [0.05, 0.4, 6, 0.000220893218503187],
  ];
  for (const [samplingRate, noiseMultiplier, epsilon, exact] of oneStep) {
    it(`is an upper bound, closely, for one step at q=${samplingRate}, sigma=${noiseMultiplier}`, () => {
      const bound = deltaByPld([{ samplingRate, noiseMultiplier, steps: 1 }], epsilon);
      expect(bound / exact).toBeGreaterThanOrEqual(1);
      expect(bound / exact).toBeLessThan(1 + 2e-3);
    });
  }

  it("equals the analytic Gaussian at q = 1", () => {
    for (const [noiseMultiplier, steps, epsilon] of [
      [4, 1, 0.5],
      [1.3, 1, 3],
      [30, 900, 2],
      [0.5, 10, 45],
      [5, 20_000, 450],
    ] as const) {
      const exact = gaussianDelta(epsilon, Math.sqrt(steps) / noiseMultiplier);
      const bound = deltaByPld([{ samplingRate: 1, noiseMultiplier, steps }], epsilon);
      expect(bound / exact).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(bound / exact).toBeLessThan(1.02);
      const found = epsilonByPld([{ samplingRate: 1, noiseMultiplier, steps }], exact);
      expect(found / epsilon).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(found / epsilon).toBeLessThan(1 + GRID);
    }
  });

  it("equals the analytic Gaussian for several Gaussians of different noise", () => {
    const parts = [
      { samplingRate: 1, noiseMultiplier: 5, steps: 7 },
      { samplingRate: 1, noiseMultiplier: 11, steps: 40 },
      { samplingRate: 1, noiseMultiplier: 3, steps: 1 },
    ];
    const mu = Math.sqrt(7 / 25 + 40 / 121 + 1 / 9);
    const exact = gaussianDelta(2, mu);
    expect(deltaByPld(parts, 2) / exact).toBeGreaterThanOrEqual(1 - 1e-9);
    expect(deltaByPld(parts, 2) / exact).toBeLessThan(1.01);
  });

  it("equals a Gaussian of k times the sensitivity where all k images are always taken", () => {
    const run = { samplingRate: 1, noiseMultiplier: 6, steps: 20 };
    const same = { ...run, noiseMultiplier: 2 };
    const several = epsilonByPld([run], 1e-6, 3);
    expect(Math.abs(several / epsilonByPld([same], 1e-6) - 1)).toBeLessThan(GRID);
  });
});

describe("properties of epsilon by PLD", { timeout: 240_000 }, () => {
  it("never rises with sigma, never falls with q, steps or a smaller delta", () => {
    fc.assert(
      fc.property(mechanism, delta, factor, (run, at, by) => {
        const base = epsilonByPld([run], at);
        const most = base * (1 + GRID) + FLOOR;
        const least = base * (1 - GRID) - FLOOR;
        const louder = { ...run, noiseMultiplier: run.noiseMultiplier * by };
        const oftener = { ...run, samplingRate: Math.min(1, run.samplingRate * by) };
        const longer = { ...run, steps: Math.ceil(run.steps * by) };
        expect(epsilonByPld([louder], at)).toBeLessThanOrEqual(most);
        expect(epsilonByPld([oftener], at)).toBeGreaterThanOrEqual(least);
        expect(epsilonByPld([longer], at)).toBeGreaterThanOrEqual(least);
        expect(epsilonByPld([run], at / by)).toBeGreaterThanOrEqual(least);
      }),
      options,
    );
  });

  it("does not exceed RDP, and a patient's figure is never below an image's", () => {
    fc.assert(
      fc.property(mechanism, delta, fc.integer({ min: 2, max: 5 }), (run, at, images) => {
        const { pld, rdp, epsilon } = epsilonOf([run], at, "best");
        expect(pld).toBeLessThanOrEqual((rdp ?? NaN) * (1 + GRID) + FLOOR);
        expect(epsilon).toBe(Math.min(pld ?? NaN, rdp ?? NaN));
        const fewer = epsilonOf([run], at, "pld", images - 1).epsilon;
        const more = epsilonOf([run], at, "best", images).epsilon;
        expect(more).toBeGreaterThanOrEqual(fewer * (1 - GRID) - FLOOR);
      }),
      options,
    );
  });

  it("does not depend on the order or the grouping of what was run", () => {
    fc.assert(
      fc.property(mechanism, mechanism, delta, (first, second, at) => {
        const half = Math.floor(first.steps / 2);
        const parts = [{ ...first, steps: half }, second, { ...first, steps: first.steps - half }];
        const together = epsilonByPld([first, second], at);
        for (const other of [epsilonByPld([second, first], at), epsilonByPld(parts, at)]) {
          expect(Math.abs(other - together)).toBeLessThanOrEqual(1e-9 * together + 1e-12);
        }
        expect(together).toBeGreaterThanOrEqual(epsilonByPld([first], at) * (1 - GRID) - FLOOR);
      }),
      options,
    );
  });

  it("composes mechanisms of different images per patient, never below any part of them", () => {
    fc.assert(
      fc.property(moderate, moderate, delta, fc.integer({ min: 2, max: 6 }), (one, two, at, k) => {
        const several = { ...two, imagesPerPatient: k };
        const together = epsilonOf([one, several], at).epsilon;
        const least = (part: number): number => part * (1 - GRID) - FLOOR;
        expect(together).toBeGreaterThanOrEqual(least(epsilonOf([one, two], at).epsilon));
        expect(together).toBeGreaterThanOrEqual(least(epsilonOf([several], at).epsilon));
        const turned = epsilonOf([several, one], at).epsilon;
        expect(Math.abs(turned - together)).toBeLessThanOrEqual(1e-9 * together + 1e-12);
        expect(epsilonOf([two], at, "pld", k).epsilon).toBe(epsilonOf([several], at).epsilon);
      }),
      { numRuns: 5, seed: 90210 },
    );
  });

  it("gives back delta at the epsilon found for it", () => {
    fc.assert(
      fc.property(mechanism, delta, (run, at) => {
        const epsilon = epsilonByPld([run], at);
        fc.pre(epsilon > 1e-3 && epsilon < 1000);
        expect(Math.abs(deltaByPld([run], epsilon) / at - 1)).toBeLessThan(0.03);
      }),
      options,
    );
  });

  it("stays finite, ordered and at most RDP from epsilon 0.001 to 1,000 over a million steps", () => {
    const run = { samplingRate: 1 / 1199, steps: 1_000_000 };
    const epsilons = [1500, 200, 20, 3, 1, 0.5, 0.35, 0.27].map((noiseMultiplier) => {
      const epsilon = epsilonByPld([{ ...run, noiseMultiplier }], 6e-6);
      expect(epsilon).toBeLessThanOrEqual(
        epsilonByRdp([{ ...run, noiseMultiplier }], 6e-6) * (1 + GRID),
      );
      return epsilon;
    });
    expect(epsilons.every((epsilon) => Number.isFinite(epsilon) && epsilon > 0)).toBe(true);
    expect(epsilons).toEqual(epsilons.toSorted((a, b) => a - b));
    expect(epsilons[0]).toBeLessThan(0.002);
    expect(epsilons.at(-1)).toBeGreaterThan(1000);
  });

  it("is 0 where nothing was run and infinite where noise is absent", () => {
    const run = { samplingRate: 0.1, noiseMultiplier: 1, steps: 10 };
    expect(epsilonByPld([], 1e-5)).toBe(0);
    expect(epsilonByPld([{ ...run, steps: 0 }], 1e-5)).toBe(0);
    expect(epsilonByPld([{ ...run, samplingRate: 0 }], 1e-5)).toBe(0);
    expect(epsilonByPld([run, { ...run, noiseMultiplier: 0 }], 1e-5)).toBe(Infinity);
    expect(deltaByPld([{ ...run, noiseMultiplier: 0 }], 1)).toBe(1);
    expect(deltaByPld([run], Infinity)).toBe(0);
  });

  it("refuses images that RDP cannot account for, and a fraction of an image", () => {
    const run = { samplingRate: 0.1, noiseMultiplier: 1, steps: 10 };
    expect(() => epsilonOf([run], 1e-5, "rdp", 2)).toThrow(/one image/);
    expect(() => epsilonOf([run], 1e-5, "best", 1.5)).toThrow(/1\.5/);
  });
});

describe("calibration by PLD", { timeout: 120_000 }, () => {
  for (const row of golden.calibration.filter(({ accountant }) => accountant === "pld")) {
    it(`gives sigma ${row.noiseMultiplier} for epsilon ${row.epsilon} (${row.source})`, () => {
      const { noiseMultiplier, epsilon } = noiseMultiplierFor(row, row.accountant);
      expect(Math.abs(noiseMultiplier - row.noiseMultiplier)).toBeLessThan(row.tolerance ?? 1e-3);
      expect(epsilon).toBeLessThanOrEqual(row.epsilon);
    });
  }

  it("gives dp_accounting's sigma 0.67379 for one query at epsilon 1, q = 0.01", () => {
    const target = { epsilon: 1, delta: 1e-5, samplingRate: 0.01, steps: 1 };
    expect(noiseMultiplierFor(target, "pld").noiseMultiplier).toBeCloseTo(0.67379294682, 3);
  });

  it("never overshoots, and needs no more noise than either accountant alone", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 50, noNaN: true }),
        fc.double({ min: 1e-8, max: 1e-3, noNaN: true }),
        fc.double({ min: 1e-3, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 5000 }),
        (epsilon, at, samplingRate, steps) => {
          const target = { epsilon, delta: at, samplingRate, steps };
          const { noiseMultiplier } = noiseMultiplierFor(target, "best");
          const run = { samplingRate, noiseMultiplier, steps };
          const reached = epsilonOf([run], at, "best").epsilon;
          expect(reached).toBeLessThanOrEqual(epsilon);
          expect(reached).toBeGreaterThan(epsilon * (1 - 1e-4));
          const byRdp = noiseMultiplierFor(target, "rdp").noiseMultiplier;
          expect(noiseMultiplier).toBeLessThanOrEqual(byRdp);
        },
      ),
      { numRuns: 8, seed: 5 },
    );
  });

  it("finds the most steps that fit", () => {
    const run = { samplingRate: 0.01, noiseMultiplier: 1 };
    const steps = stepsFor({ ...run, epsilon: 1.83, delta: 1e-5 }, "best");
    const at = (count: number): number => epsilonOf([{ ...run, steps: count }], 1e-5).epsilon;
    // dp_accounting 0.6.0: 1,000 steps give 1.828244.
    expect(Math.abs(steps - 1002)).toBeLessThan(5);
    expect(at(steps)).toBeLessThanOrEqual(1.83);
    expect(at(steps + 1)).toBeGreaterThan(1.83);
  });
});

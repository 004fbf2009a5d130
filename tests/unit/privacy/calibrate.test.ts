import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { noiseMultiplierFor, stepsFor } from "../../../src/main/privacy/calibrate.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { golden } from "./golden.ts";

const study = { delta: 6e-6, samplingRate: 1 / 1199, steps: 119_900 };

describe("noise multiplier from epsilon", { timeout: 60_000 }, () => {
  for (const row of golden.calibration.filter(({ accountant }) => accountant === "rdp")) {
    it(`is ${row.noiseMultiplier} for epsilon ${row.epsilon} (${row.source})`, () => {
      const { noiseMultiplier, epsilon } = noiseMultiplierFor(row, row.accountant);
      expect(Math.abs(noiseMultiplier - row.noiseMultiplier)).toBeLessThan(row.tolerance ?? 1e-3);
      expect(epsilon).toBeLessThanOrEqual(row.epsilon);
    });
  }

  it("never exceeds the target and comes within 1e-5 of it from epsilon 0.001 to 1,000", () => {
    for (const epsilon of [0.001, 0.01, 0.29, 1.06, 7.89, 60, 1000]) {
      const solved = noiseMultiplierFor({ ...study, epsilon }, "rdp");
      const check = epsilonOf([{ ...study, ...solved }], study.delta, "rdp").epsilon;
      expect(check).toBe(solved.epsilon);
      expect(check).toBeLessThanOrEqual(epsilon);
      expect(check).toBeGreaterThan(epsilon * (1 - 1e-4));
    }
  });

  it("never overshoots, whatever the recipe", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: 1e-9, max: 1e-2, noNaN: true }),
        fc.double({ min: 1e-5, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 300_000 }),
        (epsilon, delta, samplingRate, steps) => {
          const { noiseMultiplier } = noiseMultiplierFor(
            { epsilon, delta, samplingRate, steps },
            "rdp",
          );
          const run = { samplingRate, noiseMultiplier, steps };
          expect(epsilonOf([run], delta, "rdp").epsilon).toBeLessThanOrEqual(epsilon);
        },
      ),
      { numRuns: 25, seed: 4 },
    );
  });

  it("bounds what was already spent and the new run together", () => {
    const alreadySpent = [{ samplingRate: 0.01, noiseMultiplier: 1.2, steps: 500 }];
    const alone = noiseMultiplierFor({ ...study, epsilon: 3 }, "rdp");
    const together = noiseMultiplierFor({ ...study, epsilon: 3, alreadySpent }, "rdp");
    expect(together.noiseMultiplier).toBeGreaterThan(alone.noiseMultiplier);
    const run = { ...study, noiseMultiplier: together.noiseMultiplier };
    const composed = epsilonOf([run, ...alreadySpent], study.delta, "rdp").epsilon;
    expect(composed).toBeLessThanOrEqual(3);
    expect(composed).toBeGreaterThan(3 * (1 - 1e-4));
  });

  it("refuses where earlier runs have spent more than the target", () => {
    const alreadySpent = [{ samplingRate: 0.01, noiseMultiplier: 0.8, steps: 5000 }];
    expect(() => noiseMultiplierFor({ ...study, epsilon: 1, alreadySpent }, "rdp")).toThrow(
      /already spent/,
    );
  });

  it("needs no noise where nothing is taken", () => {
    expect(noiseMultiplierFor({ ...study, steps: 0, epsilon: 1 }, "rdp").noiseMultiplier).toBe(0);
    expect(
      noiseMultiplierFor({ ...study, samplingRate: 0, epsilon: 1 }, "rdp").noiseMultiplier,
    ).toBe(0);
  });

  it("refuses an epsilon of zero, naming it", () => {
    expect(() => noiseMultiplierFor({ ...study, epsilon: 0 }, "rdp")).toThrow(UserError);
    expect(() => noiseMultiplierFor({ ...study, epsilon: 0 }, "rdp")).toThrow(/Epsilon.*0/);
  });
});

describe("steps from epsilon", { timeout: 60_000 }, () => {
  it("is the largest number that fits", () => {
    const run = { samplingRate: 0.04, noiseMultiplier: 1.416 };
    const steps = stepsFor({ ...run, epsilon: 8, delta: 1e-5 }, "rdp");
    const epsilonAt = (count: number): number =>
      epsilonOf([{ ...run, steps: count }], 1e-5, "rdp").epsilon;
    expect(epsilonAt(steps)).toBeLessThanOrEqual(8);
    expect(epsilonAt(steps + 1)).toBeGreaterThan(8);
    // Opacus' tests: sigma 1.416 is what 2,250 steps need at epsilon 8.
    expect(Math.abs(steps - 2250)).toBeLessThanOrEqual(3);
  });

  it("is 0 where one step is too many, and the cap where nothing is spent", () => {
    const run = { samplingRate: 0.5, noiseMultiplier: 0.3, epsilon: 0.5, delta: 1e-6 };
    expect(stepsFor(run, "rdp")).toBe(0);
    expect(stepsFor({ ...run, samplingRate: 0, atMost: 1234 }, "rdp")).toBe(1234);
  });

  it("ends where the first steps cost nothing, and respects a cap of none or one", () => {
    const silent = { samplingRate: 1e-5, noiseMultiplier: 5, epsilon: 1e-3, delta: 1e-3 };
    const steps = stepsFor({ ...silent, atMost: 5_000_000 }, "rdp");
    const at = (count: number): number =>
      epsilonOf([{ ...silent, steps: count }], 1e-3, "rdp").epsilon;
    expect(at(steps)).toBeLessThanOrEqual(1e-3);
    expect(at(steps + 1)).toBeGreaterThan(1e-3);
    expect(at(1)).toBe(0);
    const run = { samplingRate: 0.01, noiseMultiplier: 1, epsilon: 1, delta: 1e-5 };
    expect(stepsFor({ ...run, atMost: 0 }, "rdp")).toBe(0);
    expect(stepsFor({ ...run, atMost: 1 }, "rdp")).toBe(1);
  });
});

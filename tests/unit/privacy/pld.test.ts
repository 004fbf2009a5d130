import { describe, expect, it } from "vitest";
import { deltaOf, epsilonOf } from "../../../src/main/privacy/accountant.ts";
import { deltaByPld, epsilonByPld } from "../../../src/main/privacy/pld/pld.ts";
import { golden } from "./golden.ts";

describe("epsilon by PLD", { timeout: 60_000 }, () => {
  for (const row of golden.epsilon.filter(({ accountant }) => accountant === "pld")) {
    it(`equals ${row.epsilon} for q=${row.samplingRate.toPrecision(4)}, sigma=${row.noiseMultiplier}, T=${row.steps}, ${row.imagesPerPatient} image(s) (${row.source})`, () => {
      const { epsilon, pld } = epsilonOf([row], row.delta, "pld", row.imagesPerPatient);
      expect(Math.abs(epsilon - row.epsilon)).toBeLessThan(row.tolerance ?? row.epsilon * 1e-3);
      expect(pld).toBe(epsilon);
    });
  }

  // TensorFlow Privacy's tests; then dp_accounting 0.6.0 run on the rows without a published value.
  const further: [number, number, number, number, number][] = [
    [0.01, 0.35, 120, 1e-5, 18.6977407],
    [1, 0.7, 2, 1e-5, 10.1224946],
    [1, 0.35, 2, 1e-5, 24.7160779],
    [128 / 153502, 1, 119900, 6e-6, 1.527248],
  ];
  for (const [samplingRate, noiseMultiplier, steps, delta, expected] of further) {
    it(`equals ${expected} for q=${samplingRate.toPrecision(4)}, sigma=${noiseMultiplier}, T=${steps}`, () => {
      const epsilon = epsilonByPld([{ samplingRate, noiseMultiplier, steps }], delta);
      expect(Math.abs(epsilon / expected - 1)).toBeLessThan(2e-3);
    });
  }

  // Gopi, Lee, Wutschitz 2021: upper bounds with an error of 0.01, so the value lies up to 0.01
  // (and its own discretisation) below the table.
  const upperBounds: [number, number, number, number][] = [
    [1.5, 0.001, 100, 0.0393694],
    [2, 0.001, 100, 0.0291045],
    [0.8, 0.05, 100, 6.7410519],
    [1.5, 0.05, 100, 1.9538531],
    [2, 0.2, 100, 5.6720556],
    [3, 0.2, 100, 3.3812205],
    [0.8, 0.001, 1000, 0.4777713],
    [1.5, 0.05, 1000, 6.2099692],
    [2, 0.05, 1000, 4.1727999],
    [1.5, 0.001, 20000, 0.4370051],
    [2, 0.05, 20000, 24.4217186],
    [0.8, 0.001, 50000, 2.0345148],
  ];
  for (const [noiseMultiplier, samplingRate, steps, table] of upperBounds) {
    it(`lies within 0.02 below the upper bound ${table} (Microsoft's PRV table, delta 1e-6)`, () => {
      const epsilon = epsilonByPld([{ samplingRate, noiseMultiplier, steps }], 1e-6);
      expect(epsilon).toBeLessThan(table);
      expect(epsilon).toBeGreaterThan(table - 0.02);
    });
  }

  it("gives dp_accounting's delta 0.15594 at epsilon 1 (q=0.2, sigma=0.5, T=3)", () => {
    const run = { samplingRate: 0.2, noiseMultiplier: 0.5, steps: 3 };
    expect(deltaByPld([run], 1)).toBeCloseTo(0.15594, 4);
  });

  it("gives the Gaussian's delta 0.126936 at epsilon 1 (sigma = sqrt 3, T=3)", () => {
    const run = { samplingRate: 1, noiseMultiplier: Math.sqrt(3), steps: 3 };
    expect(deltaByPld([run], 1)).toBeCloseTo(0.126936, 5);
    expect(deltaOf([run], 1).accountant).toBe("pld");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deltaByRdp,
  epsilonByRdp,
  epsilonFromRdp,
  rdpOfComposition,
  rdpOfOneStep,
  RDP_ORDERS,
} from "../../../src/main/privacy/rdp.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { golden } from "./golden.ts";

describe("epsilon by RDP", () => {
  for (const row of golden.epsilon.filter(({ accountant }) => accountant === "rdp")) {
    it(`equals ${row.epsilon} for q=${row.samplingRate}, sigma=${row.noiseMultiplier}, T=${row.steps} (${row.source})`, () => {
      const epsilon = epsilonByRdp([row], row.delta);
      expect(Math.abs(epsilon - row.epsilon)).toBeLessThan(row.tolerance ?? row.epsilon * 1e-3);
    });
  }

  // TensorFlow Privacy's and dp_accounting's tests, De et al. 2022 (arXiv 2204.13650), and the
  // RDP accountant of Opacus 1.6 run on the rows without a published value.
  const further: [number, number, number, number, number][] = [
    [0.01, 0.35, 120, 1e-5, 22.6248601], // TF Privacy, micro-batching halves sigma
    [1, 0.35, 2, 1e-5, 26.2880374], // TF Privacy, no sampling, micro-batching
    [4096 / 50000, 10, 875, 1e-5, 0.98771], // De et al., CIFAR-10 at epsilon 1
    [16384 / 1281167, 2.5, 71589, 8e-7, 7.92726], // De et al., ImageNet at epsilon 8
    [0.01, 1, 1000, 1e-5, 2.10137],
    [0.01, 1, 10000, 1e-5, 6.71274],
    [0.001, 1, 10000, 1e-6, 0.97954],
    [128 / 153502, 1, 119900, 6e-6, 1.66005],
  ];
  for (const [samplingRate, noiseMultiplier, steps, delta, expected] of further) {
    it(`equals ${expected} for q=${samplingRate.toPrecision(4)}, sigma=${noiseMultiplier}, T=${steps}`, () => {
      const epsilon = epsilonByRdp([{ samplingRate, noiseMultiplier, steps }], delta);
      expect(Math.abs(epsilon / expected - 1)).toBeLessThan(2e-3);
    });
  }

  it("uses the tight conversion: the older one gives 3.01 where 2.597 holds", () => {
    const mechanism = { samplingRate: 256 / 60000, noiseMultiplier: 1.1, steps: 14062 };
    const rdp = rdpOfComposition([mechanism]);
    const older = Math.min(
      ...RDP_ORDERS.map((order, index) => (rdp[index] ?? NaN) + Math.log(1e5) / (order - 1)),
    );
    expect(older).toBeCloseTo(3.01, 2);
    expect(epsilonByRdp([mechanism], 1e-5)).toBeLessThan(2.6);
  });

  it("matches the pure-DP conversion of dp_accounting's tests (divergence 1.1 at orders 2 to 32)", () => {
    const orders = Array.from({ length: 31 }, (_, index) => index + 2);
    const bound = epsilonFromRdp(new Float64Array(31).fill(1.1), 1e-5, orders);
    expect(bound.value).toBeCloseTo(1.32783806176, 10);
  });

  it("stays finite and ordered from epsilon 0.001 to far above 1,000", () => {
    const at = (noiseMultiplier: number): number =>
      epsilonByRdp([{ samplingRate: 1 / 1199, noiseMultiplier, steps: 1_000_000 }], 6e-6);
    const epsilons = [2000, 300, 30, 3, 1, 0.5, 0.3, 0.1, 0.05].map(at);
    expect(epsilons.every((epsilon) => Number.isFinite(epsilon) && epsilon > 0)).toBe(true);
    expect(epsilons).toEqual(epsilons.toSorted((a, b) => a - b));
    expect(epsilons[0]).toBeLessThan(0.002);
    expect(epsilons.at(-1)).toBeGreaterThan(1000);
  });

  it("is 0 where nothing was run and infinite where noise is absent", () => {
    const run = { samplingRate: 0.1, noiseMultiplier: 1, steps: 10 };
    expect(epsilonByRdp([], 1e-5)).toBe(0);
    expect(epsilonByRdp([{ ...run, steps: 0 }], 1e-5)).toBe(0);
    expect(epsilonByRdp([{ ...run, samplingRate: 0 }], 1e-5)).toBe(0);
    expect(epsilonByRdp([{ ...run, samplingRate: 0, noiseMultiplier: 0 }], 1e-5)).toBe(0);
    expect(epsilonByRdp([{ ...run, noiseMultiplier: 0 }], 1e-5)).toBe(Infinity);
    expect(epsilonByRdp([run, { ...run, noiseMultiplier: 0 }], 1e-5)).toBe(Infinity);
  });

  it("names a value that is out of range", () => {
    const run = { samplingRate: 0.1, noiseMultiplier: 1, steps: 10 };
    const refused: [() => unknown, RegExp][] = [
      [() => epsilonByRdp([{ ...run, samplingRate: 1.5 }], 1e-5), /sampling rate.*1\.5/],
      [() => epsilonByRdp([{ ...run, samplingRate: NaN }], 1e-5), /sampling rate.*NaN/],
      [() => epsilonByRdp([{ ...run, noiseMultiplier: -1 }], 1e-5), /noise multiplier.*-1/],
      [() => epsilonByRdp([{ ...run, steps: 2.5 }], 1e-5), /steps.*2\.5/],
      [() => epsilonByRdp([{ ...run, steps: -3 }], 1e-5), /steps.*-3/],
      [() => epsilonByRdp([run], 0), /Delta.*0/],
      [() => epsilonByRdp([run], 1), /Delta.*1/],
      [() => deltaByRdp([run], 0), /Epsilon.*0/],
      [() => deltaByRdp([run], -2), /Epsilon.*-2/],
    ];
    for (const [call, message] of refused) {
      expect(call).toThrow(UserError);
      expect(call).toThrow(message);
    }
  });
});

describe("Renyi divergence of one step", () => {
  // Quadrature of the moment E[L^a] with 40 digits (mpmath).
  const exact: [number, number, number, number][] = [
    [1e-9, 1, 1.5, 1.2887113696029532e-18],
    [1e-6, 0.5, 10.9, 6.588983325076616],
    [0.01, 0.05, 1.1, 169.34312839137112],
    [0.01, 0.5, 2.5, 0.014771278211720392],
    [0.01, 1, 40.5, 15.528243227024868],
    [0.5, 0.2, 1.1, 8.386834984159792],
    [0.9, 50, 2.5, 0.0004050226774106757],
    [0.999999, 0.07, 1.5, 153.061221489794],
  ];
  for (const [samplingRate, noiseMultiplier, order, expected] of exact) {
    it(`is exact at q=${samplingRate}, sigma=${noiseMultiplier}, order ${order}`, () => {
      const value = rdpOfOneStep(samplingRate, noiseMultiplier, [order])[0] ?? NaN;
      expect(Math.abs(value / expected - 1)).toBeLessThan(1e-11);
    });
  }

  it("matches the values of autodp's unit tests", () => {
    const wide = rdpOfOneStep(0.01, 0.1, [1.25, 2, 4, 64]);
    [39.474353593, 90.789659628, 193.859773085, 3195.321731875].forEach((expected, index) => {
      expect(wide[index]).toBeCloseTo(expected, 7);
    });
    const narrow = rdpOfOneStep(0.01, 0.25, [1.25, 2, 4]);
    [0.110360317, 6.790784235, 25.859773085].forEach((expected, index) => {
      expect(narrow[index]).toBeCloseTo(expected, 7);
    });
  });

  it("does not jump between integer and fractional orders", () => {
    for (const [samplingRate, noiseMultiplier] of [
      [0.001, 0.6],
      [0.05, 1.3],
      [0.7, 4],
    ] as const) {
      const [below = NaN, at = NaN, above = NaN] = rdpOfOneStep(samplingRate, noiseMultiplier, [
        5 - 1e-7,
        5,
        5 + 1e-7,
      ]);
      expect(Math.abs((below + above) / 2 / at - 1)).toBeLessThan(1e-9);
    }
  });

  it("is the Gaussian mechanism's at q = 1", () => {
    expect(rdpOfOneStep(1, 2, [3])[0]).toBe(3 / 8);
    const nearly = rdpOfOneStep(1 - 1e-12, 2, [3.5])[0] ?? NaN;
    expect(nearly).toBeCloseTo(3.5 / 8, 9);
  });
});

describe("properties of epsilon by RDP", { timeout: 60_000 }, () => {
  const mechanism = fc.record({
    samplingRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    noiseMultiplier: fc.double({ min: 0.2, max: 50, noNaN: true }),
    steps: fc.integer({ min: 1, max: 200_000 }),
  });
  const delta = fc.double({ min: 1e-10, max: 0.1, noNaN: true });
  const more = fc.double({ min: 1, max: 3, noNaN: true });
  const options = { numRuns: 25, seed: 20260 };
  /** Rounding, for comparisons of nearly equal values. */
  const slack = 1 + 1e-9;

  it("never rises with sigma, never falls with q, steps or a smaller delta", () => {
    fc.assert(
      fc.property(mechanism, delta, more, (run, at, factor) => {
        const base = epsilonByRdp([run], at);
        const louder = { ...run, noiseMultiplier: run.noiseMultiplier * factor };
        const oftener = { ...run, samplingRate: Math.min(1, run.samplingRate * factor) };
        const longer = { ...run, steps: Math.ceil(run.steps * factor) };
        expect(epsilonByRdp([louder], at)).toBeLessThanOrEqual(base * slack);
        expect(epsilonByRdp([oftener], at) * slack).toBeGreaterThanOrEqual(base);
        expect(epsilonByRdp([longer], at) * slack).toBeGreaterThanOrEqual(base);
        expect(epsilonByRdp([run], at / factor) * slack).toBeGreaterThanOrEqual(base);
      }),
      options,
    );
  });

  it("does not depend on the order or the grouping of what was run", () => {
    fc.assert(
      fc.property(mechanism, mechanism, delta, (first, second, at) => {
        const half = Math.floor(first.steps / 2);
        const parts = [{ ...first, steps: half }, second, { ...first, steps: first.steps - half }];
        const together = epsilonByRdp([first, second], at);
        expect(epsilonByRdp([second, first], at)).toBeCloseTo(together, 9);
        expect(Math.abs(epsilonByRdp(parts, at) - together)).toBeLessThanOrEqual(1e-9 * together);
      }),
      options,
    );
  });

  it("gives back delta at the epsilon found for it", () => {
    fc.assert(
      fc.property(mechanism, delta, (run, at) => {
        const epsilon = epsilonByRdp([run], at);
        fc.pre(epsilon > 0);
        expect(deltaByRdp([run], epsilon)).toBeLessThanOrEqual(at * (1 + 1e-6));
      }),
      options,
    );
  });
});

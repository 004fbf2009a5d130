import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  auditCanaries,
  auditedEpsilon,
  auditPValue,
  guessFromScores,
} from "../../../src/main/privacy/audit.ts";
import { normalTail } from "../../../src/main/privacy/pld/normal.ts";
import { reproducibleRandomStreams } from "../../../src/main/privacy/random.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { golden } from "./golden.ts";

describe("one-run audit", () => {
  for (const row of golden.audit) {
    it(`refutes epsilon below ${row.epsilonLowerBound} with ${row.correct} of ${row.guesses} right at ${row.confidence} (${row.source})`, () => {
      const bound = auditedEpsilon(row, row.delta, row.confidence);
      expect(Math.abs(bound - row.epsilonLowerBound)).toBeLessThan(1e-4);
    });
  }

  it("has the closed form ln(p / (1 - p)), p = 0.05^(1/100), without delta", () => {
    const p = 0.05 ** (1 / 100);
    const bound = auditedEpsilon({ canaries: 500, guesses: 100, correct: 100 }, 0, 0.95);
    expect(bound).toBeCloseTo(Math.log(p / (1 - p)), 7);
  });

  it("says nothing for guesses no better than chance, or none", () => {
    expect(auditedEpsilon({ canaries: 100, guesses: 50, correct: 25 }, 1e-5, 0.95)).toBe(0);
    expect(auditedEpsilon({ canaries: 100, guesses: 0, correct: 0 }, 1e-5, 0.95)).toBe(0);
  });

  it("finds more with more right guesses, less with more confidence or delta", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 0, max: 400 }),
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        (guesses, other, confidence) => {
          const correct = Math.min(other, guesses - 1);
          const outcome = { canaries: 400, guesses, correct };
          const bound = auditedEpsilon(outcome, 1e-6, confidence);
          const better = { ...outcome, correct: correct + 1 };
          expect(auditedEpsilon(better, 1e-6, confidence)).toBeGreaterThanOrEqual(bound - 1e-6);
          expect(auditedEpsilon(outcome, 1e-4, confidence)).toBeLessThanOrEqual(bound + 1e-6);
          expect(auditedEpsilon(outcome, 1e-6, (1 + confidence) / 2)).toBeLessThanOrEqual(
            bound + 1e-6,
          );
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  it("lies below the truth for randomised response in at least 95 of 100 audits", () => {
    // Each canary's coin is reported truthfully with probability e^eps / (1 + e^eps): exactly
    // eps-private, and the hardest case for the bound.
    const { views } = reproducibleRandomStreams("audit");
    const truth = 1;
    let above = 0;
    let sum = 0;
    for (let round = 0; round < 300; round += 1) {
      let correct = 0;
      for (let canary = 0; canary < 1000; canary += 1) {
        if (views.uniform() < 1 / (1 + Math.exp(-truth))) correct += 1;
      }
      const bound = auditedEpsilon({ canaries: 1000, guesses: 1000, correct }, 0, 0.95);
      sum += bound;
      if (bound > truth) above += 1;
    }
    expect(above / 300).toBeLessThan(0.08);
    expect(sum / 300).toBeGreaterThan(0.8);
  });

  it("is a probability that falls as epsilon is taken smaller", () => {
    const outcome = { canaries: 300, guesses: 100, correct: 80 };
    const values = [0, 0.5, 1, 2, 4, 50].map((epsilon) => auditPValue(outcome, epsilon, 1e-5));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it("guesses the highest scores in and the lowest out, and abstains between", () => {
    const scores = [0.9, 0.1, 0.5, 0.8, 0.2, 0.4];
    const included = [true, false, true, false, false, true];
    expect(guessFromScores(scores, included, 4)).toEqual({ canaries: 6, guesses: 4, correct: 3 });
    expect(guessFromScores(scores, included, 0)).toEqual({ canaries: 6, guesses: 0, correct: 0 });
    expect(guessFromScores(scores, included, 6).correct).toBe(4);
  });

  it("passes the truth in at most 5 of 100 audits, the best of several numbers of guesses taken", () => {
    // Each coin is told with Gaussian noise of sigma 1: what an attacker sees of a noised sum, and
    // exactly (epsilon, delta)-private for the epsilon below.
    const { views } = reproducibleRandomStreams("best of four");
    const normal = (): number =>
      Math.sqrt(-2 * Math.log(1 - views.uniform())) * Math.cos(2 * Math.PI * views.uniform());
    const sigma = 1;
    const delta = 1e-5;
    const truth = gaussianEpsilon(sigma, delta);
    let above = 0;
    let sum = 0;
    const rounds = 200;
    for (let round = 0; round < rounds; round += 1) {
      const included = Array.from({ length: 300 }, () => views.uniform() < 0.5);
      const scores = included.map((inside) => (inside ? 1 : 0) + sigma * normal());
      const { best } = auditCanaries(scores, included, delta, 0.95);
      sum += best.epsilon;
      if (best.epsilon > truth) above += 1;
    }
    expect(above / rounds).toBeLessThan(0.05);
    // Powerful as well as valid: about a fifth of what is true, from 300 canaries.
    expect(sum / rounds).toBeGreaterThan(0.5);
  });

  it("finds in canaries told apart without error what their number allows, and no more", () => {
    const included = Array.from({ length: 200 }, (_, canary) => canary % 2 === 0);
    const told = included.map((inside) => (inside ? 1 : 0));
    const { best, attempts, highestPossible } = auditCanaries(told, included, 1e-5, 0.95);
    expect(best).toMatchObject({ guesses: 200, correct: 200, epsilon: highestPossible });
    // (e^eps / (1 + e^eps))^200 = 0.0125, but for delta.
    const p = 0.0125 ** (1 / 200);
    expect(highestPossible).toBeGreaterThan(Math.log(p / (1 - p)) - 0.02);
    expect(highestPossible).toBeLessThanOrEqual(Math.log(p / (1 - p)) + 1e-9);
    expect(attempts.map(({ guesses }) => guesses)).toEqual([200, 150, 100, 50]);
    const blind = auditCanaries(
      included.map((_, i) => Math.sin(i)),
      included,
      1e-5,
      0.95,
    );
    expect(blind.best.epsilon).toBe(0);
  });

  it("refuses counts that cannot be", () => {
    expect(() => auditedEpsilon({ canaries: 5, guesses: 6, correct: 1 }, 0, 0.9)).toThrow(
      UserError,
    );
    expect(() => auditedEpsilon({ canaries: 5, guesses: 4, correct: 5 }, 0, 0.9)).toThrow(
      /5 right/,
    );
    expect(() => auditedEpsilon({ canaries: 5, guesses: 4, correct: 1 }, 0, 1)).toThrow(/1/);
    expect(() => guessFromScores([1, 2], [true], 1)).toThrow(RangeError);
  });
});

/** Epsilon of the Gaussian mechanism of sensitivity 1: Balle and Wang 2018, Theorem 8. */
function gaussianEpsilon(sigma: number, delta: number): number {
  const deltaOf = (epsilon: number): number =>
    normalTail(epsilon * sigma - 1 / (2 * sigma)) -
    Math.exp(epsilon) * normalTail(epsilon * sigma + 1 / (2 * sigma));
  let low = 0;
  let high = 20;
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (deltaOf(middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

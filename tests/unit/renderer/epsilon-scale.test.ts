import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  epsilonAtPosition,
  epsilonRange,
  parseEpsilon,
  positionOfEpsilon,
  sliderPositions,
} from "../../../src/renderer/lib/epsilon-scale.ts";

const positions = fc.integer({ min: 0, max: sliderPositions });

describe("the epsilon slider", () => {
  it("spans its range from end to end", () => {
    expect(epsilonAtPosition(0)).toBe(epsilonRange.low);
    expect(epsilonAtPosition(sliderPositions)).toBe(epsilonRange.high);
  });

  it("never goes down when it moves up", () => {
    fc.assert(
      fc.property(positions, positions, (one, other) => {
        fc.pre(one <= other);
        expect(epsilonAtPosition(one)).toBeLessThanOrEqual(epsilonAtPosition(other));
      }),
    );
  });

  it("stands within a hundredth of the epsilon that it was set to", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 20, noNaN: true }), (epsilon) => {
        const shown = epsilonAtPosition(positionOfEpsilon(epsilon));
        expect(Math.abs(shown - epsilon)).toBeLessThanOrEqual(0.005 + 0.012 * epsilon);
      }),
    );
  });

  it("stays at its ends for what lies outside", () => {
    expect(positionOfEpsilon(0.001)).toBe(0);
    expect(positionOfEpsilon(-1)).toBe(0);
    expect(positionOfEpsilon(100)).toBe(sliderPositions);
  });
});

describe("a typed epsilon", () => {
  it("may have a comma or a point", () => {
    expect(parseEpsilon(" 7,89 ")).toBe(7.89);
    expect(parseEpsilon("0.5")).toBe(0.5);
    expect(parseEpsilon("36")).toBe(36);
  });

  it("is refused where it is no positive number", () => {
    for (const text of ["", "0", "-1", "eight", "Infinity", "1e400"]) {
      expect(parseEpsilon(text), text).toBeNull();
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linear, linearExact, sigmoid, voiLut } from "../../../src/main/dicom/voi.ts";

describe("window functions", () => {
  // PS3.3 C.11.2.1.2.1, the examples of its note 2.
  it("LINEAR: centre 2048, width 4096 maps 0 to black and 4095 to white", () => {
    const shade = linear({ center: 2048, width: 4096 });
    expect([shade(0), shade(4095)]).toEqual([0, 1]);
    expect(shade(2048)).toBeCloseTo(0.5 + 0.5 / 4095, 12);
  });
  it("LINEAR: width 1 is a threshold", () => {
    const shade = linear({ center: 100, width: 1 });
    expect([shade(99), shade(99.5), shade(100)]).toEqual([0, 0, 1]);
  });
  it("LINEAR: centre 0, width 100 is black up to -50 and white from 49 on", () => {
    const shade = linear({ center: 0, width: 100 });
    expect([shade(-50), shade(49)]).toEqual([0, 1]);
    expect(shade(-49)).toBeCloseTo(1 / 99, 12);
    expect(shade(48)).toBeCloseTo(98 / 99, 12);
  });
  // PS3.3 C.11.2.1.3.2.
  it("LINEAR_EXACT: centre 0, width 100 is black at -50, half at 0 and white at 50", () => {
    const shade = linearExact({ center: 0, width: 100 });
    expect([shade(-50), shade(0), shade(50), shade(51)]).toEqual([0, 0.5, 1, 1]);
    expect(shade(25)).toBe(0.75);
  });
  // PS3.3 C.11.2.1.3.1: y = 1 / (1 + exp(-4 (x - c) / w)).
  it("SIGMOID: half at the centre, 1 / (1 + e^-2) half a width above it", () => {
    const shade = sigmoid({ center: 500, width: 200 });
    expect(shade(500)).toBe(0.5);
    expect(shade(600)).toBeCloseTo(0.8807970779778823, 12);
    expect(shade(400)).toBeCloseTo(0.11920292202211755, 12);
  });
  it("VOI LUT: the outermost entries hold beyond the ends", () => {
    const shade = voiLut({
      firstMapped: 10,
      bits: 8,
      entries: Uint16Array.from([0, 51, 255]),
    });
    expect([shade(-100), shade(10), shade(11), shade(12), shade(99)]).toEqual([0, 0, 0.2, 1, 1]);
  });
  it("never leave the display's range, and never fall with the value", () => {
    const value = fc.integer({ min: -40000, max: 70000 });
    fc.assert(
      fc.property(
        value,
        fc.integer({ min: 1, max: 70000 }),
        value,
        value,
        fc.constantFrom(linear, linearExact, sigmoid),
        (center, width, a, b, build) => {
          const shade = build({ center, width });
          const [low, high] = a < b ? [a, b] : [b, a];
          expect(shade(low)).toBeLessThanOrEqual(shade(high));
          expect(shade(low)).toBeGreaterThanOrEqual(0);
          expect(shade(high)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

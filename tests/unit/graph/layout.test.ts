import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  arrange,
  restore,
  sizeInside,
  type ParameterLayout,
} from "../../../src/main/graph/layout.ts";
import type { Parameter } from "../../../src/main/network/index.ts";

function parameterOf(shape: readonly number[], offset: number): Parameter {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { name: "conv.weight", shape, offset, size };
}

const sizes = fc.record({
  outputs: fc.integer({ min: 1, max: 4 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  offset: fc.integer({ min: 0, max: 5 }),
});

describe("parameter layouts", () => {
  it("puts taps before inputs, and back", () => {
    fc.assert(
      fc.property(sizes, ({ outputs, inputs, kernel, offset }) => {
        const taps = kernel * kernel;
        const parameter = parameterOf([outputs, inputs, kernel, kernel], offset);
        const weights = Float32Array.from({ length: offset + parameter.size }, (_, i) => i);
        const layout = { kind: "tapsFirst", inputs, taps } as const;
        const inside = new Float32Array(sizeInside(parameter, layout));
        arrange(weights, parameter, layout, inside);
        for (let o = 0; o < outputs; o += 1)
          for (let i = 0; i < inputs; i += 1)
            for (let t = 0; t < taps; t += 1)
              expect(inside[(o * taps + t) * inputs + i]).toBe(
                weights[offset + (o * inputs + i) * taps + t],
              );
        const back = new Float32Array(weights.length);
        restore(inside, parameter, layout, back);
        expect(back.subarray(offset)).toEqual(weights.subarray(offset));
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("picks taps with outputs before inputs for the way back", () => {
    const parameter = parameterOf([2, 3, 2, 2], 0);
    const weights = Float32Array.from({ length: 24 }, (_, i) => i);
    const layout: ParameterLayout = { kind: "transposed", inputs: 3, taps: 4, chosen: [3, 1] };
    const inside = new Float32Array(sizeInside(parameter, layout));
    arrange(weights, parameter, layout, inside);
    expect([...inside]).toEqual([3, 7, 11, 15, 19, 23, 1, 5, 9, 13, 17, 21]);
  });

  it("lays depthwise weights out by tap, and back", () => {
    const parameter = parameterOf([3, 1, 2, 1], 0);
    const weights = Float32Array.from([0, 1, 10, 11, 20, 21]);
    const inside = new Float32Array(6);
    arrange(weights, parameter, { kind: "depthwise", taps: 2 }, inside);
    expect([...inside]).toEqual([0, 10, 20, 1, 11, 21]);
    const back = new Float32Array(6);
    restore(inside, parameter, { kind: "depthwise", taps: 2 }, back);
    expect(back).toEqual(weights);
  });
});

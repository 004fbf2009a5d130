import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  coverage,
  coveringRows,
  outputSize,
  transposedWindows,
  windowRows,
} from "../../../src/main/graph/windows.ts";

const geometries = fc
  .record({
    images: fc.integer({ min: 1, max: 2 }),
    height: fc.integer({ min: 3, max: 7 }),
    width: fc.integer({ min: 3, max: 7 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  })
  .chain((shape) => {
    const [paddingY, paddingX] = shape.kernel.map((extent) =>
      fc.integer({ min: 0, max: Math.floor(extent / 2) }),
    );
    return fc.tuple(paddingY!, paddingX!).map((padding) => ({ ...shape, padding }));
  });

describe("windows", () => {
  it("a 3x3 window of stride 2 sees the pixels around twice its position", () => {
    const geometry = { images: 1, height: 4, width: 4, kernel: 3, stride: 2, padding: 1 };
    expect(outputSize(geometry)).toEqual({ height: 2, width: 2 });
    expect([...windowRows(geometry).subarray(0, 9)]).toEqual([-1, -1, -1, -1, 0, 1, -1, 4, 5]);
  });

  it("a 1x3 window that strides along rows only sees neighbours of its row", () => {
    const geometry = {
      images: 1,
      height: 2,
      width: 4,
      kernel: [1, 3],
      stride: [1, 2],
      padding: [0, 1],
    } as const;
    expect(outputSize(geometry)).toEqual({ height: 2, width: 2 });
    expect([...windowRows(geometry)]).toEqual([-1, 0, 1, 1, 2, 3, -1, 4, 5, 5, 6, 7]);
  });

  it("the transposed view holds the same pairs of pixel, tap and output", () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const taps = geometry.kernel[0] * geometry.kernel[1];
        const forward = new Set<string>();
        windowRows(geometry).forEach((pixel, pair) => {
          if (pixel >= 0) forward.add(`${pixel}/${pair % taps}/${Math.floor(pair / taps)}`);
        });
        const { classes, order } = transposedWindows(geometry);
        const pixelAt = new Map<number, number>();
        order.forEach((position, pixel) => pixelAt.set(position, pixel));
        const backward = new Set<string>();
        let position = 0;
        for (const { taps: chosen, outputRows } of classes)
          for (let at = 0; at < outputRows.length; at += chosen.length) {
            chosen.forEach((tap, place) => {
              const row = outputRows[at + place]!;
              if (row >= 0) backward.add(`${pixelAt.get(position)}/${tap}/${row}`);
            });
            position += 1;
          }
        expect(backward).toEqual(forward);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("the covering rows of a pixel are the windows that see it", () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const rows = windowRows(geometry);
        const slots = coverage(geometry);
        const covering = coveringRows(geometry);
        const pixels = geometry.images * geometry.height * geometry.width;
        for (let pixel = 0; pixel < pixels; pixel += 1) {
          const found = [...covering.subarray(pixel * slots, (pixel + 1) * slots)];
          const expected = [...rows.keys()].filter((pair) => rows[pair] === pixel);
          expect(found.filter((pair) => pair >= 0)).toEqual(expected);
        }
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});

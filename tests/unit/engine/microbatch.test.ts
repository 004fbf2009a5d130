import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { piecesOf } from "../../../src/main/engine/microbatch.ts";

describe("the pieces of a batch", () => {
  it("hold every unit once, in two or three sizes, and hardly more", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 64 }),
        (units, microbatch) => {
          const pieces = piecesOf(units, microbatch);
          const quarter = Math.ceil(microbatch / 4);
          const half = Math.ceil(microbatch / 2);
          const sizes = microbatch < 16 ? [microbatch, quarter] : [microbatch, half, quarter];
          let next = 0;
          for (const piece of pieces) {
            expect(piece.first).toBe(next);
            expect(piece.units).toBeGreaterThan(0);
            expect(piece.units).toBeLessThanOrEqual(piece.size);
            expect(sizes).toContain(piece.size);
            next += piece.units;
          }
          expect(next).toBe(units);
          const computed = pieces.reduce((sum, { size }) => sum + size, 0);
          expect(computed - units).toBeLessThan(quarter);
          const most = microbatch < 16 ? 3 : 2;
          expect(pieces.length).toBeLessThanOrEqual(Math.floor(units / microbatch) + most);
        },
      ),
    );
  });

  it("leave a half of a micro-batch in one", () => {
    expect(piecesOf(48, 32)).toEqual([
      { first: 0, units: 32, size: 32 },
      { first: 32, units: 16, size: 16 },
    ]);
    expect(piecesOf(16, 32)).toEqual([{ first: 0, units: 16, size: 16 }]);
  });
});

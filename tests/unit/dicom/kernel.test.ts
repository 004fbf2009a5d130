import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resident, residentCopy, PixelKernel } from "../../../src/main/dicom/kernel/kernel.ts";
import { kernelModule } from "../../../src/main/dicom/kernel/kernel.wasm.ts";
import { assembleKernel } from "../../../scripts/kernel.mjs";

/** Pixels of either sign, with a count that leaves a rest behind the vectors of eight. */
const pixels = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 70 }),
  )
  .map(([signed, bits]) => (signed ? Int16Array.from(bits) : Uint16Array.from(bits)));

const padding = fc.option(
  fc
    .tuple(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 9000 }))
    .map(([low, span]) => ({ low, high: Math.min(65535, low + span) })),
);

/** Values in unsigned order, as the kernel's bounds are. */
function ordered(values: Uint16Array | Int16Array): number[] {
  return Array.from(values, (value) => (values instanceof Int16Array ? value + 32768 : value));
}

describe("the pixel kernel", () => {
  it("is what its text assembles to", async () => {
    expect(readFileSync("src/main/dicom/kernel/kernel.wat", "utf8")).not.toBe("");
    expect(kernelModule).toBe(await assembleKernel());
  });

  it("finds in one pass foreign bits, range and digest", () => {
    fc.assert(
      fc.property(pixels, fc.integer({ min: 1, max: 15 }), (values, bitsStored) => {
        const copy = residentCopy(values);
        const signed = values instanceof Int16Array;
        const unused = 16 - bitsStored;
        const { foreignBits: found, range, digest } = copy.kernel.survey(copy, unused);
        const all = ordered(values);
        expect(range).toEqual({ low: Math.min(...all), high: Math.max(...all) });
        expect(digest).toEqual(
          copy.kernel.digest({ at: copy.at, bytes: values.length * 2 }).slice(),
        );
        if (signed) {
          const clean = values.every(
            (value) => (value << (32 - bitsStored)) >> (32 - bitsStored) === value,
          );
          expect(found === 0).toBe(clean);
        } else {
          expect(found).toBe(values.reduce((seen, value) => seen | value, 0));
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("finds the range outside the padding", () => {
    fc.assert(
      fc.property(pixels, padding, (values, pad) => {
        const copy = residentCopy(values);
        const kept = ordered(values).filter(
          (value) => pad === null || value < pad.low || value > pad.high,
        );
        expect(copy.kernel.range(copy, pad)).toEqual(
          kept.length === 0 ? null : { low: Math.min(...kept), high: Math.max(...kept) },
        );
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it("adds clamped rows by weight", () => {
    const bound = fc.integer({ min: 0, max: 65535 });
    const shape = fc.record({
      columns: fc.integer({ min: 1, max: 37 }),
      rows: fc.integer({ min: 1, max: 5 }),
      first: fc.integer({ min: 0, max: 2 }),
      weight: fc.integer({ min: 1, max: 2000 }),
      signed: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, bound, bound, padding, bound, fc.nat(), (form, a, b, pad, black, seed) => {
        const { columns, rows, first, weight, signed } = form;
        const count = columns * (first + rows);
        const bits = Array.from({ length: count }, (_, i) => (i * 2654435761 + seed) >>> 16);
        const values = signed ? Int16Array.from(bits) : Uint16Array.from(bits);
        const copy = residentCopy(values);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const sums = copy.kernel.sums(columns).fill(0);
        const clamp = { low, high, padding: pad, black };
        copy.kernel.addRows(copy, { first, count: rows, columns }, weight, clamp);
        const all = ordered(values);
        const expected = Array.from({ length: columns }, (_, column) => {
          let sum = 0;
          for (let row = first; row < first + rows; row++) {
            const value = all[row * columns + column] ?? 0;
            const padded = pad !== null && value >= pad.low && value <= pad.high;
            sum += padded ? black : Math.min(high, Math.max(low, value));
          }
          return sum * weight;
        });
        expect([...sums]).toEqual(expected);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("finds the range of every second value of a row", () => {
    fc.assert(
      fc.property(pixels, (values) => {
        const copy = residentCopy(values);
        const even = ordered(values).filter((_, column) => column % 2 === 0);
        expect(copy.kernel.evenRange(copy, 0, values.length)).toEqual({
          low: Math.min(...even),
          high: Math.max(...even),
        });
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it("finds the columns that rise or fall within two", () => {
    fc.assert(
      fc.property(pixels, fc.integer({ min: 1, max: 65535 }), (values, rise) => {
        const copy = residentCopy(values);
        const all = ordered(values);
        const steep = all.flatMap((value, column) => {
          const apart = [1, 2].map((back) => Math.abs(value - (all[column - back] ?? 0)));
          return column >= 2 && Math.max(...apart) >= rise ? [column] : [];
        });
        expect([...copy.kernel.steepColumns(copy, 0, values.length, rise)]).toEqual(steep);
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it("stretches averages over 8 bits", () => {
    const shade = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 900, max: 950 }));
    fc.assert(
      fc.property(fc.array(shade, { minLength: 1, maxLength: 90 }), fc.nat(), (shades, share) => {
        const copy = residentCopy(Uint16Array.from(shades));
        const one = { cells: Int32Array.of(0, 0, 1, 0), fullWeight: 1, total: 1 };
        const each = {
          cells: Int32Array.from(shades.flatMap((_, i) => [i, i, 1, 0])),
          fullWeight: 1,
          total: 1,
        };
        const averages = copy.kernel.averageArea(
          copy,
          shades.length,
          { low: 0, high: 65535, padding: null, black: 0 },
          { down: one, across: each },
          { start: 0, scale: 1 },
        );
        expect([...averages]).toEqual(shades);
        const skip = share % Math.ceil(shades.length / 2);
        const inOrder = shades.toSorted((a, b) => a - b);
        const low = inOrder[skip] ?? 0;
        const high = inOrder[shades.length - 1 - skip] ?? 0;
        const range = high - low;
        const level = (value: number): number => {
          if (range === 0) return low >>> 8;
          const between = Math.min(high, Math.max(low, value)) - low;
          return Math.floor((between * 510 + range) / (2 * range));
        };
        expect([...copy.kernel.eightBits(averages, skip)]).toEqual(shades.map(level));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("looks values up in place", () => {
    const table = Uint16Array.from({ length: 65536 }, (_, value) => (value * 7 + 3) & 0xffff);
    fc.assert(
      fc.property(pixels, (values) => {
        const copy = residentCopy(values);
        copy.kernel.lookUp(copy, table);
        const all = { low: 0, high: 65535, padding: null, black: 0 };
        const sums = copy.kernel.sums(values.length).fill(0);
        const shown = { ...copy, flip: 0 };
        copy.kernel.addRows(shown, { first: 0, count: 1, columns: values.length }, 1, all);
        expect([...sums]).toEqual(ordered(values).map((value) => table[value]));
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it("works on values where they lie in its memory, and copies others", () => {
    const kernel = new PixelKernel();
    const memory = kernel.pixelBytes(64);
    const inside = new Uint16Array(memory.buffer, memory.byteOffset + 2, 8);
    inside.set([5, 4, 3, 2, 9, 7, 8, 6]);
    expect(resident(inside)).toMatchObject({ kernel, at: inside.byteOffset });
    expect(kernel.range(resident(inside), null)).toEqual({ low: 2, high: 9 });
    expect(resident(new Uint16Array(8)).kernel).not.toBe(kernel);
  });

  it("widens 8-bit values with their sign", () => {
    const copy = residentCopy(Int8Array.from([-128, 0, 127]));
    expect(copy.kernel.range(copy, null)).toEqual({ low: 32768 - 128, high: 32768 + 127 });
  });
});

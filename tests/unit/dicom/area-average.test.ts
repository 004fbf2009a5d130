import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areaAverage, type Ramp } from "../../../src/main/dicom/area-average.ts";
import { residentCopy, type Clamp } from "../../../src/main/dicom/kernel/kernel.ts";
import { storedValues, type PixelForm } from "../../support/films.ts";

describe("averaging by area", () => {
  const all: Clamp = { low: 0, high: 65535, padding: null, black: 0 };
  const identity: Ramp = { black: 0, white: 65535 };

  /** The same from the definition, in rational arithmetic over big integers. */
  function byDefinition(
    values: Uint16Array,
    columns: number,
    rows: number,
    width: number,
    height: number,
  ): number[] {
    const overlap = (sample: number, cell: number, samples: number, cells: number) =>
      Math.max(
        0,
        Math.min((sample + 1) * cells, (cell + 1) * samples) -
          Math.max(sample * cells, cell * samples),
      );
    const result: number[] = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0n;
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const weight = overlap(row, y, rows, height) * overlap(column, x, columns, width);
            sum += BigInt(weight) * BigInt(values[row * columns + column] ?? 0);
          }
        }
        const total = BigInt(rows * columns);
        result.push(Number((2n * sum + total) / (2n * total)));
      }
    }
    return result;
  }

  it("equals the definition for any sizes, smaller and larger", () => {
    const side = fc.integer({ min: 1, max: 14 });
    fc.assert(
      fc.property(side, side, side, side, fc.nat(), (columns, rows, width, height, seed) => {
        const form: PixelForm = { rows, columns, bitsAllocated: 16, bitsStored: 16, signed: false };
        const values = Uint16Array.from(storedValues(form, seed));
        const averages = areaAverage(residentCopy(values), { columns, rows }, all, identity, {
          width,
          height,
        });
        expect([...averages]).toEqual(byDefinition(values, columns, rows, width, height));
      }),
      { seed: 20260101, numRuns: 300 },
    );
  });

  it("equals the definition where whole cells of four columns lie side by side", () => {
    const shape = fc.record({
      blocks: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 3 }),
      each: fc.integer({ min: 1, max: 6 }),
      bitsStored: fc.integer({ min: 8, max: 16 }),
      signed: fc.boolean(),
      seed: fc.nat(),
    });
    const end = fc.integer({ min: 0, max: 65535 });
    fc.assert(
      fc.property(shape, end, end, (form, a, b) => {
        const { blocks, height, each, bitsStored, signed, seed } = form;
        const [columns, rows] = [32 * blocks, height * each];
        const stored = storedValues({ rows, columns, bitsAllocated: 16, bitsStored, signed }, seed);
        const values = signed ? Int16Array.from(stored) : Uint16Array.from(stored);
        const flip = signed ? 32768 : 0;
        const [low, high] = [
          Math.min(a, b) >> (16 - bitsStored),
          Math.max(a, b) >> (16 - bitsStored),
        ];
        const clamped = Uint16Array.from(values, (value) =>
          Math.min(high, Math.max(low, value + flip)),
        );
        const width = columns / 4;
        const averages = areaAverage(
          residentCopy(values),
          { columns, rows },
          { low, high, padding: null, black: 0 },
          identity,
          { width, height },
        );
        expect([...averages]).toEqual(byDefinition(clamped, columns, rows, width, height));
      }),
      { seed: 20260102, numRuns: 60 },
    );
  });

  it("keeps a constant image constant", () => {
    const values = new Uint16Array(1000 * 700).fill(54321);
    const averages = areaAverage(
      residentCopy(values),
      { columns: 1000, rows: 700 },
      all,
      identity,
      {
        width: 96,
        height: 67,
      },
    );
    expect(new Set(averages)).toEqual(new Set([54321]));
  });
});

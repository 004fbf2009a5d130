import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredFrame } from "../../../src/main/dicom/decode.ts";
import type { PixelHeader } from "../../../src/main/dicom/header.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import {
  defaultPreparation,
  pixelPipelineOf,
  preparationOf,
} from "../../../src/main/dicom/pipeline.ts";
import { displayImage } from "../../../src/main/dicom/pixels.ts";
import { trainingFrame } from "../../../src/main/dicom/training-frame.ts";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { writeDicom, type Elements } from "../../support/dicom-writer.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  type PixelForm,
} from "../../support/films.ts";

interface Film {
  readonly frame: StoredFrame;
  readonly header: PixelHeader;
}

async function film(form: PixelForm, values: readonly number[], changes: Elements = {}) {
  const file = parseFile(
    writeDicom(
      { ...filmElements(1, 1), ...pixelElements(form), ...changes },
      { pixels: littleEndianBytes(values, form) },
    ),
  );
  return { frame: await decodeFrame(file), header: file.header.pixels };
}

const sixteenBits = { bitsAllocated: 16, bitsStored: 16, signed: false } as const;

function ramp(columns: number, rows: number): Promise<Film> {
  const form: PixelForm = { rows, columns, ...sixteenBits };
  return film(form, storedValues(form, 5));
}

function framed({ frame, header }: Film, sizePixels: number, changes = {}): Uint8Array {
  return trainingFrame(frame, header, sizePixels, { ...defaultPreparation, ...changes }).pixels;
}

describe("the training frame", () => {
  it("fits a portrait film with black bars at both sides, and uses the whole 8 bits", async () => {
    const pixels = framed(await ramp(30, 60), 16);
    for (let y = 0; y < 16; y++) {
      const row = [...pixels.subarray(y * 16, (y + 1) * 16)];
      expect([...row.slice(0, 4), ...row.slice(12)]).toEqual(Array(8).fill(0));
    }
    expect(Math.max(...pixels)).toBe(255);
  });

  it("fits a landscape film with bars above and below", async () => {
    const pixels = framed(await ramp(60, 30), 16);
    expect([...pixels.subarray(0, 64), ...pixels.subarray(192)]).toEqual(Array(128).fill(0));
    expect(pixels.subarray(64, 192).some((value) => value > 0)).toBe(true);
  });

  it("fills the square where it is asked to stretch", async () => {
    const pixels = framed(await ramp(30, 60), 16, { fit: "stretch" });
    // The ramp runs from top to bottom: only its first rows are black.
    expect([...pixels.subarray(128)].every((value) => value > 0)).toBe(true);
  });

  it("gives the same bytes everywhere", async () => {
    // A change of this number is a change of the pipeline: raise its generation.
    let hash = 0;
    for (const value of framed(await ramp(123, 77), 32)) hash = (Math.imul(hash, 31) + value) >>> 0;
    expect(hash).toMatchInlineSnapshot(`1571058334`);
  });

  it("shows a film of one value as the middle grey", async () => {
    const form: PixelForm = { rows: 8, columns: 8, ...sixteenBits };
    expect(new Set(framed(await film(form, Array(64).fill(700)), 4))).toEqual(new Set([128]));
  });

  it("equalises as OpenCV does", async () => {
    // Four levels with 8, 4, 3 and 1 of 16 pixels; equalizeHist gives 0 to the lowest, then
    // round(255 x rank / (16 - 8)) for ranks 4, 7 and 8.
    const form: PixelForm = { rows: 4, columns: 4, ...sixteenBits };
    const values = [0, 20000, 40000, 65535].flatMap((value, i) =>
      Array<number>([8, 4, 3, 1][i] ?? 0).fill(value),
    );
    const pixels = framed(await film(form, values), 4, { equalise: true });
    expect([...new Set(pixels)]).toEqual([0, 128, 223, 255]);
  });

  it("is the display averaged by area, whether by the straight way or by the table", async () => {
    const stated = fc.record({
      signed: fc.boolean(),
      bitsStored: fc.integer({ min: 10, max: 16 }),
      eightBits: fc.boolean(),
      centerShare: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
      widthShare: fc.double({ min: 0.2, max: 1.4, noNaN: true }),
      exact: fc.boolean(),
      window: fc.boolean(),
      slope: fc.constantFrom(1, 2, 0.5, -1),
      intercept: fc.constantFrom(0, -1024, 100),
      inverted: fc.boolean(),
      padding: fc.boolean(),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(stated, async (choice) => {
        const { signed, slope, intercept, seed } = choice;
        const bitsAllocated = choice.eightBits ? 8 : 16;
        const bitsStored = choice.eightBits ? 8 : choice.bitsStored;
        const form: PixelForm = { rows: 24, columns: 24, bitsAllocated, bitsStored, signed };
        const values = storedValues(form, seed);
        const span = 2 ** bitsStored;
        const lowest = signed ? -span / 2 : 0;
        const center = (lowest + span * choice.centerShare) * slope + intercept;
        const subject = await film(form, values, {
          "00280004": choice.inverted ? "MONOCHROME1" : "MONOCHROME2",
          "00281053": String(slope),
          "00281052": String(intercept),
          ...(choice.padding ? { "00280120": values[5] ?? 0 } : {}),
          ...(choice.window
            ? {
                "00281050": String(Math.round(center)),
                "00281051": String(Math.round(span * Math.abs(slope) * choice.widthShare) + 2),
                "00281056": choice.exact ? "LINEAR_EXACT" : "LINEAR",
              }
            : {}),
        });
        const { indices, table } = displayImage(subject.frame, subject.header);
        const shades = Array.from(indices, (index) => table[index] ?? 0);
        // The same square of three by three pixels by plain sums.
        const means = Array.from({ length: 64 }, (_, cell) => {
          let sum = 0;
          for (let y = 0; y < 3; y++) {
            for (let x = 0; x < 3; x++) {
              const row = Math.floor(cell / 8) * 3 + y;
              sum += shades[row * 24 + (cell % 8) * 3 + x] ?? 0;
            }
          }
          return sum / 9;
        });
        const low = Math.min(...means);
        const range = Math.max(...means) - low;
        const pixels = framed(subject, 8);
        if (range < 2000) return;
        // Window ends are rounded to whole stored values: half a value at each end, and rounding.
        const tolerance = 1 + (255 * 65535 * 1.5) / (range * span * Math.min(1, choice.widthShare));
        means.forEach((mean, cell) => {
          const expected = ((mean - low) / range) * 255;
          expect(Math.abs((pixels[cell] ?? 0) - expected)).toBeLessThanOrEqual(tolerance);
        });
      }),
      { seed: 20260102, numRuns: 300 },
    );
  });
});

describe("the name of a pixel pipeline", () => {
  it("says how frames were made, and is refused where this version does not make such", () => {
    for (const fit of ["letterbox", "stretch"] as const) {
      for (const equalise of [false, true]) {
        expect(preparationOf(pixelPipelineOf({ fit, equalise }))).toEqual({ fit, equalise });
      }
    }
    expect(() => preparationOf("1")).toThrow(/pixel pipeline 1.*Make a new cohort/s);
  });
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { writeDicom } from "../../support/dicom-writer.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  type PixelForm,
} from "../../support/films.ts";

/** A film whose header is longer by two bytes at will, so that its pixels stand off a whole word. */
async function decode(raw: readonly number[], form: PixelForm, shifted: boolean, highBit: number) {
  const film = writeDicom(
    {
      ...filmElements(1, 1),
      ...pixelElements(form),
      "00080070": shifted ? "Synth" : "Synthetic",
      "00080060": shifted ? "DX" : "CR",
      "00280102": highBit,
    },
    { pixels: littleEndianBytes(raw, { ...form, signed: false }) },
  );
  // An odd number of words in front, whatever the header's length.
  const padded = Buffer.concat([Buffer.alloc(shifted ? 2 : 0), film]).subarray(shifted ? 2 : 0);
  return [...(await decodeFrame(parseFile(padded))).values];
}

it("bits outside the stored ones never reach a value, wherever they are set", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      fc.nat(),
      async (signed, shifted, columns, shift, seed, dirt) => {
        const form: PixelForm = { rows: 1, columns, bitsAllocated: 16, bitsStored: 12, signed };
        const values = storedValues(form, seed);
        const position = dirt % columns;
        const raw = values.map((value, index) => {
          const bits = (value & 0xfff) << shift;
          return index === position ? bits | (0xf000 << shift) | ((1 << shift) - 1) : bits;
        });
        const masked = raw.map((value) => value & 0xffff);
        expect(await decode(masked, form, shifted, 11 + shift)).toEqual(values);
      },
    ),
    { seed: 20260104, numRuns: 400 },
  );
});

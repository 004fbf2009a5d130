import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areaAverage } from "../../../src/main/dicom/area-average.ts";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { displayImage, trainingFrame } from "../../../src/main/dicom/pixels.ts";
import { writeDicom, type Elements } from "../../support/dicom-writer.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  type PixelForm,
} from "../../support/films.ts";

/** Display values, 0 to 65535, of a film with the given stored values. */
async function display(
  values: readonly number[],
  changes: Elements = {},
  form: Partial<PixelForm> = {},
): Promise<number[]> {
  const full: PixelForm = {
    rows: 1,
    columns: values.length,
    bitsAllocated: 16,
    bitsStored: 12,
    signed: false,
    ...form,
  };
  const file = parseFile(
    writeDicom(
      { ...filmElements(1, 1), ...pixelElements(full), ...changes },
      { pixels: littleEndianBytes(values, full) },
    ),
  );
  const { indices, table } = displayImage(await decodeFrame(file), file.header.pixels);
  return Array.from(indices, (index) => table[index] ?? -1);
}

const window = { "00281050": "500.5", "00281051": "1001" };

describe("the display chain", () => {
  it("applies the window that the file states", async () => {
    // LINEAR: black up to 0, white above 1000.
    expect(await display([0, 250, 500, 1000, 4095], window)).toEqual([
      0, 16384, 32768, 65535, 65535,
    ]);
  });

  it("turns MONOCHROME1 over exactly once", async () => {
    const straight = await display([0, 250, 1000], window);
    const negative = { "00280004": "MONOCHROME1", ...window };
    const turned = straight.map((value) => 65535 - value);
    expect(await display([0, 250, 1000], negative)).toEqual(turned);
    // DX says it a second time with the presentation LUT shape; it is still one inversion.
    expect(await display([0, 250, 1000], { ...negative, "20500020": "INVERSE" })).toEqual(turned);
    expect(await display([0, 250, 1000], { ...window, "20500020": "IDENTITY" })).toEqual(straight);
  });

  it("applies slope and intercept before the window", async () => {
    const rescaled = { ...window, "00281053": "2", "00281052": "-1000" };
    expect(await display([500, 625, 750, 1000], rescaled)).toEqual([0, 16384, 32768, 65535]);
  });

  it("applies a modality LUT before the window", async () => {
    const table = [{ "00283002": [3, 100, 16], "00283004": "OD", "00283006": [0, 500, 1000] }];
    expect(await display([0, 100, 101, 102, 999], { ...window, "00283000": table })).toEqual([
      0, 0, 32768, 65535, 65535,
    ]);
  });

  it("applies a VOI LUT of 8 and of more bits", async () => {
    for (const [bits, highest] of [
      [8, 255],
      [12, 4095],
      [16, 65535],
    ] as const) {
      const half = Math.round(highest * 0.2);
      const table = [{ "00283002": [3, 10, bits], "00283006": [0, half, highest] }];
      const [low, middle, high] = await display([10, 11, 12], { "00283010": table });
      expect([low, high]).toEqual([0, 65535]);
      expect(middle).toBe(Math.round((half / highest) * 65535));
    }
  });

  it("reads signed values", async () => {
    const signedWindow = { "00281050": "0.5", "00281051": "1001" };
    expect(await display([-500, 0, 500], signedWindow, { signed: true })).toEqual([
      0, 32768, 65535,
    ]);
  });

  it("makes padding black, whatever the inversion, and leaves it out of the film's range", async () => {
    const padded = { "00280120": 4095, "00280004": "MONOCHROME1", ...window };
    expect((await display([0, 4095, 1000], padded))[1]).toBe(0);
    const plain = await display([100, 200, 300, 4095], { "00280120": 4095 });
    expect(plain).toEqual([0, 32768, 65535, 0]);
    const range = { "00280120": 4000, "00280121": 4095 };
    expect(await display([100, 300, 4001, 4095], range)).toEqual([0, 65535, 0, 0]);
  });

  it("takes the film's range without its outermost half per cent where no window is stated", async () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1000 + index);
    values[0] = 0;
    values[999] = 4095;
    const shown = await display(values);
    // Five of a thousand fall outside at each end: black at rank 5, white at rank 994.
    expect(shown.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(shown[6]).toBeGreaterThan(0);
    expect(shown[993]).toBeLessThan(65535);
    expect(shown.slice(994)).toEqual([65535, 65535, 65535, 65535, 65535, 65535]);
  });

  it("ignores a window of no width", async () => {
    expect(await display([100, 200, 300], { "00281050": "9", "00281051": "0" })).toEqual([
      0, 32768, 65535,
    ]);
  });

  it("refuses palettes", async () => {
    await expect(display([1, 2], { "00280004": "PALETTE COLOR" })).rejects.toMatchObject({
      code: "unsupported-pixels",
    });
  });
});

describe("averaging by area", () => {
  const identity = Uint16Array.from({ length: 65536 }, (_, index) => index);

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
        expect([...areaAverage(values, columns, rows, identity, width, height)]).toEqual(
          byDefinition(values, columns, rows, width, height),
        );
      }),
      { seed: 20260101, numRuns: 300 },
    );
  });

  it("keeps a constant image constant", () => {
    const values = new Uint16Array(1000 * 700).fill(54321);
    expect(new Set(areaAverage(values, 1000, 700, identity, 96, 67))).toEqual(new Set([54321]));
  });
});

describe("the training frame", () => {
  function frameOf(columns: number, rows: number, sizePixels: number) {
    const form: PixelForm = { rows, columns, bitsAllocated: 16, bitsStored: 16, signed: false };
    const indices = Uint16Array.from(storedValues(form, 5));
    const table = Uint16Array.from({ length: 65536 }, (_, index) => index);
    return trainingFrame({ rows, columns, indices, table }, sizePixels).pixels;
  }

  it("fits a portrait film with black bars at both sides, and uses the whole 8 bits", () => {
    const pixels = frameOf(30, 60, 16);
    for (let y = 0; y < 16; y++) {
      const row = [...pixels.subarray(y * 16, (y + 1) * 16)];
      expect([...row.slice(0, 4), ...row.slice(12)]).toEqual(Array(8).fill(0));
    }
    expect(Math.max(...pixels)).toBe(255);
  });

  it("fits a landscape film with bars above and below", () => {
    const pixels = frameOf(60, 30, 16);
    expect([...pixels.subarray(0, 64), ...pixels.subarray(192)]).toEqual(Array(128).fill(0));
    expect(pixels.subarray(64, 192).some((value) => value > 0)).toBe(true);
  });

  it("gives the same bytes everywhere", () => {
    // A change of this number is a change of the pipeline: raise its version.
    let hash = 0;
    for (const value of frameOf(123, 77, 32)) hash = (Math.imul(hash, 31) + value) >>> 0;
    expect(hash).toMatchInlineSnapshot(`1571058334`);
  });

  it("shows a film of one value as that value", () => {
    const indices = new Uint16Array(64);
    const table = Uint16Array.from([32768]);
    const { pixels } = trainingFrame({ rows: 8, columns: 8, indices, table }, 4);
    expect(new Set(pixels)).toEqual(new Set([128]));
  });
});

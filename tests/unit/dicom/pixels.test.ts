import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { displayImage } from "../../../src/main/dicom/pixels.ts";
import { writeDicom, type Elements } from "../../support/dicom-writer.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
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

  it("takes the film's whole range where no window is stated", async () => {
    expect(await display([1000, 0, 4095, 2048])).toEqual([16004, 0, 65535, 32776]);
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

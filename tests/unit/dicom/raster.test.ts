import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { DicomError } from "../../../src/main/dicom/errors.ts";
import { openFilm } from "../../../src/main/dicom/open-film.ts";
import { displayImage } from "../../../src/main/dicom/pixels.ts";
import { rasterKind } from "../../../src/main/dicom/raster.ts";
import { encodeExtendedJpeg } from "../../support/encoders.ts";
import { seeded } from "../../support/films.ts";
import { greyPngOf, writePng } from "../../support/png.ts";

const width = 13;
const height = 7;

function noise(count: number, below: number): number[] {
  const random = seeded(5);
  return Array.from({ length: count }, () => Math.floor(random() * below));
}

describe("a PNG as a film", () => {
  it.each([1, 2, 4, 8, 16] as const)("gives values of %i bits exactly", async (depth) => {
    const values = noise(width * height, 2 ** depth);
    const { frame } = await openFilm(greyPngOf(values, width, height, depth));
    expect([...frame.values]).toEqual(values);
    expect(frame).toMatchObject({
      rows: height,
      columns: width,
      bitsStored: depth,
      samplesPerPixel: 1,
      photometricInterpretation: "MONOCHROME2",
      transferSyntax: "image/png",
    });
  });

  it("gives 16-bit values exactly where another project has filtered and written it", async () => {
    const data = Uint16Array.from(noise(width * height, 65536));
    const { frame } = await openFilm(encode({ width, height, data, depth: 16, channels: 1 }));
    expect([...frame.values]).toEqual([...data]);
  });

  it("becomes grey where its colours are equal everywhere, with or without opacity", async () => {
    const grey = noise(width * height, 256);
    const rgb = Uint8Array.from(grey.flatMap((value) => [value, value, value]));
    const rgba = Uint8Array.from(grey.flatMap((value) => [value, value, value, 255]));
    for (const [data, channels] of [
      [rgb, 3],
      [rgba, 4],
    ] as const) {
      const { frame } = await openFilm(encode({ width, height, data, depth: 8, channels }));
      expect(frame.samplesPerPixel).toBe(1);
      expect([...frame.values]).toEqual(grey);
    }
  });

  it("keeps its colours where they differ, and shows their luminance", async () => {
    const data = new Uint8Array(3 * width * height);
    for (let i = 0; i < data.length; i += 3) data[i + 1] = 255;
    const { frame, header } = await openFilm(
      encode({ width, height, data, depth: 8, channels: 3 }),
    );
    expect(frame.samplesPerPixel).toBe(3);
    const { indices, table } = displayImage(frame, header.pixels);
    // ITU-R BT.601: green counts for 0.587.
    expect(table[indices[0] ?? 0]).toBe(Math.round(0.587 * 65535));
  });

  const plain = { width, height, depth: 8, colourType: 0 } as const;
  const whole = greyPngOf(noise(width * height, 256), width, height, 8);
  const flipped = Buffer.from(whole);
  flipped[60] = (flipped[60] ?? 0) ^ 1;
  it.each([
    [
      "a picture that inflates beyond its size",
      writePng({ ...plain, raw: new Uint8Array(1e7) }),
      "decoder-failed",
    ],
    ["too few rows", writePng({ ...plain, raw: new Uint8Array(14) }), "implausible-header"],
    [
      "a picture that is transparent in places",
      encode({ width: 1, height: 1, data: new Uint8Array(4), depth: 8, channels: 4 }),
      "unsupported-pixels",
    ],
    [
      "a palette",
      writePng({ ...plain, colourType: 3, raw: new Uint8Array(14 * height) }),
      "unsupported-pixels",
    ],
    ["a picture cut off", whole.subarray(0, whole.length - 20), "truncated"],
    ["a flipped bit", flipped, "decoder-failed"],
    [
      "a claim of four billion pixels",
      writePng({ ...plain, width: 65536, height: 65536, raw: new Uint8Array(9) }),
      "too-large",
    ],
  ])("refuses %s", async (_, bytes, code) => {
    await expect(openFilm(bytes)).rejects.toSatisfy(
      (thrown) => thrown instanceof DicomError && thrown.code === code,
    );
  });
});

describe("a JPEG as a film", () => {
  it("of 12 bits is decoded at its depth, exactly", async () => {
    const blocks = noise(6 * 8, 4096);
    const { frame } = await openFilm(encodeExtendedJpeg(blocks, 8, 6));
    expect(frame).toMatchObject({ bitsStored: 12, bitsAllocated: 16, samplesPerPixel: 1 });
    expect(frame.transferSyntax).toBe("image/jpeg");
    blocks.forEach((value, index) => {
      const at = Math.floor(index / 6) * 8 * frame.columns + (index % 6) * 8;
      expect(frame.values[at]).toBe(value);
    });
  });

  it("is recognised by its first bytes, whatever its name", () => {
    expect(rasterKind(encodeExtendedJpeg(noise(48, 4096), 8, 6))).toBe("jpeg");
    expect(rasterKind(new Uint8Array(132))).toBeNull();
  });

  it("is refused where it is cut off", async () => {
    const whole = encodeExtendedJpeg(noise(48, 4096), 8, 6);
    await expect(openFilm(whole.subarray(0, whole.length - 10))).rejects.toThrow(/ends early/);
  });
});

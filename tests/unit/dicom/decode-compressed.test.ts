import { beforeAll, describe, expect, it } from "vitest";
import { decodeFrame } from "../../../src/main/dicom/decode.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { writeDicom } from "../../support/dicom-writer.ts";
import { encodeExtendedJpeg, encodeRle, encodings, loadEncoders } from "../../support/encoders.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  type PixelForm,
} from "../../support/films.ts";

beforeAll(loadEncoders);

const shape = { rows: 37, columns: 29 };
const forms: readonly PixelForm[] = [
  { ...shape, bitsAllocated: 8, bitsStored: 8, signed: false },
  { ...shape, bitsAllocated: 16, bitsStored: 10, signed: false },
  { ...shape, bitsAllocated: 16, bitsStored: 12, signed: false },
  { ...shape, bitsAllocated: 16, bitsStored: 16, signed: false },
  { ...shape, bitsAllocated: 16, bitsStored: 12, signed: true },
  { ...shape, bitsAllocated: 16, bitsStored: 16, signed: true },
];

function nameOf({ bitsStored, bitsAllocated, signed }: PixelForm): string {
  return `${bitsStored} of ${bitsAllocated} bits, ${signed ? "signed" : "unsigned"}`;
}

function film(form: PixelForm, transferSyntax: string, frames: readonly Uint8Array[][]) {
  return writeDicom(
    { ...filmElements(1, 1), ...pixelElements(form), "00280008": String(frames.length) },
    { transferSyntax, frames, offsetTable: frames.length > 1 },
  );
}

function halves(bytes: Uint8Array): Uint8Array[] {
  const middle = (bytes.length >> 2) << 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

describe("compressed stored values", () => {
  for (const encoding of encodings) {
    const fitting = forms.filter(
      ({ bitsStored, signed }) =>
        bitsStored >= encoding.bits[0] &&
        bitsStored <= encoding.bits[1] &&
        (encoding.lossless || !signed),
    );
    it.each(fitting.map((form) => [nameOf(form), form] as const))(
      `${encoding.title}: ${encoding.lossless ? "exact" : "close"} in %s, whole and in fragments`,
      async (_, form) => {
        const values = storedValues(form, 3);
        const encoded = encoding.encode(littleEndianBytes(values, form), form);
        for (const fragments of [[encoded], halves(encoded)]) {
          const file = film(form, encoding.transferSyntax, [fragments]);
          const frame = await decodeFrame(parseFile(file));
          expect(frame.values).toHaveLength(values.length);
          const worst = Math.max(
            ...values.map((value, index) => Math.abs(value - (frame.values[index] ?? 0))),
          );
          expect(worst).toBeLessThanOrEqual(encoding.lossless ? 0 : 2 ** form.bitsStored / 10);
        }
      },
    );
  }

  it.each(forms.map((form) => [nameOf(form), form] as const))(
    "RLE: exact in %s",
    async (_, form) => {
      const values = storedValues(form, 4);
      values.fill(values[5] ?? 0, 300, 700);
      const encoded = encodeRle(littleEndianBytes(values, form), 1, form.bitsAllocated / 8);
      const frame = await decodeFrame(parseFile(film(form, "1.2.840.10008.1.2.5", [[encoded]])));
      expect([...frame.values]).toEqual(values);
    },
  );

  it.each([
    { title: "12 bits", bitsStored: 12, signed: false },
    { title: "12 bits of which 10 are stored", bitsStored: 10, signed: false },
    // A coder that knows no sign carries the stored bits alone.
    { title: "12 bits with a sign", bitsStored: 12, signed: true },
  ])("JPEG extended: exact in $title where a block has one value", async (changes) => {
    const form: PixelForm = { rows: 64, columns: 48, bitsAllocated: 16, ...changes };
    const blocks = storedValues({ ...form, rows: 8, columns: 6 }, 10);
    const coded = blocks.map((value) => value & (2 ** form.bitsStored - 1));
    const encoded = encodeExtendedJpeg(coded, 8, 6);
    const frame = await decodeFrame(parseFile(film(form, "1.2.840.10008.1.2.4.51", [[encoded]])));
    const expected = Array.from({ length: 64 * 48 }, (_, index) => {
      const row = Math.floor(index / 48);
      return blocks[Math.floor(row / 8) * 6 + Math.floor((index % 48) / 8)];
    });
    expect([...frame.values]).toEqual(expected);
  });

  it("JPEG extended: 8 bits are what baseline makes of the same scan", async () => {
    const form: PixelForm = { ...shape, bitsAllocated: 8, bitsStored: 8, signed: false };
    const baseline = encodings.find(({ title }) => title === "JPEG baseline");
    if (baseline === undefined) throw new Error("JPEG baseline is missing");
    const encoded = baseline.encode(Uint8Array.from(storedValues(form, 14)), form);
    const header = encoded.findIndex((byte, at) => byte === 0xff && encoded[at + 1] === 0xc0);
    const extended = encoded.slice();
    extended[header + 1] = 0xc1;
    const plain = await decodeFrame(parseFile(film(form, "1.2.840.10008.1.2.4.50", [[encoded]])));
    const file = parseFile(film(form, "1.2.840.10008.1.2.4.51", [[extended]]));
    expect([...(await decodeFrame(file)).values]).toEqual([...plain.values]);
    expect(new Set(plain.values).size).toBeGreaterThan(10);
  });

  it("RLE: three samples come interleaved", async () => {
    const form: PixelForm = {
      ...shape,
      bitsAllocated: 8,
      bitsStored: 8,
      signed: false,
      samplesPerPixel: 3,
    };
    const values = storedValues(form, 5);
    const encoded = encodeRle(Uint8Array.from(values), 3, 1);
    const frame = await decodeFrame(parseFile(film(form, "1.2.840.10008.1.2.5", [[encoded]])));
    expect([...frame.values]).toEqual(values);
  });

  it("finds each frame of several, one fragment or more for each", async () => {
    const form = forms[2] as PixelForm;
    const jpegLs = encodings.find(({ title }) => title === "JPEG-LS");
    if (jpegLs === undefined) throw new Error("JPEG-LS is missing");
    const frames = [11, 12, 13].map((seed) => storedValues(form, seed));
    const encoded = frames.map((values) => jpegLs.encode(littleEndianBytes(values, form), form));
    for (const laid of [encoded.map((bytes) => [bytes]), encoded.map(halves)]) {
      const file = parseFile(film(form, jpegLs.transferSyntax, laid));
      for (const [index, values] of frames.entries()) {
        expect([...(await decodeFrame(file, index)).values]).toEqual(values);
      }
      await expect(decodeFrame(file, 3)).rejects.toThrow(/Frame 3 does not exist/);
    }
  });

  it("takes the sign from the header where the JPEG 2000 codestream contradicts it", async () => {
    const signed = forms[4] as PixelForm;
    const values = storedValues(signed, 6);
    const patterns = values.map((value) => value & 0xfff);
    const jpeg2000 = encodings.find(({ title }) => title === "JPEG 2000");
    if (jpeg2000 === undefined) throw new Error("JPEG 2000 is missing");
    const unsigned = { ...signed, signed: false };
    const encoded = jpeg2000.encode(littleEndianBytes(patterns, unsigned), unsigned);
    const frame = await decodeFrame(parseFile(film(signed, jpeg2000.transferSyntax, [[encoded]])));
    expect([...frame.values]).toEqual(values);

    const backwards = jpeg2000.encode(littleEndianBytes(values, signed), signed);
    const read = await decodeFrame(
      parseFile(film(unsigned, jpeg2000.transferSyntax, [[backwards]])),
    );
    expect([...read.values]).toEqual(patterns);
  });
});

describe("damaged compressed films", () => {
  it.each(encodings.map((encoding) => [encoding.title, encoding] as const))(
    "%s: a stream that ends early is refused, and the next film decodes again",
    async (_, encoding) => {
      const form: PixelForm = {
        rows: 64,
        columns: 64,
        bitsAllocated: encoding.bits[1] === 8 ? 8 : 16,
        bitsStored: encoding.bits[1] === 8 ? 8 : 12,
        signed: false,
      };
      const values = storedValues(form, 8);
      const encoded = encoding.encode(littleEndianBytes(values, form), form);
      const cut = encoded.subarray(0, (encoded.length >> 2) << 1);
      await expect(
        decodeFrame(parseFile(film(form, encoding.transferSyntax, [[cut]]))),
      ).rejects.toMatchObject({ name: "DicomError" });
      const good = await decodeFrame(parseFile(film(form, encoding.transferSyntax, [[encoded]])));
      expect(good.values).toHaveLength(values.length);
    },
  );

  it("refuses a codestream of another size than the header claims", async () => {
    const form = forms[2] as PixelForm;
    const [encoding] = encodings.filter(({ title }) => title === "JPEG 2000");
    const encoded = encoding?.encode(littleEndianBytes(storedValues(form, 9), form), form);
    const lying = { ...form, rows: 30000, columns: 4000 };
    await expect(
      decodeFrame(
        parseFile(film(lying, "1.2.840.10008.1.2.4.90", [[encoded ?? new Uint8Array()]])),
      ),
    ).rejects.toMatchObject({ code: "implausible-header" });
  });
});

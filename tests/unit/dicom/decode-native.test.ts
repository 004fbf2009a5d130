import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
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

const syntaxes = {
  "implicit little endian": "1.2.840.10008.1.2",
  "explicit little endian": "1.2.840.10008.1.2.1",
  "deflated little endian": "1.2.840.10008.1.2.1.99",
  "explicit big endian": "1.2.840.10008.1.2.2",
};

const forms: readonly PixelForm[] = [
  ...[8, 7, 1].map((bitsStored) => ({ bitsAllocated: 8 as const, bitsStored, signed: false })),
  { bitsAllocated: 8, bitsStored: 8, signed: true },
  ...[10, 12, 14, 15, 16].flatMap((bitsStored) =>
    [false, true].map((signed) => ({ bitsAllocated: 16 as const, bitsStored, signed })),
  ),
  { bitsAllocated: 32, bitsStored: 32, signed: false },
  { bitsAllocated: 32, bitsStored: 20, signed: true },
].map((form) => ({ rows: 13, columns: 11, ...form }) as PixelForm);

function nameOf(form: PixelForm): string {
  return `${form.bitsStored} of ${form.bitsAllocated} bits, ${form.signed ? "signed" : "unsigned"}`;
}

describe("uncompressed stored values", () => {
  for (const [title, transferSyntax] of Object.entries(syntaxes)) {
    it.each(forms.map((form) => [nameOf(form), form] as const))(
      `are exact in ${title}: %s`,
      async (_, form) => {
        const values = storedValues(form, 7);
        const pixels = littleEndianBytes(values, form);
        const file = writeDicom(
          { ...filmElements(1, 1), ...pixelElements(form) },
          { transferSyntax, pixels },
        );
        const frame = await decodeFrame(parseFile(file));
        expect([...frame.values]).toEqual(values);
        const bytes = Buffer.from(
          frame.values.buffer,
          frame.values.byteOffset,
          frame.values.byteLength,
        );
        expect(createHash("sha256").update(bytes).digest("hex")).toBe(
          createHash("sha256").update(pixels).digest("hex"),
        );
      },
    );
  }
});

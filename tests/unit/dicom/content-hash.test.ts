import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentHash, digestOf, newestDigest } from "../../../src/main/dicom/content-hash.ts";
import { PixelKernel, residentBytes } from "../../../src/main/dicom/kernel/kernel.ts";
import type { StoredFrame } from "../../../src/main/dicom/decode.ts";

function frame(rows: number, columns: number, values: Uint8Array): StoredFrame {
  return {
    rows,
    columns,
    samplesPerPixel: 1,
    bitsAllocated: 8,
    bitsStored: 8,
    pixelRepresentation: 0,
    photometricInterpretation: "MONOCHROME2",
    transferSyntax: "1.2.840.10008.1.2.1",
    values,
  };
}

describe("the digest of a film's content", () => {
  it("tells small films apart even where a checksum of them agrees", () => {
    // XOR with the CRC's own polynomial, bits reversed, leaves a CRC-32 as it is.
    const one = new Uint8Array(64).fill(7);
    const other = one.slice();
    const polynomial = 0x1_db71_0641n;
    for (let byte = 0; byte < 5; byte += 1) {
      other[20 + byte] = (other[20 + byte] ?? 0) ^ Number((polynomial >> BigInt(8 * byte)) & 255n);
    }
    expect(crc32(other)).toBe(crc32(one));
    expect(other).not.toEqual(one);
    expect(contentHash(frame(8, 8, other))).not.toBe(contentHash(frame(8, 8, one)));
  });

  it.each([1, 2] as const)(
    "notices one changed pixel of a large film, and another shape of the same values (way %i)",
    (way) => {
      // Not a multiple of the kernel's blocks.
      const values = Uint8Array.from({ length: 2047 * 1023 }, (_, index) => (index * 31) % 251);
      const digest = contentHash(frame(2047, 1023, values), way);
      expect(contentHash(frame(2047, 1023, values.slice()), way)).toBe(digest);
      for (const place of [0, 1_500_000, values.length - 1]) {
        const changed = values.slice();
        changed[place] = (changed[place] ?? 0) ^ 1;
        expect(contentHash(frame(2047, 1023, changed), way)).not.toBe(digest);
      }
      expect(contentHash(frame(1023, 2047, values), way)).not.toBe(digest);
    },
  );

  it("gives the same everywhere, in both ways", () => {
    // Kept in stores: a change of these is a third way.
    const values = Uint8Array.from({ length: 2047 * 1023 }, (_, index) => (index * 31) % 251);
    expect(contentHash(frame(2047, 1023, values), 1)).toMatchInlineSnapshot(
      `"cc1b684c7079ed5d0d65680be5d41945ac7f4c1f3cf013c09dcf198bb4154351"`,
    );
    expect(contentHash(frame(2047, 1023, values), 2)).toMatchInlineSnapshot(
      `"2-a20ff45c1efeadfe371b7d163a21d5f2dac6904089c9d7e714a655864ad00cf4"`,
    );
    expect(contentHash(frame(8, 8, new Uint8Array(64).fill(7)), 1)).toMatchInlineSnapshot(
      `"39eca4fd79dd94145bec73edd08e4b368be66777835640a3d368011f7021b24b"`,
    );
  });

  it("changes for good with each word, whatever its place and wherever the bytes lie", () => {
    const kernel = new PixelKernel();
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 700 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, place, change) => {
          const digest = (content: Uint8Array): string => {
            const copy = residentBytes(content);
            return Buffer.from(copy.kernel.digest(copy)).toString("hex");
          };
          const before = digest(bytes);
          const inside = kernel.pixelBytes(1000).subarray(3, 3 + bytes.length);
          inside.set(bytes);
          expect(digest(inside)).toBe(before);
          bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ change;
          expect(digest(bytes)).not.toBe(before);
        },
      ),
      { seed: 8, numRuns: 500 },
    );
  });

  it("goes on in the way in which a cohort was begun", () => {
    const film = frame(8, 8, new Uint8Array(64).fill(7));
    expect(digestOf(null)).toBe(newestDigest);
    for (const way of [1, 2] as const) expect(digestOf(contentHash(film, way))).toBe(way);
  });
});

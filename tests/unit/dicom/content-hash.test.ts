import { describe, expect, it } from "vitest";
import { crc32 } from "node:zlib";
import { contentHash } from "../../../src/main/dicom/content-hash.ts";
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

  it("notices one changed pixel of a large film, and another shape of the same values", () => {
    const values = Uint8Array.from({ length: 2048 * 1024 }, (_, index) => (index * 31) % 251);
    const changed = values.slice();
    changed[1_500_000] = (changed[1_500_000] ?? 0) ^ 1;
    const digest = contentHash(frame(2048, 1024, values));
    expect(contentHash(frame(2048, 1024, values.slice()))).toBe(digest);
    expect(contentHash(frame(2048, 1024, changed))).not.toBe(digest);
    expect(contentHash(frame(1024, 2048, values))).not.toBe(digest);
  });
});

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { StoredFrame } from "./decode.ts";

const blockBytes = 64 * 1024;

/**
 * A digest by which the same film is found again under another identifier or in another transfer
 * syntax: SHA-256 over the shape of the image and the CRC-32 of each 64 KiB of its stored values.
 * Hashing every byte with SHA-256 would cost more than all the rest of intake; a film of 2048 x
 * 2048 pixels still yields 4,096 bits of checksums, far more than chance can make equal.
 */
export function contentHash({ rows, columns, samplesPerPixel, values }: StoredFrame): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const checksums = new Uint32Array(Math.ceil(bytes.length / blockBytes));
  for (let block = 0; block < checksums.length; block++) {
    checksums[block] = crc32(bytes.subarray(block * blockBytes, (block + 1) * blockBytes));
  }
  return createHash("sha256")
    .update(`${rows} ${columns} ${samplesPerPixel} ${values.BYTES_PER_ELEMENT} `)
    .update(new Uint8Array(checksums.buffer))
    .digest("hex");
}

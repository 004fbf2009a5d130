import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { StoredFrame } from "./decode.ts";

const blockBytes = 64 * 1024;
/** Up to here every byte is hashed: few checksums could be equal by chance in a large cohort. */
const hashedWholeBytes = 1024 * 1024;

/**
 * A digest by which the same film is found again under another identifier or in another transfer
 * syntax: SHA-256 over the shape of the image and its stored values or, above 1 MiB, the CRC-32 of
 * each 64 KiB of them. Hashing every byte of a large film with SHA-256 would cost more than all the
 * rest of intake; its 16 checksums and more, 512 bits at least, do not become equal by chance.
 */
export function contentHash({ rows, columns, samplesPerPixel, values }: StoredFrame): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const hashed = bytes.length <= hashedWholeBytes ? bytes : checksumsOf(bytes);
  return createHash("sha256")
    .update(`${rows} ${columns} ${samplesPerPixel} ${values.BYTES_PER_ELEMENT} `)
    .update(hashed)
    .digest("hex");
}

function checksumsOf(bytes: Uint8Array): Uint8Array {
  const checksums = new Uint32Array(Math.ceil(bytes.length / blockBytes));
  for (let block = 0; block < checksums.length; block++) {
    checksums[block] = crc32(bytes.subarray(block * blockBytes, (block + 1) * blockBytes));
  }
  return new Uint8Array(checksums.buffer);
}

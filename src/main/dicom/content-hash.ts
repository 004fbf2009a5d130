import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { StoredFrame } from "./decode.ts";
import { residentBytes } from "./kernel/kernel.ts";

const blockBytes = 64 * 1024;
/** Up to here every byte is hashed: few checksums could be equal by chance in a large cohort. */
const hashedWholeBytes = 1024 * 1024;

/**
 * How the pixels of a film above 1 MiB enter its content hash: 1, CRC-32 of each 64 KiB; 2, 1024 bits
 * in 32 lanes (kernel.wat), nine times as fast. A cohort keeps the way of its first film, since only
 * hashes of one kind can be compared.
 */
export type ContentDigest = 1 | 2;

export const newestDigest: ContentDigest = 2;
const newestPrefix = "2-";

/** The way in which a cohort's hashes are made, from its first one; null where it has no film yet. */
export function digestOf(firstHash: string | null): ContentDigest {
  return firstHash === null || firstHash.startsWith(newestPrefix) ? newestDigest : 1;
}

/**
 * A hash by which the same film is found again under another identifier or in another transfer
 * syntax: SHA-256 over the shape of the image and its stored values or, above 1 MiB, over a faster
 * digest of them, since SHA-256 of every byte of a large film would cost more than all the rest of
 * intake. It tells films apart that differ by chance, not those that somebody forges to be equal.
 */
export function contentHash(
  { rows, columns, samplesPerPixel, values, survey }: StoredFrame,
  digest: ContentDigest = newestDigest,
): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const small = bytes.length <= hashedWholeBytes;
  const lanes = () => survey?.digest ?? lanesOf(bytes);
  const hashed = small ? bytes : digest === 1 ? checksumsOf(bytes) : lanes();
  const hash = createHash("sha256")
    .update(`${rows} ${columns} ${samplesPerPixel} ${values.BYTES_PER_ELEMENT} `)
    .update(hashed)
    .digest("hex");
  return digest === 1 ? hash : newestPrefix + hash;
}

function lanesOf(bytes: Uint8Array): Uint8Array {
  const pixels = residentBytes(bytes);
  return pixels.kernel.digest(pixels);
}

function checksumsOf(bytes: Uint8Array): Uint8Array {
  const checksums = new Uint32Array(Math.ceil(bytes.length / blockBytes));
  for (let block = 0; block < checksums.length; block++) {
    checksums[block] = crc32(bytes.subarray(block * blockBytes, (block + 1) * blockBytes));
  }
  return new Uint8Array(checksums.buffer);
}

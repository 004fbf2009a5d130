import { DicomError } from "./errors.ts";

/**
 * Decodes one frame of RLE Lossless (PS3.5 annex G): a header of sixteen 32-bit numbers, then one
 * PackBits segment for each byte of each sample, most significant byte first.
 *
 * @param encoded the frame's fragments, joined.
 * @returns interleaved samples, little endian; its length is pixels x samples x bytes.
 */
export function decodeRle(
  encoded: Uint8Array,
  pixels: number,
  samples: number,
  bytesPerSample: number,
): Uint8Array {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (encoded.length < 64) throw new DicomError("truncated", "The RLE frame ends in its header.");
  const segments = view.getUint32(0, true);
  if (segments !== samples * bytesPerSample) {
    throw new DicomError(
      "implausible-header",
      `The RLE frame has ${segments} segments where ${samples * bytesPerSample} belong.`,
    );
  }
  const pixelBytes = samples * bytesPerSample;
  const decoded = new Uint8Array(pixels * pixelBytes);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + segment * 4, true);
    const end = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : encoded.length;
    if (start < 64 || end < start || end > encoded.length) {
      throw new DicomError("truncated", "An RLE segment lies outside the frame.");
    }
    const sample = Math.floor(segment / bytesPerSample);
    const byte = bytesPerSample - 1 - (segment % bytesPerSample);
    const first = sample * bytesPerSample + byte;
    unpack(encoded.subarray(start, end), decoded, first, pixelBytes, pixels);
  }
  return decoded;
}

/** PackBits into every `stride`-th byte from `first`, until `count` bytes are written. */
function unpack(
  packed: Uint8Array,
  out: Uint8Array,
  first: number,
  stride: number,
  count: number,
): void {
  let written = 0;
  let position = first;
  let read = 0;
  while (written < count) {
    if (read >= packed.length) throw new DicomError("truncated", "An RLE segment ends early.");
    const control = packed[read++] ?? 0;
    if (control < 128) {
      const literal = Math.min(control + 1, count - written);
      if (read + literal > packed.length) {
        throw new DicomError("truncated", "An RLE segment ends early.");
      }
      for (let i = 0; i < literal; i++, position += stride) out[position] = packed[read + i] ?? 0;
      read += control + 1;
      written += literal;
    } else if (control > 128) {
      if (read >= packed.length) throw new DicomError("truncated", "An RLE segment ends early.");
      const value = packed[read++] ?? 0;
      const repeated = Math.min(257 - control, count - written);
      for (let i = 0; i < repeated; i++, position += stride) out[position] = value;
      written += repeated;
    }
  }
}

/** What a compressed frame says about itself, independently of the DICOM header. */
export interface CodestreamInfo {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  readonly bitsPerSample: number;
  /** Only JPEG 2000 says so; the others carry bit patterns. */
  readonly signed: boolean | null;
  /** Where the codestream begins; after the boxes of a JP2 file. */
  readonly start: number;
}

/** Reads the frame header of JPEG and JPEG-LS (ISO 10918-1 B.2.2, ISO 14495-1 C.2.2). */
export function inspectJpeg(bytes: Uint8Array): CodestreamInfo | null {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  let position = 2;
  while (position + 4 <= bytes.length) {
    if (bytes[position] !== 0xff) return null;
    const marker = bytes[position + 1] ?? 0;
    if (marker === 0xff) {
      position++;
      continue;
    }
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (standalone) {
      position += 2;
      continue;
    }
    const length = big16(bytes, position + 2);
    if (isStartOfFrame(marker)) {
      if (length < 8 || position + 10 > bytes.length) return null;
      return {
        bitsPerSample: bytes[position + 4] ?? 0,
        rows: big16(bytes, position + 5),
        columns: big16(bytes, position + 7),
        components: bytes[position + 9] ?? 0,
        signed: null,
        start: 0,
      };
    }
    if (length < 2) return null;
    position += 2 + length;
  }
  return null;
}

function isStartOfFrame(marker: number): boolean {
  if (marker === 0xf7) return true;
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Reads the SIZ marker of JPEG 2000 and HTJ2K (ISO 15444-1 A.5.1). */
export function inspectJpeg2000(bytes: Uint8Array): CodestreamInfo | null {
  const start = startOfCodestream(bytes);
  if (start === null || start + 43 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start);
  const depth = view.getUint8(42);
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    components: view.getUint16(40),
    bitsPerSample: (depth & 0x7f) + 1,
    signed: (depth & 0x80) !== 0,
    start,
  };
}

/** SOC followed by SIZ, at once or inside the boxes of a JP2 file. */
function startOfCodestream(bytes: Uint8Array): number | null {
  const limit = Math.min(bytes.length - 4, 4096);
  for (let i = 0; i <= limit; i++) {
    if (
      bytes[i] === 0xff &&
      bytes[i + 1] === 0x4f &&
      bytes[i + 2] === 0xff &&
      bytes[i + 3] === 0x51
    ) {
      return i;
    }
    if (i === 0 && !(bytes[4] === 0x6a && bytes[5] === 0x50)) return null;
  }
  return null;
}

/**
 * Whether all tile-parts of a JPEG 2000 codestream are there (ISO 15444-1 A.4.2): decoders take a
 * stream that ends early for one of lower quality, and a film would be blurred without a word.
 */
export function hasAllTileParts(codestream: Uint8Array): boolean {
  const startOfTilePart = 0xff90;
  const endOfCodestream = 0xffd9;
  let position = 2;
  while (big16(codestream, position) !== startOfTilePart) {
    const length = big16(codestream, position + 2);
    if (length < 2 || position + 4 > codestream.length) return false;
    position += 2 + length;
  }
  while (position + 12 <= codestream.length) {
    if (big16(codestream, position) !== startOfTilePart) break;
    const length = big16(codestream, position + 6) * 65536 + big16(codestream, position + 8);
    // Zero: the last tile-part goes on to the end.
    if (length === 0) return hasEndMarker(codestream);
    if (length < 14) return false;
    position += length;
  }
  // Some encoders leave the end marker away; the tile-parts themselves are complete then.
  const left = codestream.length - position;
  return left >= 0 && (left < 2 || big16(codestream, position) === endOfCodestream || left < 12);
}

/** Whether the stream ends with an end-of-image marker (FFD9), apart from padding. */
export function hasEndMarker(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 1 && bytes[end - 1] === 0) end--;
  for (let i = end - 2; i >= Math.max(0, end - 64); i--) {
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  }
  return false;
}

function big16(bytes: Uint8Array, position: number): number {
  return ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0);
}

/**
 * Compressed films can carry text beside the image: comments, EXIF, XMP, the name of a program.
 * It is overwritten with zeros where it stands, so that no length and no offset changes and every
 * stored value stays what it was.
 */

/** Blanks comments and application data of a JPEG or JPEG-LS stream, and all after its end. */
export function blankJpegText(bytes: Uint8Array): void {
  let position = 2;
  while (position + 4 <= bytes.length) {
    if (bytes[position] !== 0xff) return;
    const marker = bytes[position + 1] ?? 0;
    if (marker === 0xff) {
      position++;
      continue;
    }
    if (marker === 0xd9) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      position += 2;
      continue;
    }
    const end = position + 2 + big16(bytes, position + 2);
    if (marker === 0xfe || (marker >= 0xe0 && marker <= 0xef)) {
      bytes.fill(0, position + 4 + keptBytes(bytes, position + 4), Math.min(end, bytes.length));
    }
    position = marker === 0xda ? endOfScan(bytes, end) : end;
  }
  if (bytes[position + 1] === 0xd9) bytes.fill(0, position + 2);
}

/** Markers that decoders act on (JFIF, Adobe's and HP's colour transforms) keep their fields. */
const meaningful: readonly (readonly [string, number])[] = [
  ["JFIF\0", 14],
  ["Adobe", 12],
  ["mrfx", 5],
];

function keptBytes(bytes: Uint8Array, at: number): number {
  const starts = String.fromCharCode(...bytes.subarray(at, at + 5));
  return meaningful.find(([name]) => starts.startsWith(name))?.[1] ?? 0;
}

/** The marker after entropy-coded data: stuffed bytes and restart markers belong to the data. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let i = from; i + 1 < bytes.length; i++) {
    const next = bytes[i + 1] ?? 0;
    if (bytes[i] === 0xff && next >= 0x80 && next !== 0xff && (next < 0xd0 || next > 0xd7)) {
      return i;
    }
  }
  return bytes.length;
}

/**
 * Blanks the comment segments of a JPEG 2000 codestream, in its main header and its tile-parts
 * (ISO 15444-1 A.9.2), and all after its end.
 */
export function blankJpeg2000Text(bytes: Uint8Array): void {
  const startOfTilePart = 0xff90;
  const startOfData = 0xff93;
  const comment = 0xff64;
  let position = 2;
  let partStart = 0;
  while (position + 4 <= bytes.length) {
    const marker = big16(bytes, position);
    if (marker === 0xffd9) {
      bytes.fill(0, position + 2);
      return;
    }
    const length = big16(bytes, position + 2);
    if (marker === startOfData) {
      const partLength = partStart === 0 ? 0 : big32(bytes, partStart + 6);
      if (partLength === 0) return;
      position = partStart + partLength;
      continue;
    }
    if (marker < 0xff00 || length < 2) return;
    if (marker === startOfTilePart) partStart = position;
    if (marker === comment) {
      // Registration 0: binary, since zeros are no text.
      bytes.fill(0, position + 4, Math.min(position + 2 + length, bytes.length));
    }
    position += 2 + length;
  }
}

function big16(bytes: Uint8Array, position: number): number {
  return ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0);
}

function big32(bytes: Uint8Array, position: number): number {
  return big16(bytes, position) * 65536 + big16(bytes, position + 2);
}

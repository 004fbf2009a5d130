import { frameDecoder } from "./codecs.ts";
import { hasEndMarker, inspectJpeg } from "./codestream.ts";
import { DicomError } from "./errors.ts";
import { latin1, requirePlausible, type Picture } from "./picture.ts";

/**
 * Decodes a JPEG of one or three components as coded, without changing its colour space.
 *
 * @throws DicomError where it is damaged, too large or of another kind.
 */
export async function decodeJpegPicture(bytes: Uint8Array): Promise<Picture> {
  const info = inspectJpeg(bytes);
  if (info === null) throw new DicomError("decoder-failed", "The JPEG has no readable header.");
  const { rows, columns, components, bitsPerSample } = info;
  requirePlausible(rows, columns);
  if (components !== 1 && components !== 3) {
    throw new DicomError("unsupported-pixels", `JPEGs of ${components} channels are not read.`);
  }
  if (bitsPerSample < 2 || bitsPerSample > 16) {
    throw new DicomError("unsupported-pixels", `JPEGs of ${bitsPerSample} bits are not read.`);
  }
  if (!hasEndMarker(bytes)) throw new DicomError("truncated", "The JPEG ends early.");
  const decoder = await frameDecoder();
  const { bytes: decoded, bytesPerSample } = decoder.decode("jpeg", bytes, {
    rows,
    columns,
    samplesPerPixel: components,
    bitsAllocated: bitsPerSample > 8 ? 16 : 8,
    bitsStored: bitsPerSample,
    pixelRepresentation: 0,
  });
  const own = decoded.slice();
  return {
    rows,
    columns,
    bits: bitsPerSample,
    samplesPerPixel: components,
    colour: isCodedAsRgb(bytes) ? "RGB" : "YBR_FULL",
    samples: bytesPerSample === 2 ? new Uint16Array(own.buffer) : own,
  };
}

/**
 * Whether the three components are red, green and blue as they stand: Adobe's marker says so with
 * transform 0, and some writers name the components "R", "G", "B". JFIF is luma and chroma.
 */
function isCodedAsRgb(bytes: Uint8Array): boolean {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0;
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (marker === 0xee && length >= 14 && latin1(bytes, at + 4, 5) === "Adobe") {
      return bytes[at + 15] === 0;
    }
    if (marker >= 0xc0 && marker <= 0xc3) {
      return [0, 1, 2].every((index) => bytes[at + 10 + 3 * index] === "RGB".charCodeAt(index));
    }
    at += 2 + Math.max(2, length);
  }
  return false;
}

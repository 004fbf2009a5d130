import type { StoredValues } from "./decode.ts";
import type { PixelHeader } from "./header.ts";
import { resident, type Survey } from "./kernel/kernel.ts";
import type { PixelDataElement } from "./parse.ts";

export interface CanonicalValues {
  readonly values: StoredValues;
  readonly survey: Survey | null;
}

/**
 * Typed stored values from little-endian samples. Bits outside the stored ones (overlays and
 * vendors' leftovers) are removed, signed values are extended; where nothing has to change and
 * the bytes are aligned the result is a view. Of 16-bit values that are returned as they were, what a
 * look at all of them told comes with them.
 */
export function canonical(bytes: Uint8Array, header: PixelHeader): CanonicalValues {
  const { bitsAllocated, bitsStored, highBit, pixelRepresentation } = header;
  const values = view(bytes, bitsAllocated, pixelRepresentation === 1);
  const shift = highBit + 1 - bitsStored;
  const signed = pixelRepresentation === 1;
  if (shift === 0) {
    if (values instanceof Uint16Array || values instanceof Int16Array) {
      const pixels = resident(values);
      const survey = pixels.kernel.survey(pixels, 16 - bitsStored);
      const { foreignBits } = survey;
      const clean = signed
        ? bitsStored === 16 || foreignBits === 0
        : foreignBits >>> bitsStored === 0;
      if (clean) return { values, survey };
    } else if (bitsStored === bitsAllocated || isClean(values, bitsStored, signed)) {
      return { values, survey: null };
    }
  }
  const cleaned = values.slice();
  const left = 32 - bitsStored - shift;
  const right = 32 - bitsStored;
  if (signed) {
    for (let i = 0; i < cleaned.length; i++) cleaned[i] = ((cleaned[i] ?? 0) << left) >> right;
  } else {
    for (let i = 0; i < cleaned.length; i++) cleaned[i] = ((cleaned[i] ?? 0) << left) >>> right;
  }
  return { values: cleaned, survey: null };
}

function view(bytes: Uint8Array, bitsAllocated: number, signed: boolean): StoredValues {
  const width = bitsAllocated / 8;
  // A Buffer's own slice would not copy.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const length = Math.floor(aligned.byteLength / width);
  if (width === 1) {
    return signed
      ? new Int8Array(buffer, byteOffset, length)
      : new Uint8Array(buffer, byteOffset, length);
  }
  if (width === 2) {
    return signed
      ? new Int16Array(buffer, byteOffset, length)
      : new Uint16Array(buffer, byteOffset, length);
  }
  return signed
    ? new Int32Array(buffer, byteOffset, length)
    : new Uint32Array(buffer, byteOffset, length);
}

function isClean(values: StoredValues, bitsStored: number, signed: boolean): boolean {
  if (signed) {
    const unused = 32 - bitsStored;
    return values.every((value) => (value << unused) >> unused === value);
  }
  let seen = 0;
  for (let i = 0; i < values.length; i++) seen |= values[i] ?? 0;
  return bitsStored === 32 || seen >>> bitsStored === 0;
}

/**
 * Swaps big-endian pixels into little endian. Eight-bit pixels in OW stand in 16-bit words and
 * are swapped too (PS3.5 section 8.1.1), so a frame of odd length can begin inside a word.
 */
export function toLittleEndian(
  bytes: Uint8Array,
  bitsAllocated: number,
  pixelData: PixelDataElement,
  frame: number,
): Uint8Array {
  if (bitsAllocated === 8) {
    if (pixelData.vr !== "OW") return bytes;
    const start = frame * bytes.length;
    const out = new Uint8Array(bytes.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = pixelData.bytes[pixelData.offset + ((start + i) ^ 1)] ?? 0;
    }
    return out;
  }
  const swapped = Buffer.from(bytes);
  return bitsAllocated === 16 ? swapped.swap16() : swapped.swap32();
}

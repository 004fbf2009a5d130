import { decodeFrame, type StoredFrame } from "../decode.ts";
import { DicomError } from "../errors.ts";
import { readFragments } from "../fragments.ts";
import type { PixelHeader } from "../header.ts";
import type { ParsedFile, PixelDataElement } from "../parse.ts";
import { blackStoredValue, fillRegions, type Region } from "../regions.ts";
import { explicitBigEndian, explicitLittleEndian, pixelCodings } from "../syntaxes.ts";
import { blankJpeg2000Text, blankJpegText } from "./codestream-comments.ts";
import { elementHeader, type Encoding } from "./elements.ts";

/** The pixel data of a copy, header and all, and the transfer syntax that they are in. */
export interface PixelElement {
  readonly bytes: Buffer;
  readonly transferSyntax: string;
  readonly encapsulated: boolean;
  /** Set where the pixels were written anew. */
  readonly rewritten: StoredFrame | null;
}

/**
 * The pixel data as they stand, without what hides beside the image: bytes behind the last frame,
 * bits outside the stored ones (overlays were kept there), text inside compressed streams. Where
 * regions are to be blackened, or such bits cannot be reached otherwise, the pixels are decoded and
 * written uncompressed.
 *
 * @throws DicomError where the pixels cannot be decoded or have no place.
 */
export async function pixelElement(
  file: ParsedFile,
  encoding: Encoding,
  options: { readonly regions: readonly Region[]; readonly hiddenOverlay: boolean },
): Promise<PixelElement> {
  const header = file.header.pixels;
  const { pixelData } = file;
  if (pixelData === null) throw new DicomError("no-pixel-data", "The file holds no image.");
  const coding = pixelCodings[header.transferSyntax];
  const encapsulated = pixelData.length === null;
  const unusual = encapsulated && (coding === undefined || hasWrapper(pixelData));
  if (options.regions.length > 0 || (encapsulated && options.hiddenOverlay) || unusual) {
    return rewritten(file, options.regions);
  }
  const bytes = encapsulated
    ? encapsulatedCopy(pixelData)
    : nativeCopy(header, pixelData, encoding);
  return { bytes, transferSyntax: header.transferSyntax, encapsulated, rewritten: null };
}

/** Boxes around a codestream can hold texts; such files are rare and are written anew. */
function hasWrapper(pixelData: PixelDataElement): boolean {
  const first = readFragments(pixelData).fragments[0];
  const kind = pixelData.bytes.subarray((first?.start ?? 0) + 4, (first?.start ?? 0) + 8);
  return ["jP  ", "JXL "].includes(String.fromCharCode(...kind));
}

async function rewritten(file: ParsedFile, regions: readonly Region[]): Promise<PixelElement> {
  const header = file.header.pixels;
  if (header.samplesPerPixel !== 1) {
    throw new DicomError("unsupported-pixels", "Only monochrome films can be written anew.");
  }
  const frames: StoredFrame[] = [];
  for (let frame = 0; frame < header.numberOfFrames; frame++) {
    frames.push(await decodeFrame(file, frame));
  }
  const [first] = frames;
  if (first === undefined) throw new DicomError("no-pixel-data", "The file holds no image.");
  const black = blackStoredValue(header);
  const bytes = Buffer.concat(
    frames.map(({ values }) => {
      const own = values.slice();
      fillRegions(own, first, regions, black);
      maskUnusedBits(own, { ...header, highBit: header.bitsStored - 1 });
      return Buffer.from(own.buffer, own.byteOffset, own.byteLength);
    }),
  );
  const vr = header.bitsAllocated > 8 ? "OW" : "OB";
  return {
    bytes: withHeader(bytes, vr, { explicit: true, bigEndian: false }),
    transferSyntax: explicitLittleEndian,
    encapsulated: false,
    rewritten: first,
  };
}

function nativeCopy(
  header: PixelHeader,
  { bytes, offset, length, vr }: PixelDataElement,
  encoding: Encoding,
): Buffer {
  const { rows, columns, samplesPerPixel, bitsAllocated, numberOfFrames } = header;
  const wanted = Math.ceil((rows * columns * samplesPerPixel * bitsAllocated * numberOfFrames) / 8);
  if (wanted > (length ?? 0) || offset + wanted > bytes.length) {
    throw new DicomError("truncated", "The file ends before its image does.");
  }
  const copy = Buffer.from(bytes.subarray(offset, offset + wanted));
  const swap = header.transferSyntax === explicitBigEndian;
  if (bitsAllocated === 16) {
    if (swap) copy.swap16();
    const values = new Uint16Array(copy.length / 2);
    Buffer.from(values.buffer).set(copy);
    maskUnusedBits(values, header);
    copy.set(Buffer.from(values.buffer));
    if (swap) copy.swap16();
  } else if (bitsAllocated === 8) {
    maskUnusedBits(copy, header);
  }
  return withHeader(copy, vr === "OB" ? "OB" : "OW", encoding);
}

function withHeader(bytes: Buffer, vr: string, encoding: Encoding): Buffer {
  const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  return Buffer.concat([elementHeader("7FE00010", vr, padded.length, encoding), padded]);
}

type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Clears bits outside of the stored ones; of signed values the sign stays extended. */
function maskUnusedBits(values: Samples, header: PixelHeader): void {
  const { bitsAllocated, bitsStored, highBit, pixelRepresentation } = header;
  if (bitsStored >= bitsAllocated || bitsAllocated > 16) return;
  const low = highBit + 1 - bitsStored;
  const mask = (2 ** bitsStored - 1) << low;
  const sign = 1 << highBit;
  const above = (2 ** bitsAllocated - 1) & ~(2 ** (highBit + 1) - 1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const extended = pixelRepresentation === 1 && (value & sign) !== 0 && (value & above) !== 0;
    values[i] = (value & mask) | (extended ? above : 0);
  }
}

function encapsulatedCopy(pixelData: PixelDataElement): Buffer {
  const { fragments, end } = readFragments(pixelData);
  const copy = Buffer.from(pixelData.bytes.subarray(pixelData.offset, end));
  const pieces = fragments.map(({ start, end: stop }) =>
    copy.subarray(start - pixelData.offset, stop - pixelData.offset),
  );
  for (const stream of streams(pieces)) blankText(stream);
  const little = { explicit: true, bigEndian: false };
  const header = elementHeader("7FE00010", "OB", 0xffffffff, little);
  return Buffer.concat([header, copy, elementHeader("FFFEE0DD", null, 0, little)]);
}

/** Fragments by frame: a stream begins where a fragment begins with a start marker. */
function streams(pieces: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const grouped: Buffer[][] = [];
  for (const piece of pieces) {
    const starts = piece[0] === 0xff && (piece[1] === 0xd8 || piece[1] === 0x4f);
    const last = grouped.at(-1);
    if (starts || last === undefined) grouped.push([piece]);
    else last.push(piece);
  }
  return grouped;
}

function blankText(pieces: readonly Buffer[]): void {
  const [only] = pieces;
  const whole = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  if (whole[0] !== 0xff) return;
  if (whole[1] === 0xd8) blankJpegText(whole);
  else if (whole[1] === 0x4f) blankJpeg2000Text(whole);
  if (whole === only) return;
  let position = 0;
  for (const piece of pieces) {
    piece.set(whole.subarray(position, position + piece.length));
    position += piece.length;
  }
}

import { frameDecoder, type CompressedCoding, type DecodedSamples } from "./codecs.ts";
import {
  hasAllTileParts,
  hasEndMarker,
  inspectJpeg,
  inspectJpeg2000,
  type CodestreamInfo,
} from "./codestream.ts";
import { DicomError } from "./errors.ts";
import { encodedFrame } from "./fragments.ts";
import type { PixelHeader } from "./header.ts";
import type { Survey } from "./kernel/kernel.ts";
import type { ParsedFile, PixelDataElement } from "./parse.ts";
import { decodeRle } from "./rle.ts";
import { canonical, toLittleEndian, type CanonicalValues } from "./stored-values.ts";
import { explicitBigEndian, pixelCodings } from "./syntaxes.ts";

export type StoredValues =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** One frame of stored values, interleaved by sample, before any look-up table. */
export interface StoredFrame {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly pixelRepresentation: 0 | 1;
  readonly photometricInterpretation: string;
  readonly transferSyntax: string;
  readonly values: StoredValues;
  /** What was found when all values were looked at; null or absent where they were not. Holds for `values` only. */
  readonly survey?: Survey | null;
}

/** The largest film on the market has some 20 million pixels. */
const sampleLimit = 128 * 1024 * 1024;

/**
 * The stored values of one frame: bits above the stored ones are cleared or take the sign, a high
 * bit elsewhere is shifted down. For uncompressed pixels in the machine's own order the result is
 * a view of the file's bytes.
 *
 * @throws DicomError where the header contradicts itself, the syntax is unknown or data is missing.
 */
export async function decodeFrame(file: ParsedFile, frame = 0): Promise<StoredFrame> {
  const header = file.header.pixels;
  const { pixelData } = file;
  const coding = pixelCodings[header.transferSyntax];
  if (pixelData === null) {
    throw new DicomError("no-pixel-data", "The file holds no image.");
  }
  if (coding === undefined) {
    const standard = /^1\.2\.840\.10008\.1\.2(\.\d{1,3}){0,4}$/.test(header.transferSyntax);
    const named = standard ? ` (transfer syntax ${header.transferSyntax})` : "";
    throw new DicomError(
      "unsupported-syntax",
      `The image is coded in a way that is not supported${named}.`,
    );
  }
  checkHeader(header);
  if (!Number.isInteger(frame) || frame < 0 || frame >= header.numberOfFrames) {
    throw new DicomError(
      "implausible-header",
      `Frame ${frame} does not exist: the file has ${header.numberOfFrames}.`,
    );
  }
  const samples = header.rows * header.columns * header.samplesPerPixel;
  const bytesPerSample = header.bitsAllocated / 8;
  let stored: CanonicalValues;
  if (coding === "native") {
    stored = canonical(nativeFrame(header, pixelData, frame), header);
  } else {
    const encoded = encodedFrame(pixelData, frame, header.numberOfFrames, file.extendedOffsets);
    if (coding === "rle") {
      const pixels = header.rows * header.columns;
      stored = canonical(
        decodeRle(encoded, pixels, header.samplesPerPixel, bytesPerSample),
        header,
      );
    } else {
      const decoded = await decompress(coding, encoded, header);
      stored = canonical(widen(decoded, samples, header), {
        ...header,
        bitsStored: decoded.bitsStored,
        highBit: decoded.bitsStored - 1,
      });
    }
  }
  return {
    rows: header.rows,
    columns: header.columns,
    samplesPerPixel: header.samplesPerPixel,
    bitsAllocated: header.bitsAllocated,
    bitsStored: header.bitsStored,
    pixelRepresentation: header.pixelRepresentation,
    photometricInterpretation: header.photometricInterpretation,
    transferSyntax: header.transferSyntax,
    ...stored,
  };
}

/** Refuses what cannot be an image before memory is taken for it. */
function checkHeader(header: PixelHeader): void {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit } = header;
  if (rows === 0 || columns === 0) {
    throw new DicomError("implausible-header", "The header gives the image no rows or columns.");
  }
  if (samplesPerPixel !== 1 && samplesPerPixel !== 3) {
    throw new DicomError(
      "unsupported-pixels",
      `Images of ${samplesPerPixel} samples for each pixel are not supported.`,
    );
  }
  if (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) {
    throw new DicomError(
      "unsupported-pixels",
      `Pixels of ${bitsAllocated} allocated bits are not supported.`,
    );
  }
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated) {
    throw new DicomError(
      "implausible-header",
      `The header claims ${bitsStored} bits stored, high bit ${highBit}, of ${bitsAllocated}.`,
    );
  }
  if (highBit + 1 < bitsStored) {
    throw new DicomError(
      "implausible-header",
      `The header claims ${bitsStored} bits stored below high bit ${highBit}.`,
    );
  }
  if (rows * columns * samplesPerPixel > sampleLimit) {
    throw new DicomError("too-large", `The header claims ${rows} x ${columns} pixels.`);
  }
}

function nativeFrame(header: PixelHeader, pixelData: PixelDataElement, frame: number): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsAllocated } = header;
  if (pixelData.length === null) {
    throw new DicomError("damaged-header", "An uncompressed image is divided into items.");
  }
  if (header.photometricInterpretation.endsWith("_422")) {
    throw new DicomError("unsupported-pixels", "Uncompressed YBR 4:2:2 is not supported.");
  }
  const frameBytes = (rows * columns * samplesPerPixel * bitsAllocated) / 8;
  const start = pixelData.offset + frame * frameBytes;
  const end = start + frameBytes;
  if (end > pixelData.bytes.length) {
    throw new DicomError(
      "truncated",
      `The file ends early: ${Math.max(0, pixelData.bytes.length - start)} of ` +
        `${frameBytes} bytes of the image are there.`,
    );
  }
  if (end > pixelData.offset + pixelData.length) {
    throw new DicomError(
      "implausible-header",
      `The header claims ${rows} x ${columns} pixels, but the image has ` +
        `${pixelData.length} bytes.`,
    );
  }
  let bytes = pixelData.bytes.subarray(start, end);
  if (header.transferSyntax === explicitBigEndian) {
    bytes = toLittleEndian(bytes, bitsAllocated, pixelData, frame);
  }
  return samplesPerPixel > 1 && header.planarConfiguration === 1
    ? interleave(bytes, rows * columns, samplesPerPixel, bitsAllocated / 8)
    : bytes;
}

function interleave(
  planes: Uint8Array,
  pixels: number,
  samples: number,
  bytesPerSample: number,
): Uint8Array {
  const out = new Uint8Array(planes.length);
  for (let sample = 0; sample < samples; sample++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let byte = 0; byte < bytesPerSample; byte++) {
        out[(pixel * samples + sample) * bytesPerSample + byte] =
          planes[(sample * pixels + pixel) * bytesPerSample + byte] ?? 0;
      }
    }
  }
  return out;
}

async function decompress(
  coding: CompressedCoding,
  encoded: Uint8Array,
  header: PixelHeader,
): Promise<DecodedSamples & { readonly bitsStored: number }> {
  if (header.bitsAllocated === 32) {
    throw new DicomError("unsupported-pixels", "Compressed images of 32 bits are not supported.");
  }
  const decoder = await frameDecoder();
  if (coding === "jpeg-xl") {
    return { ...decoder.decode(coding, encoded, header), bitsStored: header.bitsStored };
  }
  const jpeg = coding === "jpeg" || coding === "jpeg-ls";
  const info = jpeg ? inspectJpeg(encoded) : inspectJpeg2000(encoded);
  if (info === null) {
    throw new DicomError("decoder-failed", "The compressed image does not begin as it should.");
  }
  checkCodestream(info, header);
  const complete = jpeg ? hasEndMarker(encoded) : hasAllTileParts(encoded.subarray(info.start));
  if (!complete) {
    throw new DicomError("truncated", "The compressed image ends early.");
  }
  // The samples are as wide as the codestream makes them, whatever the header allocates.
  const decoded = decoder.decode(coding, encoded.subarray(info.start), {
    ...header,
    bitsAllocated: info.bitsPerSample <= 8 ? 8 : 16,
    bitsStored: info.bitsPerSample,
  });
  return { ...decoded, bitsStored: storedBits(decoded, info, header) };
}

/**
 * Decoders give bit patterns at the low end, as deep as the codestream says. Where that is deeper
 * than the header's bits stored, no bit is cut off. But a coder that knows no sign (JPEG, JPEG-LS)
 * may have been given the stored bits alone: then the sign stands where the header says.
 */
function storedBits(decoded: DecodedSamples, info: CodestreamInfo, header: PixelHeader): number {
  if (info.bitsPerSample <= header.bitsStored) return header.bitsStored;
  const knowsNoSign = header.pixelRepresentation === 1 && info.signed === null;
  return knowsNoSign && highestBits(decoded) <= header.bitsStored
    ? header.bitsStored
    : info.bitsPerSample;
}

/** How many bits the samples take, read without a sign. */
function highestBits({ bytes, bytesPerSample }: DecodedSamples): number {
  let seen = 0;
  for (let i = bytesPerSample - 1; i < bytes.length; i += bytesPerSample) seen |= bytes[i] ?? 0;
  if (bytesPerSample === 1 || seen !== 0) return 8 * (bytesPerSample - 1) + 32 - Math.clz32(seen);
  for (let i = 0; i < bytes.length; i += 2) seen |= bytes[i] ?? 0;
  return 32 - Math.clz32(seen);
}

function checkCodestream(info: CodestreamInfo, header: PixelHeader): void {
  if (
    info.rows !== header.rows ||
    info.columns !== header.columns ||
    info.components !== header.samplesPerPixel
  ) {
    throw new DicomError(
      "implausible-header",
      `The header claims ${header.rows} x ${header.columns} pixels of ` +
        `${header.samplesPerPixel} samples, the compressed image has ` +
        `${info.rows} x ${info.columns} of ${info.components}.`,
    );
  }
  if (info.bitsPerSample > header.bitsAllocated) {
    throw new DicomError(
      "implausible-header",
      `The compressed image has ${info.bitsPerSample} bits, the header allocates ` +
        `${header.bitsAllocated}.`,
    );
  }
}

/** Brings decoded samples to the allocated size. */
function widen(
  { bytes, bytesPerSample }: DecodedSamples,
  samples: number,
  header: PixelHeader,
): Uint8Array {
  if (bytesPerSample * 8 === header.bitsAllocated) return bytes;
  if (bytesPerSample === 2) {
    throw new DicomError(
      "implausible-header",
      "The compressed image needs 16 bits where the header allocates 8.",
    );
  }
  const wide = new Uint8Array(samples * 2);
  for (let i = 0; i < samples; i++) wide[i * 2] = bytes[i] ?? 0;
  return wide;
}

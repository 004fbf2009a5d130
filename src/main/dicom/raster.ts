import type { StoredFrame } from "./decode.ts";
import type { DicomHeader, PixelHeader } from "./header.ts";
import type { Picture } from "./picture.ts";
import { decodeJpegPicture } from "./picture-jpeg.ts";
import { decodePngPicture } from "./picture-png.ts";

/** Films that are plain pictures: no header says whose they are, so a table has to. */
export type RasterKind = "png" | "jpeg";

/** What stands for the transfer syntax of a picture. */
export const rasterSyntaxes: Readonly<Record<RasterKind, string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
};

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The kind of picture that begins with these bytes; null for anything else. */
export function rasterKind(head: Uint8Array): RasterKind | null {
  if (pngSignature.every((byte, index) => head[index] === byte)) return "png";
  return head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff ? "jpeg" : null;
}

/**
 * Decodes a PNG (1 to 16 bits) or a JPEG (8 or 12 bits) as a film: stored values exactly as coded,
 * MONOCHROME2, without any window. A picture in colour whose channels are equal everywhere becomes
 * grey; any other keeps its three samples, and the display chain takes their luminance.
 *
 * @throws DicomError where the picture is damaged, too large, or has a palette or CMYK colours.
 */
export async function decodeRaster(bytes: Uint8Array, kind: RasterKind) {
  const picture = kind === "png" ? await decodePngPicture(bytes) : await decodeJpegPicture(bytes);
  const grey = toGrey(picture);
  const pixels: PixelHeader = {
    ...plainPixels,
    transferSyntax: rasterSyntaxes[kind],
    rows: picture.rows,
    columns: picture.columns,
    samplesPerPixel: grey === null ? 3 : 1,
    bitsAllocated: picture.bits > 8 ? 16 : 8,
    bitsStored: picture.bits,
    highBit: picture.bits - 1,
    photometricInterpretation: grey === null ? picture.colour : "MONOCHROME2",
  };
  const header: DicomHeader = { identity: noIdentity, film: noDescription, pixels };
  const frame: StoredFrame = {
    rows: picture.rows,
    columns: picture.columns,
    samplesPerPixel: pixels.samplesPerPixel,
    bitsAllocated: pixels.bitsAllocated,
    bitsStored: pixels.bitsStored,
    pixelRepresentation: 0,
    photometricInterpretation: pixels.photometricInterpretation,
    transferSyntax: pixels.transferSyntax,
    values: grey ?? picture.samples,
  };
  return { header, frame };
}

const plainPixels = {
  numberOfFrames: 1,
  planarConfiguration: 0,
  pixelRepresentation: 0,
  rescaleSlope: 1,
  rescaleIntercept: 0,
  modalityLut: null,
  voiLut: null,
  window: null,
  voiLutFunction: "LINEAR",
  presentationLutShape: null,
  padding: null,
} as const;

const noIdentity = {
  patientId: null,
  issuerOfPatientId: null,
  patientName: null,
  studyInstanceUid: null,
  seriesInstanceUid: null,
  sopInstanceUid: null,
  birthDate: null,
  studyDate: null,
  acquisitionSeconds: null,
} as const;

const noDescription = {
  sopClassUid: null,
  modality: null,
  manufacturer: null,
  bodyPart: null,
  viewPosition: null,
  viewHints: "",
  patientOrientation: [],
  laterality: null,
  imageType: [],
  presentationIntent: null,
  burnedInAnnotation: null,
  qualityControl: false,
  sex: null,
  ageYears: null,
  pixelSpacingMillimetres: null,
} as const;

/** The grey values, where all pixels are grey; else null. */
function toGrey({ samples, samplesPerPixel, colour, bits }: Picture): Picture["samples"] | null {
  if (samplesPerPixel === 1) return samples;
  const neutral = 2 ** (bits - 1);
  const grey = samples.slice(0, samples.length / 3);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const first = samples[pixel * 3] ?? 0;
    const expected = colour === "RGB" ? first : neutral;
    if (samples[pixel * 3 + 1] !== expected || samples[pixel * 3 + 2] !== expected) return null;
    grey[pixel] = first;
  }
  return grey;
}

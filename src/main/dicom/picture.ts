import { DicomError } from "./errors.ts";

/** Interleaved samples: one (grey) or three for each pixel. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly samplesPerPixel: 1 | 3;
  readonly colour: "RGB" | "YBR_FULL";
  readonly samples: Uint8Array | Uint16Array;
}

/** As for DICOM: the largest film has some 20 million pixels. */
const pixelLimit = 64 * 1024 * 1024;

/** @throws DicomError where a picture of this size cannot be a film. */
export function requirePlausible(rows: number, columns: number): void {
  if (rows === 0 || columns === 0) {
    throw new DicomError("implausible-header", "The picture has no rows or columns.");
  }
  if (rows * columns > pixelLimit) {
    throw new DicomError("too-large", `The picture claims ${columns} x ${rows} pixels.`);
  }
}

/** Bytes as text, one character each. */
export function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("latin1");
}

import { createHash } from "node:crypto";
import { decodeFrame, type StoredFrame } from "./decode.ts";
import { readOriginal } from "./archive.ts";
import { FileBuffer } from "./file-buffer.ts";
import type { DicomHeader } from "./header.ts";
import { parseFile } from "./parse.ts";
import { decodeRaster, rasterKind } from "./raster.ts";

/** A film whatever its file format: what the file says, and the stored values of one frame. */
export interface OpenFilm {
  readonly header: DicomHeader;
  readonly frame: StoredFrame;
}

/**
 * Decodes one frame, counted from 0, of a DICOM file, a PNG or a JPEG. The values can be a view of
 * `bytes`.
 *
 * @throws DicomError, whose message says what is wrong and what to do.
 */
export async function openFilm(bytes: Uint8Array, frame = 0): Promise<OpenFilm> {
  const kind = rasterKind(bytes);
  if (kind !== null) return decodeRaster(bytes, kind);
  const file = parseFile(bytes);
  return { header: file.header, frame: await decodeFrame(file, frame) };
}

export interface DecodedFile extends StoredFrame {
  /** SHA-256 of the stored values in little endian, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Reads a file and decodes one frame, counted from 0.
 *
 * @throws DicomError, whose message says what is wrong and what to do.
 */
export async function decodeFile(path: string, frame = 0): Promise<DecodedFile> {
  const stored = (await openFilm(await readOriginal(path, new FileBuffer()), frame)).frame;
  const { values } = stored;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { ...stored, sha256: createHash("sha256").update(bytes).digest("hex") };
}

import { requireRadiograph } from "./acceptance.ts";
import { readMember, type ArchiveMember } from "./archive.ts";
import { contentHash, type ContentDigest } from "./content-hash.ts";
import { decodeFrame, type StoredFrame } from "./decode.ts";
import { DicomError, type RejectionCode } from "./errors.ts";
import type { FileBuffer } from "./file-buffer.ts";
import type { FilmDescription, FilmIdentity, PixelHeader } from "./header.ts";
import type { OpenFilm } from "./open-film.ts";
import { hasPrefix, parseFile } from "./parse.ts";
import { resident, residentCopy } from "./kernel/kernel.ts";
import { findLettering } from "./lettering.ts";
import type { FramePreparation } from "./pipeline.ts";
import type { Region } from "./regions.ts";
import { decodeRaster, rasterKind } from "./raster.ts";
import { trainingFrame } from "./training-frame.ts";

/** What intake takes from a file: header, digest and training frame. */
export interface ReadFilm {
  readonly identity: FilmIdentity;
  /** The table that sex and age were filled from; absent where the film says them itself. */
  readonly sources?: { readonly sex: string | null; readonly age: string | null };
  readonly film: FilmDescription;
  readonly pixels: Pick<
    PixelHeader,
    | "transferSyntax"
    | "rows"
    | "columns"
    | "bitsStored"
    | "photometricInterpretation"
    | "samplesPerPixel"
    | "numberOfFrames"
  >;
  readonly contentHash: string;
  /** Where words seem to be burned into the film. */
  readonly lettering: readonly Region[];
  /** Nothing was exposed: one value everywhere. */
  readonly uniform: boolean;
  /** framePixels x framePixels bytes. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** The tasks and answers between an import and its decode workers. */
export interface FilmTask {
  readonly id: number;
  readonly path: string;
  /** Where the film stands in the archive at `archive`, of which `path` is the inside. */
  readonly inArchive?: { readonly archive: string; readonly member: ArchiveMember } | null;
  readonly framePixels: number;
  readonly preparation: FramePreparation;
  /** A table may name the patient of a film that does not itself. */
  readonly patientFromTable: boolean;
  /** How the film's content hash is made. */
  readonly contentDigest: ContentDigest;
}

export type FilmAnswer = { readonly film: ReadFilm } | { readonly rejection: Rejection };

export interface Rejection {
  readonly code: RejectionCode;
  /** The plain reason; the remedy belongs to the code. */
  readonly found: string;
}

export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: FilmAnswer };

/** Enough for the header of nearly every film; what is no film is refused without the rest. */
const headBytes = 128 * 1024;

/**
 * Reads one film for intake. Never throws for what a file holds: a file that cannot be used is
 * answered with its reason.
 */
export async function readFilm(
  {
    path,
    inArchive,
    framePixels,
    preparation,
    patientFromTable,
    contentDigest,
  }: Omit<FilmTask, "id">,
  buffer: FileBuffer,
): Promise<FilmAnswer> {
  try {
    const bytes =
      inArchive == null
        ? buffer.read(path, {
            firstBytes: headBytes,
            check: (head) => refuseEarly(head, patientFromTable),
          })
        : readMember(inArchive.archive, inArchive.member);
    const { header, frame: stored } = await openRadiograph(bytes, patientFromTable);
    const { identity, film, pixels } = header;
    const hash = contentHash(stored, contentDigest);
    const near = inKernel(stored);
    const lettering = findLettering(near);
    const uniform = isUniform(near);
    // Last, since it may work a table into the values where they lie.
    const { pixels: frame } = trainingFrame(near, pixels, framePixels, preparation);
    return {
      film: {
        identity,
        film,
        pixels: {
          transferSyntax: pixels.transferSyntax,
          rows: pixels.rows,
          columns: pixels.columns,
          bitsStored: pixels.bitsStored,
          photometricInterpretation: pixels.photometricInterpretation,
          samplesPerPixel: pixels.samplesPerPixel,
          numberOfFrames: pixels.numberOfFrames,
        },
        contentHash: hash,
        lettering,
        uniform,
        frame,
      },
    };
  } catch (thrown) {
    return { rejection: toRejection(thrown) };
  }
}

/**
 * A monochrome film's values where the kernel reaches them, in 16 bits each, so that what follows
 * copies them no more. Valid until the next film.
 */
function inKernel(frame: StoredFrame): StoredFrame {
  const { values } = frame;
  if (frame.samplesPerPixel !== 1) return frame;
  if (values instanceof Int32Array || values instanceof Uint32Array) return frame;
  const narrow = values instanceof Uint8Array || values instanceof Int8Array;
  const pixels = narrow ? residentCopy(values) : resident(values);
  return { ...frame, values: pixels.kernel.values(pixels) };
}

/** Looks at every 61st value; a film with an image on it differs somewhere among them. */
function isUniform({ values }: StoredFrame): boolean {
  for (let i = 61; i < values.length; i += 61) if (values[i] !== values[0]) return false;
  return true;
}

/** A picture says nothing of itself; a DICOM file has to be a radiograph with identifiers. */
async function openRadiograph(bytes: Uint8Array, patientFromTable: boolean): Promise<OpenFilm> {
  const kind = rasterKind(bytes);
  if (kind !== null) return decodeRaster(bytes, kind);
  const file = parseFile(bytes);
  requireRadiograph(file.header, patientFromTable);
  return { header: file.header, frame: await decodeFrame(file) };
}

/** Any failure as a reason. Unexpected ones say nothing of the file, which may hold identities. */
export function toRejection(thrown: unknown): Rejection {
  if (thrown instanceof DicomError) return { code: thrown.code, found: thrown.found };
  if (thrown instanceof RangeError) {
    return { code: "damaged-header", found: "The DICOM header contradicts itself." };
  }
  return { code: "decoder-failed", found: "The image could not be decoded." };
}

function refuseEarly(head: Uint8Array, patientFromTable: boolean): void {
  // Without the prefix, or where the header goes on beyond the head, only the whole file tells.
  if (!hasPrefix(head)) return;
  let parsed: ReturnType<typeof parseFile>;
  try {
    parsed = parseFile(head);
  } catch {
    return;
  }
  if (parsed.pixelData !== null) requireRadiograph(parsed.header, patientFromTable);
}

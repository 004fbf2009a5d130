import type { FilmHeader } from "../../shared/film.ts";
import type { StoredFrame } from "./decode.ts";
import { readOriginal } from "./archive.ts";
import { FileBuffer } from "./file-buffer.ts";
import type { DicomHeader, PixelHeader } from "./header.ts";
import { openFilm } from "./open-film.ts";
import { displayImage } from "./pixels.ts";
import { isInverted } from "./voi.ts";

export interface Film {
  readonly header: FilmHeader;
  /** rows x columns, in the machine's byte order (little endian on all supported machines). */
  readonly pixels: Uint16Array | Int16Array;
}

/**
 * A film at full resolution for the viewer, which does a linear window only: a VOI LUT, a sigmoid,
 * a modality LUT, colour and 32 bits are worked into the values; slope, intercept and a linear
 * window are handed over as numbers.
 *
 * @throws DicomError where the file cannot be decoded.
 */
export async function filmForViewing(path: string): Promise<Film> {
  const { frame, header } = await openFilm(await readOriginal(path, new FileBuffer()));
  return toFilm(frame, header);
}

function toFilm(frame: StoredFrame, header: DicomHeader): Film {
  const pixels = plainValues(frame, header.pixels);
  if (pixels === null) return bakedFilm(frame, header);
  const range = valueRange(pixels, header.pixels);
  const window = linearWindow(header.pixels);
  const { rescaleSlope: slope, rescaleIntercept: intercept } = header.pixels;
  const ends = [range.minimum * slope + intercept, range.maximum * slope + intercept];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  return {
    pixels,
    header: {
      ...commonHeader(frame, header),
      ...range,
      signed: pixels instanceof Int16Array,
      slope,
      intercept,
      // LINEAR spans centre - 0.5 plus and minus (width - 1) / 2 (PS3.3 C.11.2.1.2.1).
      windowCenter: window?.center ?? (low + high) / 2 + 0.5,
      windowWidth: window?.width ?? high - low + 1,
      invert: isInverted(header.pixels),
      windowFrom: window === null ? "range" : "file",
    },
  };
}

/** The stored values where the viewer can show them with its linear window; else null. */
function plainValues(frame: StoredFrame, header: PixelHeader): Uint16Array | Int16Array | null {
  const { values } = frame;
  const sigmoid = header.window !== null && header.voiLutFunction === "SIGMOID";
  if (frame.samplesPerPixel !== 1 || sigmoid) return null;
  if (header.voiLut !== null || header.modalityLut !== null) return null;
  if (values instanceof Uint16Array || values instanceof Int16Array) return values;
  if (values instanceof Uint8Array) return Uint16Array.from(values);
  if (values instanceof Int8Array) return Int16Array.from(values);
  return null;
}

/** The file's window as a LINEAR one; LINEAR_EXACT is the same line half a unit further. */
function linearWindow({ window, voiLutFunction }: PixelHeader) {
  if (window === null) return null;
  if (voiLutFunction === "LINEAR_EXACT") {
    return { center: window.center + 0.5, width: window.width + 1 };
  }
  return window.width >= 1 ? window : null;
}

function valueRange(
  pixels: Uint16Array | Int16Array,
  { padding }: PixelHeader,
): { readonly minimum: number; readonly maximum: number } {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i] ?? 0;
    if (padding !== null && value >= padding.low && value <= padding.high) continue;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return minimum > maximum ? { minimum: 0, maximum: 0 } : { minimum, maximum };
}

function bakedFilm(frame: StoredFrame, header: DicomHeader): Film {
  // displayImage has turned the film over already, so the viewer must not.
  const { indices, table } = displayImage(frame, header.pixels);
  const pixels = new Uint16Array(indices.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[indices[i] ?? 0] ?? 0;
  return {
    pixels,
    header: {
      ...commonHeader(frame, header),
      ...valueRange(pixels, { ...header.pixels, padding: null }),
      signed: false,
      slope: 1,
      intercept: 0,
      windowCenter: 32768,
      windowWidth: 65536,
      invert: false,
      windowFrom: "baked",
    },
  };
}

function commonHeader(frame: StoredFrame, { film, pixels }: DicomHeader) {
  return {
    rows: frame.rows,
    columns: frame.columns,
    bitsStored: pixels.bitsStored,
    photometricInterpretation: pixels.photometricInterpretation,
    pixelSpacingMillimetres: film.pixelSpacingMillimetres,
  };
}

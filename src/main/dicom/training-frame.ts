import { readOriginal } from "./archive.ts";
import { areaAverage, brightest, type Ramp } from "./area-average.ts";
import type { StoredFrame } from "./decode.ts";
import { FileBuffer } from "./file-buffer.ts";
import type { PixelHeader } from "./header.ts";
import { resident, residentCopy, type Clamp, type Resident } from "./kernel/kernel.ts";
import { openFilm } from "./open-film.ts";
import { preparationOf, type FramePreparation } from "./pipeline.ts";
import { displayImage } from "./pixels.ts";
import { placeInFrame } from "./regions.ts";
import { isInverted, statedRange } from "./voi.ts";

/** A square 8-bit frame as the networks read it, row by row. */
export interface TrainingFrame {
  readonly sizePixels: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Share of a frame's pixels that may fall outside of its 8 bits at each end. */
const tailShare = 0.005;
/** Below this many stored values between black and white the window is worked in value by value. */
const fewestRampValues = 64;

/**
 * The training frame: the display chain of PS3.3 (see `displayImage`), averaged exactly by area into
 * a square (with the film's aspect and black bars, or stretched), then stretched over 8 bits without
 * the outermost half per cent of its own pixels at each end, then equalised if so prepared. The same
 * bytes on every machine.
 *
 * Where the chain is a straight line between two ends, as it nearly always is, pixels are clamped to
 * the ends (rounded to whole stored values) and averaged before the line is applied, which gives the
 * same and is several times faster; elsewhere every pixel goes through a table.
 *
 * @throws DicomError "unsupported-pixels" for palettes.
 */
export function trainingFrame(
  frame: StoredFrame,
  header: PixelHeader,
  sizePixels: number,
  preparation: FramePreparation,
): TrainingFrame {
  const { rows, columns } = frame;
  const { left, top, width, height } = placeInFrame({ rows, columns }, sizePixels, preparation.fit);
  const { pixels, clamp, ramp } = straightChain(frame, header) ?? tabledChain(frame, header);
  const shades = areaAverage(pixels, { columns, rows }, clamp, ramp, { width, height });
  const content = pixels.kernel.eightBits(shades, Math.floor(shades.length * tailShare));
  if (preparation.equalise) equalise(content);
  // The content lies in the kernel's memory, so it is copied in any case.
  if (width === sizePixels && height === sizePixels) return { sizePixels, pixels: content.slice() };
  const square = new Uint8Array(sizePixels * sizePixels);
  for (let y = 0; y < height; y++) {
    square.set(content.subarray(y * width, (y + 1) * width), (top + y) * sizePixels + left);
  }
  return { sizePixels, pixels: square };
}

interface Chain {
  readonly pixels: Resident;
  readonly clamp: Clamp;
  readonly ramp: Ramp;
}

/** The chain as a clamp and a line; null where it is neither or needs finer steps. */
function straightChain(frame: StoredFrame, header: PixelHeader): Chain | null {
  const { values } = frame;
  const { photometricInterpretation: photometric, modalityLut, rescaleSlope: slope } = header;
  const monochrome = photometric === "MONOCHROME1" || photometric === "MONOCHROME2";
  if (frame.samplesPerPixel !== 1 || !monochrome || modalityLut !== null || slope === 0)
    return null;
  if (values instanceof Int32Array || values instanceof Uint32Array) return null;
  const stated = statedRange(header);
  if (stated === "curve") return null;
  const narrow = values instanceof Uint8Array || values instanceof Int8Array;
  const pixels = narrow ? residentCopy(values) : resident(values);
  const { flip } = pixels;
  const padding =
    header.padding === null
      ? null
      : {
          low: Math.max(0, header.padding.low + flip),
          high: Math.min(brightest, header.padding.high + flip),
        };
  const known = padding === null ? (frame.survey?.range ?? null) : null;
  const ends = stated === null ? (known ?? pixels.kernel.range(pixels, padding)) : toStored(stated);
  if (ends === null) return null;
  const turned = slope < 0 !== isInverted(header);
  const ramp = turned
    ? { black: ends.high, white: ends.low }
    : { black: ends.low, white: ends.high };
  const low = Math.max(0, ends.low);
  const high = Math.min(brightest, ends.high);
  if (ends.high - ends.low < fewestRampValues || low >= high) return null;
  // Padding has to be a value that the ramp makes black.
  if (padding !== null && (ramp.black < 0 || ramp.black > brightest)) return null;
  const black = Math.min(brightest, Math.max(0, ramp.black));
  return { pixels, clamp: { low, high, padding, black }, ramp };

  /** Modality units to whole stored values in unsigned order. */
  function toStored(range: { readonly low: number; readonly high: number }) {
    const stored = [range.low, range.high].map(
      (value) => Math.round((value - header.rescaleIntercept) / slope) + flip,
    );
    return { low: Math.min(...stored), high: Math.max(...stored) };
  }
}

/** Any chain, each pixel by its entry in the table of the display. */
function tabledChain(frame: StoredFrame, header: PixelHeader): Chain {
  const { indices, table } = displayImage(frame, header);
  const pixels = residentCopy(indices);
  pixels.kernel.lookUp(pixels, table);
  return {
    pixels,
    clamp: { low: 0, high: brightest, padding: null, black: 0 },
    ramp: { black: 0, white: brightest },
  };
}

/**
 * Global histogram equalisation in place, as OpenCV's equalizeHist, which the study used: each grey
 * level becomes its rank among the pixels, the lowest level 0 and the highest 255.
 */
function equalise(pixels: Uint8Array): void {
  const histogram = new Uint32Array(256);
  for (const value of pixels) histogram[value] = (histogram[value] ?? 0) + 1;
  const lowest = histogram.findIndex((count) => count > 0);
  const lowestCount = histogram[lowest] ?? 0;
  if (lowestCount === pixels.length) return;
  const scale = 255 / (pixels.length - lowestCount);
  const levels = new Uint8Array(256);
  let passed = 0;
  for (let level = lowest + 1; level < 256; level++) {
    passed += histogram[level] ?? 0;
    levels[level] = Math.round(passed * scale);
  }
  for (let i = 0; i < pixels.length; i++) pixels[i] = levels[pixels[i] ?? 0] ?? 0;
}

/**
 * The training frame of a file's first image by a version of the pixel pipeline.
 *
 * @throws DicomError where the file cannot be decoded or is no single-plane image.
 */
export async function renderFrame(
  path: string,
  sizePixels: number,
  pixelPipeline: string,
): Promise<TrainingFrame> {
  const { frame, header } = await openFilm(await readOriginal(path, new FileBuffer()));
  return trainingFrame(frame, header.pixels, sizePixels, preparationOf(pixelPipeline));
}

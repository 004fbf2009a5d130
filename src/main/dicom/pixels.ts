import { areaAverage } from "./area-average.ts";
import type { StoredFrame } from "./decode.ts";
import { DicomError } from "./errors.ts";
import { FileBuffer } from "./file-buffer.ts";
import type { PixelHeader } from "./header.ts";
import { openFilm } from "./open-film.ts";
import { isInverted, modalityTransform, statedShading, type Shading } from "./voi.ts";

/**
 * Changes whenever the same file would give another training frame. Kept with the cohort and the
 * model, since a model knows only the frames it was trained on.
 */
export const pixelPipelineVersion = "1";

/** The brightest value of the display's range. */
const brightest = 65535;
/** Share of the pixels that may fall outside at each end where the range is taken from the film. */
const tailShare = 0.005;

/** An image as indices into a table of display values, 0 (black) to 65535 (white). */
export interface DisplayImage {
  readonly rows: number;
  readonly columns: number;
  readonly indices: Uint8Array | Uint16Array;
  readonly table: Uint16Array;
}

/**
 * The chain of PS3.3 up to the display: stored value, padding, modality LUT, VOI LUT or window
 * (or, where the file states none, the range of the film without its outermost half per cent at
 * each end), presentation shape. MONOCHROME1 is turned over here and nowhere else. Padding
 * becomes black.
 *
 * @throws DicomError "unsupported-pixels" for palettes.
 */
export function displayImage(frame: StoredFrame, header: PixelHeader): DisplayImage {
  const { rows, columns } = frame;
  const photometric = header.photometricInterpretation;
  if (frame.samplesPerPixel === 3 && colourSpaces.has(photometric)) return luminance(frame);
  if (frame.samplesPerPixel !== 1 || !isMonochrome(photometric)) {
    const named = photometric === "PALETTE COLOR" ? "palette colour" : "this colour space";
    throw new DicomError("unsupported-pixels", `Images in ${named} are not supported.`);
  }
  const reduced = toIndices(frame);
  const toModality = modalityTransform(header);
  const valueOf = (index: number) => toModality(reduced.storedOf(index));
  const isPadding = (index: number) => {
    const stored = reduced.storedOf(index);
    return header.padding !== null && stored >= header.padding.low && stored <= header.padding.high;
  };
  const shading =
    statedShading(header) ?? filmRange(reduced.indices, reduced.count, valueOf, isPadding);
  const inverted = isInverted(header);
  const table = new Uint16Array(reduced.count);
  for (let index = 0; index < table.length; index++) {
    const share = shading(valueOf(index));
    const shade = Math.round(share * brightest);
    table[index] = isPadding(index) ? 0 : inverted ? brightest - shade : shade;
  }
  return { rows, columns, indices: reduced.indices, table };
}

const colourSpaces = new Set(["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"]);

function isMonochrome(photometric: string): boolean {
  return photometric === "MONOCHROME1" || photometric === "MONOCHROME2";
}

interface Indices {
  readonly indices: Uint8Array | Uint16Array;
  /** Indices lie below this. */
  readonly count: number;
  readonly storedOf: (index: number) => number;
}

/** Stored values as unsigned indices; 32-bit values lose what 16 bits cannot tell apart. */
function toIndices({ values, bitsStored, pixelRepresentation }: StoredFrame): Indices {
  if (values instanceof Uint8Array || values instanceof Uint16Array) {
    const wide = values instanceof Uint16Array;
    return {
      indices: values,
      count: wide ? 65536 : 256,
      storedOf: (index) => index,
    };
  }
  if (values instanceof Int8Array) {
    const indices = new Uint8Array(values.buffer, values.byteOffset, values.length);
    return { indices, count: 256, storedOf: (index) => (index << 24) >> 24 };
  }
  if (values instanceof Int16Array) {
    const indices = new Uint16Array(values.buffer, values.byteOffset, values.length);
    return { indices, count: 65536, storedOf: (index) => (index << 16) >> 16 };
  }
  const lowest = pixelRepresentation === 1 ? -(2 ** (bitsStored - 1)) : 0;
  const step = 2 ** Math.max(0, bitsStored - 16);
  const indices = new Uint16Array(values.length);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = Math.floor(((values[i] ?? 0) - lowest) / step);
  }
  return { indices, count: 65536, storedOf: (index) => index * step + lowest };
}

/** Shading over the film's own range, without the outermost pixels at each end. */
function filmRange(
  indices: Uint8Array | Uint16Array,
  count: number,
  valueOf: (index: number) => number,
  isPadding: (index: number) => boolean,
): Shading {
  const histogram = new Uint32Array(count);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? 0;
    histogram[index] = (histogram[index] ?? 0) + 1;
  }
  const occupied: { readonly value: number; readonly pixels: number }[] = [];
  for (let index = 0; index < count; index++) {
    const pixels = histogram[index] ?? 0;
    if (pixels > 0 && !isPadding(index)) occupied.push({ value: valueOf(index), pixels });
  }
  occupied.sort((a, b) => a.value - b.value);
  const pixels = occupied.reduce((sum, entry) => sum + entry.pixels, 0);
  const low = quantile(occupied, Math.floor(pixels * tailShare));
  const high = quantile(occupied, pixels - 1 - Math.floor(pixels * tailShare));
  if (high <= low) return (value) => (value < low ? 0 : value > low ? 1 : 0.5);
  return (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** The value of the pixel at `rank` (from 0) in ascending order. */
function quantile(
  occupied: readonly { readonly value: number; readonly pixels: number }[],
  rank: number,
): number {
  let passed = 0;
  for (const { value, pixels } of occupied) {
    passed += pixels;
    if (passed > rank) return value;
  }
  return 0;
}

/** Colour films are scans and screenshots: ITU-R BT.601 luma, or Y as it stands. */
function luminance({ rows, columns, values, bitsStored, photometricInterpretation }: StoredFrame) {
  const indices = new Uint16Array(rows * columns);
  const isLuma = photometricInterpretation.startsWith("YBR");
  const scale = brightest / (2 ** Math.min(16, bitsStored) - 1);
  for (let i = 0; i < indices.length; i++) {
    const red = values[i * 3] ?? 0;
    const luma = isLuma
      ? red
      : (299 * red + 587 * (values[i * 3 + 1] ?? 0) + 114 * (values[i * 3 + 2] ?? 0)) / 1000;
    indices[i] = Math.round(luma * scale);
  }
  return { rows, columns, indices, table: identityTable() };
}

function identityTable(): Uint16Array {
  const table = new Uint16Array(65536);
  for (let i = 0; i < table.length; i++) table[i] = i;
  return table;
}

/** A square 8-bit frame as the networks read it, row by row. */
export interface TrainingFrame {
  readonly sizePixels: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/**
 * The training frame: the film fitted into a square with its aspect kept (letterbox, black bars),
 * averaged exactly by area, then stretched over 8 bits without the outermost half per cent of its
 * own pixels at each end. Whole numbers throughout, so every machine gives the same bytes.
 */
export function trainingFrame(image: DisplayImage, sizePixels: number): TrainingFrame {
  const { rows, columns, indices, table } = image;
  const longer = Math.max(rows, columns);
  const fit = (length: number) =>
    Math.max(1, Math.floor((2 * length * sizePixels + longer) / (2 * longer)));
  const width = fit(columns);
  const height = fit(rows);
  const content = areaAverage(indices, columns, rows, table, width, height);
  const { low, high } = frameRange(content);
  const pixels = new Uint8Array(sizePixels * sizePixels);
  const left = Math.floor((sizePixels - width) / 2);
  const top = Math.floor((sizePixels - height) / 2);
  const range = high - low;
  for (let y = 0; y < height; y++) {
    const target = (top + y) * sizePixels + left;
    for (let x = 0; x < width; x++) {
      const value = Math.min(high, Math.max(low, content[y * width + x] ?? 0));
      pixels[target + x] =
        range === 0 ? value >>> 8 : Math.floor(((value - low) * 510 + range) / (2 * range));
    }
  }
  return { sizePixels, pixels };
}

function frameRange(content: Uint16Array): { readonly low: number; readonly high: number } {
  const histogram = new Uint32Array(brightest + 1);
  for (const value of content) histogram[value] = (histogram[value] ?? 0) + 1;
  const skip = Math.floor(content.length * tailShare);
  let low = 0;
  for (let passed = histogram[0] ?? 0; passed <= skip; passed += histogram[low] ?? 0) low++;
  let high = brightest;
  for (let passed = histogram[high] ?? 0; passed <= skip; passed += histogram[high] ?? 0) high--;
  return { low, high };
}

/**
 * The training frame of a file's first image.
 *
 * @throws DicomError where the file cannot be decoded or is no single-plane image.
 */
export async function renderFrame(path: string, sizePixels: number): Promise<TrainingFrame> {
  const { frame, header } = await openFilm(new FileBuffer().read(path));
  return trainingFrame(displayImage(frame, header.pixels), sizePixels);
}

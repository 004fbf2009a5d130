import { brightest } from "./area-average.ts";
import type { StoredFrame } from "./decode.ts";
import { DicomError } from "./errors.ts";
import type { PixelHeader } from "./header.ts";
import { isInverted, modalityTransform, statedShading, type Shading } from "./voi.ts";

/** An image as indices into a table of display values, 0 (black) to 65535 (white). */
export interface DisplayImage {
  readonly rows: number;
  readonly columns: number;
  readonly indices: Uint8Array | Uint16Array;
  readonly table: Uint16Array;
}

/**
 * The chain of PS3.3 up to the display: stored value, padding, modality LUT, VOI LUT or window
 * (or, where the file states none, the range of the film), presentation shape. MONOCHROME1 is
 * turned over once. Padding becomes black.
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

/** Shading over the film's own range of modality values, padding left out. */
function filmRange(
  indices: Uint8Array | Uint16Array,
  count: number,
  valueOf: (index: number) => number,
  isPadding: (index: number) => boolean,
): Shading {
  const seen = new Uint8Array(count);
  for (let i = 0; i < indices.length; i++) seen[indices[i] ?? 0] = 1;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    if (seen[index] === 0 || isPadding(index)) continue;
    low = Math.min(low, valueOf(index));
    high = Math.max(high, valueOf(index));
  }
  if (high <= low) return () => 0.5;
  return (value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
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

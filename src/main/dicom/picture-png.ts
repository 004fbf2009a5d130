import { crc32, inflateSync } from "node:zlib";
import type { DecodedPng } from "fast-png";
import { DicomError } from "./errors.ts";
import { latin1, requirePlausible, type Picture } from "./picture.ts";

interface PngShape {
  readonly columns: number;
  readonly rows: number;
  readonly depth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
}

const channelsByColourType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/**
 * Decodes a grey or colour PNG of 1 to 16 bits, exactly as coded.
 *
 * @throws DicomError where it is damaged, transparent, too large or has a palette.
 */
export async function decodePngPicture(bytes: Uint8Array): Promise<Picture> {
  // Loaded where there is a picture only: decode workers start sooner.
  const { decode: decodePngSamples } = await import("fast-png");
  const { shape, essential } = essentialChunks(bytes);
  const { rows, columns, depth } = shape;
  const channels = channelsByColourType[shape.colourType] ?? 0;
  let decoded: DecodedPng;
  try {
    decoded = decodePngSamples(essential);
  } catch (thrown) {
    throw new DicomError("decoder-failed", "The PNG is damaged.", { cause: thrown });
  }
  const { data } = decoded;
  const packed = depth < 8 && channels === 1;
  const samples = packed ? unpack(data, rows, columns, depth) : narrowed(data);
  if (samples.length !== rows * columns * channels) {
    throw new DicomError("decoder-failed", "The PNG decodes to another size.");
  }
  return {
    rows,
    columns,
    bits: depth,
    samplesPerPixel: channels < 3 ? 1 : 3,
    colour: "RGB",
    samples: channels === 2 || channels === 4 ? withoutAlpha(samples, channels, depth) : samples,
  };
}

/** Samples of fewer than eight bits stand packed, each row from a whole byte (PNG 7.2). */
function unpack(data: ArrayLike<number>, rows: number, columns: number, depth: number) {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(columns / perByte);
  const mask = 2 ** depth - 1;
  const out = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const byte = data[y * rowBytes + Math.floor(x / perByte)] ?? 0;
      out[y * columns + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
    }
  }
  return out;
}

function narrowed(data: Uint8Array | Uint8ClampedArray | Uint16Array): Picture["samples"] {
  return data instanceof Uint8ClampedArray ? new Uint8Array(data) : data;
}

/** @throws DicomError where anything is transparent: what stands behind it is unknown. */
function withoutAlpha(samples: Picture["samples"], channels: 2 | 4, depth: number) {
  const opaque = 2 ** depth - 1;
  const kept = channels - 1;
  const pixels = samples.length / channels;
  const out = samples.slice(0, pixels * kept);
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (samples[pixel * channels + kept] !== opaque) {
      throw transparent();
    }
    for (let sample = 0; sample < kept; sample++) {
      out[pixel * kept + sample] = samples[pixel * channels + sample] ?? 0;
    }
  }
  return out;
}

function transparent(): DicomError {
  return new DicomError("unsupported-pixels", "The PNG is transparent in places.");
}

/**
 * Checks a PNG's chunks and keeps those that carry pixels: a few kilobytes can inflate to
 * gigabytes, so the size is known to be right before anything is decoded.
 */
function essentialChunks(bytes: Uint8Array): { shape: PngShape; essential: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const data: Uint8Array[] = [];
  let shape: PngShape | null = null;
  let ended = false;
  for (let at = 8; at + 12 <= bytes.length && !ended;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const type = latin1(bytes, at + 4, 4);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new DicomError("decoder-failed", "The PNG is damaged: a checksum is wrong.");
    }
    if (type === "IHDR" && length === 13 && shape === null) shape = readShape(view, at + 8);
    else if (type === "tRNS") throw transparent();
    else if (type === "IDAT") data.push(bytes.subarray(at + 8, at + 8 + length));
    if (["IHDR", "IDAT", "IEND"].includes(type)) kept.push(bytes.subarray(at, end));
    ended = type === "IEND";
    at = end;
  }
  if (shape === null) throw new DicomError("decoder-failed", "The PNG has no readable header.");
  if (!ended) throw new DicomError("truncated", "The PNG ends early.");
  requireSize(data, shape);
  return { shape, essential: Buffer.concat(kept) };
}

function readShape(view: DataView, at: number): PngShape {
  const shape = {
    columns: view.getUint32(at),
    rows: view.getUint32(at + 4),
    depth: view.getUint8(at + 8),
    colourType: view.getUint8(at + 9),
    interlaced: view.getUint8(at + 12) === 1,
  };
  requirePlausible(shape.rows, shape.columns);
  if (channelsByColourType[shape.colourType] === undefined) {
    throw new DicomError("unsupported-pixels", "PNGs with a palette are not read.");
  }
  if (shape.interlaced && shape.depth < 8) {
    throw new DicomError("unsupported-pixels", "Interlaced PNGs below 8 bits are not read.");
  }
  if (![1, 2, 4, 8, 16].includes(shape.depth) || (shape.depth < 8 && shape.colourType !== 0)) {
    throw new DicomError("implausible-header", "The PNG claims an impossible number of bits.");
  }
  return shape;
}

function requireSize(data: readonly Uint8Array[], shape: PngShape): void {
  const expected = inflatedBytes(shape);
  let present: number;
  try {
    present = inflateSync(Buffer.concat(data), { maxOutputLength: expected + 1 }).length;
  } catch (thrown) {
    throw new DicomError("decoder-failed", "The PNG's pixels are damaged or cut off.", {
      cause: thrown,
    });
  }
  if (present !== expected) {
    throw new DicomError("implausible-header", "The PNG holds another number of pixels.");
  }
}

/** Bytes of all rows, each with its filter's number; Adam7 passes as in PNG 8.2. */
function inflatedBytes({ rows, columns, depth, colourType, interlaced }: PngShape): number {
  const bits = depth * (channelsByColourType[colourType] ?? 0);
  const passes = interlaced
    ? [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
      ]
    : [[0, 0, 1, 1]];
  return passes.reduce((sum, [x = 0, y = 0, stepX = 1, stepY = 1]) => {
    const width = Math.ceil((columns - x) / stepX);
    const height = Math.ceil((rows - y) / stepY);
    return width > 0 && height > 0 ? sum + height * (1 + Math.ceil((width * bits) / 8)) : sum;
  }, 0);
}

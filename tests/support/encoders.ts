import dcmjsCodecs from "dcmjs-codecs";
import type { PixelForm } from "./films.ts";

const { Context, NativeCodecs, log } = dcmjsCodecs;

export interface Encoding {
  readonly title: string;
  readonly transferSyntax: string;
  /** Bits stored that the coding can carry. */
  readonly bits: readonly [lowest: number, highest: number];
  readonly lossless: boolean;
  encode(pixels: Uint8Array, form: PixelForm): Uint8Array;
}

/** Loads the encoders; call once before the tests. */
export async function loadEncoders(): Promise<void> {
  log.setLevel("silent");
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
}

function context(pixels: Uint8Array, form: PixelForm) {
  return new Context({
    width: form.columns,
    height: form.rows,
    bitsAllocated: form.bitsAllocated,
    bitsStored: form.bitsStored,
    samplesPerPixel: form.samplesPerPixel ?? 1,
    pixelRepresentation: form.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: (form.samplesPerPixel ?? 1) === 1 ? "MONOCHROME2" : "RGB",
    decodedBuffer: pixels,
  });
}

function bytesOf(encoded: { getEncodedBuffer(): Uint8Array | undefined }): Uint8Array {
  const bytes = encoded.getEncodedBuffer();
  if (bytes === undefined) throw new Error("The encoder gave nothing.");
  return bytes;
}

type Lossless = "encodeJpegLs" | "encodeJpeg2000" | "encodeHtJpeg2000";
const lossless =
  (method: Lossless): Encoding["encode"] =>
  (pixels, form) => {
    // JPEG-LS takes the bytes that are allocated, the others one where the stored bits fit it.
    const narrow = method !== "encodeJpegLs" && isNarrow(form);
    const image = context(narrow ? lowBytes(pixels) : pixels, narrow ? narrowed(form) : form);
    return bytesOf(NativeCodecs[method](image, { lossy: false }));
  };
const jpeg =
  (options: { lossy: boolean; predictor?: number; quality?: number }): Encoding["encode"] =>
  (pixels, form) => {
    // JPEG knows no sign: its samples are the stored bits alone, in a byte where they fit one.
    const bits = clearUnusedBits(pixels, form);
    const narrow = isNarrow(form);
    const image = context(narrow ? lowBytes(bits) : bits, {
      ...(narrow ? narrowed(form) : form),
      signed: false,
    });
    return bytesOf(NativeCodecs.encodeJpeg(image, { ...options, pointTransform: 0 }));
  };

/** Stored bits that fit a byte in two allocated ones. */
const isNarrow = (form: PixelForm): boolean => form.bitsAllocated === 16 && form.bitsStored <= 8;
const narrowed = (form: PixelForm): PixelForm => ({ ...form, bitsAllocated: 8 });
const lowBytes = (pixels: Uint8Array): Uint8Array => pixels.filter((_, at) => at % 2 === 0);

function clearUnusedBits(pixels: Uint8Array, form: PixelForm): Uint8Array {
  if (form.bitsAllocated !== 16) return pixels;
  const cleared = new Uint16Array(pixels.slice().buffer).map(
    (value) => value & (2 ** form.bitsStored - 1),
  );
  return new Uint8Array(cleared.buffer);
}

/** Each compressed syntax with an encoder to make test films. */
export const encodings: readonly Encoding[] = [
  {
    title: "JPEG baseline",
    transferSyntax: "1.2.840.10008.1.2.4.50",
    bits: [8, 8],
    lossless: false,
    encode: jpeg({ lossy: true, quality: 95, predictor: 0 }),
  },
  ...[1, 4, 6, 7].map((predictor) => ({
    title: `JPEG lossless, predictor ${predictor}`,
    transferSyntax: predictor === 1 ? "1.2.840.10008.1.2.4.70" : "1.2.840.10008.1.2.4.57",
    bits: [2, 16] as const,
    lossless: true,
    encode: jpeg({ lossy: false, predictor }),
  })),
  {
    title: "JPEG-LS",
    transferSyntax: "1.2.840.10008.1.2.4.80",
    bits: [2, 16],
    lossless: true,
    encode: lossless("encodeJpegLs"),
  },
  {
    title: "JPEG 2000",
    transferSyntax: "1.2.840.10008.1.2.4.90",
    bits: [2, 16],
    lossless: true,
    encode: lossless("encodeJpeg2000"),
  },
  {
    title: "HTJ2K",
    transferSyntax: "1.2.840.10008.1.2.4.201",
    bits: [2, 16],
    lossless: true,
    encode: lossless("encodeHtJpeg2000"),
  },
];

/**
 * JPEG extended (process 4) of 12 bits, written from ISO 10918-1: every block of 8 x 8 has one
 * value, which a decoder must give back exactly, since only its DC coefficient is coded.
 *
 * @param blocks the value of each block, 0 to 4095, row by row.
 */
export function encodeExtendedJpeg(
  blocks: readonly number[],
  blockRows: number,
  blockColumns: number,
): Uint8Array {
  const big16 = (value: number) => [value >> 8, value & 255];
  const segment = (marker: number, body: readonly number[]) => [
    0xff,
    marker,
    ...big16(body.length + 2),
    ...body,
  ];
  let bits = "";
  let previous = 0;
  for (const block of blocks) {
    const coefficient = block - 2048;
    const difference = coefficient - previous;
    previous = coefficient;
    const category = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
    const magnitude = difference < 0 ? difference + 2 ** category - 1 : difference;
    bits += category.toString(2).padStart(4, "0");
    if (category > 0) bits += magnitude.toString(2).padStart(category, "0");
    bits += "0";
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  const scan: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    const byte = Number.parseInt(bits.slice(i, i + 8), 2);
    scan.push(byte);
    if (byte === 0xff) scan.push(0);
  }
  const categories = Array.from({ length: 13 }, (_, index) => index);
  return Uint8Array.from([
    0xff,
    0xd8,
    // A quantiser of 8 undoes the factor 8 of the DC coefficient.
    ...segment(0xdb, [0, ...Array.from({ length: 64 }, () => 8)]),
    ...segment(0xc1, [12, ...big16(blockRows * 8), ...big16(blockColumns * 8), 1, 1, 0x11, 0]),
    // DC: thirteen categories in four bits each. AC: end of block in one bit.
    ...segment(0xc4, [0, 0, 0, 0, 13, ...Array.from({ length: 12 }, () => 0), ...categories]),
    ...segment(0xc4, [0x10, 1, ...Array.from({ length: 15 }, () => 0), 0]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...scan,
    0xff,
    0xd9,
  ]);
}

/** RLE Lossless with literal and repeated runs, written from PS3.5 annex G. */
export function encodeRle(pixels: Uint8Array, samples: number, bytesPerSample: number): Uint8Array {
  const pixelBytes = samples * bytesPerSample;
  const count = pixels.length / pixelBytes;
  const segments: Buffer[] = [];
  for (let sample = 0; sample < samples; sample++) {
    for (let byte = bytesPerSample - 1; byte >= 0; byte--) {
      const plane = Buffer.alloc(count);
      for (let i = 0; i < count; i++) {
        plane[i] = pixels[i * pixelBytes + sample * bytesPerSample + byte] ?? 0;
      }
      segments.push(packBits(plane));
    }
  }
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let offset = 64;
  segments.forEach((segment, index) => {
    header.writeUInt32LE(offset, 4 + index * 4);
    offset += segment.length;
  });
  return Buffer.concat([header, ...segments]);
}

function packBits(plane: Buffer): Buffer {
  const out: number[] = [];
  let position = 0;
  while (position < plane.length) {
    let run = 1;
    while (run < 128 && plane[position + run] === plane[position]) run++;
    if (run > 1) {
      out.push(257 - run, plane[position] ?? 0);
      position += run;
      continue;
    }
    let literal = 1;
    while (
      literal < 128 &&
      position + literal < plane.length &&
      plane[position + literal] !== plane[position + literal + 1]
    ) {
      literal++;
    }
    out.push(literal - 1, ...plane.subarray(position, position + literal));
    position += literal;
  }
  if (out.length % 2 === 1) out.push(128);
  return Buffer.from(out);
}

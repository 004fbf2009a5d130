import { createRequire } from "node:module";

import type * as DcmjsCodecs from "dcmjs-codecs";

import type { StoredImage } from "./stored-values.ts";
import type { TransferSyntax } from "./transfer-syntax.ts";

type Codecs = typeof DcmjsCodecs;

let codecs: Codecs | undefined;

/** Loads the encoders that the syntaxes need; nothing for uncompressed and run-length files. */
export async function prepareEncoders(syntaxes: readonly TransferSyntax[]): Promise<void> {
  if (codecs || syntaxes.every(({ coding }) => coding === "native" || coding === "rle")) return;
  const loaded = createRequire(import.meta.url)("dcmjs-codecs") as Codecs;
  await loaded.NativeCodecs.initializeAsync({ logCodecsInfo: false, logCodecsTrace: false });
  codecs = loaded;
}

/** The pixel data of one frame: the bytes themselves, or one encapsulated fragment. */
export function encodeFrame(
  image: StoredImage,
  columns: number,
  rows: number,
  syntax: TransferSyntax,
): Uint8Array {
  if (syntax.coding === "native") return image.pixels;
  if (syntax.coding === "rle") return encodeRunLength(image, columns, rows);
  if (!codecs) throw new Error("prepareEncoders must be awaited first.");
  // one options object for each call: the codecs write into it
  const context = new codecs.Context({
    width: columns,
    height: rows,
    bitsAllocated: image.bitsAllocated,
    bitsStored: image.bitsStored,
    samplesPerPixel: 1,
    pixelRepresentation: image.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: image.monochrome1 ? "MONOCHROME1" : "MONOCHROME2",
    decodedBuffer: image.pixels,
  });
  const { NativeCodecs } = codecs;
  const encoded = {
    "jpeg-baseline": () => NativeCodecs.encodeJpeg(context, { lossy: true, quality: 92 }),
    "jpeg-lossless": () =>
      NativeCodecs.encodeJpeg(context, { lossy: false, predictor: 1, pointTransform: 0 }),
    "jpeg-ls": () => NativeCodecs.encodeJpegLs(context, { lossy: false }),
    "jpeg-2000": () => NativeCodecs.encodeJpeg2000(context, { lossy: false, progressionOrder: 0 }),
  }[syntax.coding]();
  const bytes = encoded.getEncodedBuffer();
  if (!bytes) throw new Error(`The ${syntax.name} encoder returned nothing.`);
  return Uint8Array.from(bytes);
}

/** DICOM run-length coding (PS3.5 annex G): byte planes, most significant first, each PackBits. */
function encodeRunLength(image: StoredImage, columns: number, rows: number): Uint8Array {
  const planes = image.bitsAllocated / 8;
  const segments: Uint8Array[] = [];
  for (let plane = 0; plane < planes; plane++) {
    const output: number[] = [];
    const row = new Uint8Array(columns);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        row[x] = image.pixels[(y * columns + x) * planes + (planes - 1 - plane)] ?? 0;
      }
      packBits(row, output);
    }
    if (output.length % 2 === 1) output.push(0);
    segments.push(Uint8Array.from(output));
  }
  const length = segments.reduce((sum, segment) => sum + segment.length, 64);
  const bytes = new Uint8Array(length);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, planes, true);
  let offset = 64;
  segments.forEach((segment, index) => {
    header.setUint32(4 + 4 * index, offset, true);
    bytes.set(segment, offset);
    offset += segment.length;
  });
  return bytes;
}

function packBits(row: Uint8Array, output: number[]): void {
  let at = 0;
  while (at < row.length) {
    let run = 1;
    while (at + run < row.length && run < 128 && row[at + run] === row[at]) run++;
    if (run > 1) {
      output.push(257 - run, row[at] ?? 0);
      at += run;
      continue;
    }
    const start = at;
    while (
      at < row.length &&
      at - start < 128 &&
      (at + 1 >= row.length || row[at] !== row[at + 1])
    ) {
      at++;
    }
    output.push(at - start - 1);
    for (let index = start; index < at; index++) output.push(row[index] ?? 0);
  }
}

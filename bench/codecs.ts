import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { frameDecoder } from "../src/main/dicom/codecs.ts";
import { newestDigest } from "../src/main/dicom/content-hash.ts";
import { FileBuffer } from "../src/main/dicom/file-buffer.ts";
import { parseFile } from "../src/main/dicom/parse.ts";
import { defaultPreparation } from "../src/main/dicom/pipeline.ts";
import { readFilm } from "../src/main/dicom/read-film.ts";
import { decodeRle } from "../src/main/dicom/rle.ts";
import { pixelCodings } from "../src/main/dicom/syntaxes.ts";
import { writeDicom, type WriteOptions } from "../tests/support/dicom-writer.ts";
import {
  encodeExtendedJpeg,
  encodeRle,
  encodings,
  loadEncoders,
  type Encoding,
} from "../tests/support/encoders.ts";
import { filmElements, pixelElements, seeded, type PixelForm } from "../tests/support/films.ts";

/**
 * What intake adds to each codec: for one film in each transfer syntax that has to be decoded, the
 * codec alone and all that a worker does to the film, in turns on one thread; medians. Films have 12
 * bits, or 8 where the coding carries no more. Of JPEG extended only the mean of each block is coded. For
 * run lengths the codec is the product's own, for deflated films zlib, for big endian the swap of bytes.
 *
 *     node bench/codecs.ts [--size 2048] [--frame 512] [--repetitions 9]
 */
const { values: args } = parseArgs({
  options: {
    size: { type: "string", default: "2048" },
    frame: { type: "string", default: "512" },
    repetitions: { type: "string", default: "9" },
  },
});
const size = Number(args.size);
const formOf = (bits: 8 | 12): PixelForm => ({
  rows: size,
  columns: size,
  bitsAllocated: bits === 8 ? 8 : 16,
  bitsStored: bits,
  signed: false,
});

interface Subject {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** The codec alone, on the bytes that stand in the film. */
  readonly alone: () => unknown;
}

const folder = mkdtempSync(join(tmpdir(), "silhouette-bench-"));
try {
  await loadEncoders();
  const decoder = await frameDecoder();
  const buffer = new FileBuffer();
  const path = join(folder, "film.dcm");
  for (const make of [...encodings.map(byCodec), extended, runLengths, deflated, bigEndian]) {
    const { title, bytes, alone: codec } = make();
    writeFileSync(path, bytes);
    const alone: number[] = [];
    const whole: number[] = [];
    // Once before the clock: what is compiled on first use is compiled then.
    for (let turn = -1; turn < Number(args.repetitions); turn++) {
      let started = performance.now();
      codec();
      const codecMilliseconds = performance.now() - started;
      started = performance.now();
      const answer = await readFilm(
        {
          path,
          inArchive: null,
          framePixels: Number(args.frame),
          preparation: defaultPreparation,
          patientFromTable: false,
          contentDigest: newestDigest,
        },
        buffer,
      );
      const wholeMilliseconds = performance.now() - started;
      if (!("film" in answer)) throw new Error(`${title}: ${answer.rejection.found}`);
      if (turn < 0) continue;
      alone.push(codecMilliseconds);
      whole.push(wholeMilliseconds);
    }
    const [codecMedian, all] = [median(alone), median(whole)];
    console.log(
      `${title.padEnd(34)} ${(bytes.length / 1e6).toFixed(1)} MB  codec ${codecMedian.toFixed(1)} ms, ` +
        `whole ${all.toFixed(1)} ms, ratio ${(all / codecMedian).toFixed(2)}`,
    );
  }

  function byCodec(encoding: Encoding): () => Subject {
    return () => {
      const { title, transferSyntax } = encoding;
      const form = formOf(encoding.bits[1] < 12 ? 8 : 12);
      return compressed(title, transferSyntax, form, encoding.encode(filmLike(form), form));
    };
  }

  function extended(): Subject {
    const side = size / 8;
    const film = filmLike(formOf(12));
    const values = new Uint16Array(film.buffer);
    const blocks = Array.from(
      { length: side * side },
      (_, i) => values[Math.floor(i / side) * 8 * size + (i % side) * 8] ?? 0,
    );
    const encoded = encodeExtendedJpeg(blocks, side, side);
    return compressed("JPEG extended, 12 bits", "1.2.840.10008.1.2.4.51", formOf(12), encoded);
  }

  function compressed(
    title: string,
    transferSyntax: string,
    form: PixelForm,
    encoded: Uint8Array,
  ): Subject {
    const coding = pixelCodings[transferSyntax];
    if (coding === undefined || coding === "native" || coding === "rle") {
      throw new Error(`${title} has no codec.`);
    }
    const bytes = film(form, { transferSyntax, frames: [[encoded]] });
    const { header } = parseFile(bytes);
    return { title, bytes, alone: () => decoder.decode(coding, encoded, header.pixels) };
  }

  function runLengths(): Subject {
    const form = formOf(12);
    const encoded = encodeRle(filmLike(form), 1, 2);
    const bytes = film(form, { transferSyntax: "1.2.840.10008.1.2.5", frames: [[encoded]] });
    return { title: "Run lengths", bytes, alone: () => decodeRle(encoded, size * size, 1, 2) };
  }

  function deflated(): Subject {
    const form = formOf(12);
    const pixels = filmLike(form);
    const packed = deflateRawSync(pixels);
    const bytes = film(form, { transferSyntax: "1.2.840.10008.1.2.1.99", pixels });
    return { title: "Deflated", bytes, alone: () => inflateRawSync(packed) };
  }

  function bigEndian(): Subject {
    const form = formOf(12);
    const pixels = filmLike(form);
    const bytes = film(form, { transferSyntax: "1.2.840.10008.1.2.2", pixels });
    return { title: "Big endian", bytes, alone: () => Buffer.from(pixels).swap16() };
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function film(form: PixelForm, options: WriteOptions): Uint8Array {
  return writeDicom({ ...filmElements(1, 1), ...pixelElements(form) }, options);
}

/** Smooth shades with the noise of a detector, so that codecs have what they have with films. */
function filmLike({ bitsStored }: PixelForm): Uint8Array {
  const random = seeded(1);
  const values = new Uint16Array(size * size);
  const scale = 2 ** (bitsStored - 12);
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [(i % size) / size, Math.floor(i / size) / size];
    const shade = 1800 + 1200 * Math.sin(5 * x) * Math.cos(4 * y) + (random() + random()) * 12;
    values[i] = shade * scale;
  }
  return bitsStored === 8 ? Uint8Array.from(values) : new Uint8Array(values.buffer);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

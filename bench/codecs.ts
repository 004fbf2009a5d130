import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { frameDecoder, type CompressedCoding } from "../src/main/dicom/codecs.ts";
import { newestDigest } from "../src/main/dicom/content-hash.ts";
import { FileBuffer } from "../src/main/dicom/file-buffer.ts";
import { encodedFrame } from "../src/main/dicom/fragments.ts";
import { parseFile } from "../src/main/dicom/parse.ts";
import { defaultPreparation } from "../src/main/dicom/pipeline.ts";
import { readFilm } from "../src/main/dicom/read-film.ts";
import { pixelCodings } from "../src/main/dicom/syntaxes.ts";
import { writeDicom } from "../tests/support/dicom-writer.ts";
import { encodings, loadEncoders } from "../tests/support/encoders.ts";
import { filmElements, pixelElements, seeded, type PixelForm } from "../tests/support/films.ts";

/**
 * What intake adds to each codec: for one film of 12 bits in each compressed transfer syntax, the
 * codec alone and all that a worker does to the film, in turns on one thread; medians.
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
const form: PixelForm = {
  rows: size,
  columns: size,
  bitsAllocated: 16,
  bitsStored: 12,
  signed: false,
};

const folder = mkdtempSync(join(tmpdir(), "silhouette-bench-"));
try {
  await loadEncoders();
  const decoder = await frameDecoder();
  const buffer = new FileBuffer();
  const pixels = filmLike();
  for (const encoding of encodings) {
    const { title, transferSyntax, bits } = encoding;
    if (bits[0] > form.bitsStored || bits[1] < form.bitsStored) continue;
    const coding = pixelCodings[transferSyntax];
    if (coding === undefined || coding === "native" || coding === "rle") continue;
    const path = join(folder, "film.dcm");
    const bytes = writeDicom(
      { ...filmElements(1, 1), ...pixelElements(form) },
      { transferSyntax, frames: [[encoding.encode(pixels, form)]] },
    );
    writeFileSync(path, bytes);
    const file = parseFile(bytes);
    if (file.pixelData === null) throw new Error("The film has no pixels.");
    const encoded = encodedFrame(file.pixelData, 0, 1, null);
    const alone: number[] = [];
    const whole: number[] = [];
    for (let turn = 0; turn < Number(args.repetitions); turn++) {
      let started = performance.now();
      decoder.decode(coding satisfies CompressedCoding, encoded, file.header.pixels);
      alone.push(performance.now() - started);
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
      whole.push(performance.now() - started);
      if (!("film" in answer)) throw new Error(`${title}: ${answer.rejection.found}`);
    }
    const [codec, all] = [median(alone), median(whole)];
    console.log(
      `${title.padEnd(34)} ${(bytes.length / 1e6).toFixed(1)} MB  codec ${codec.toFixed(1)} ms, ` +
        `whole ${all.toFixed(1)} ms, ratio ${(all / codec).toFixed(2)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Smooth shades with the noise of a detector, so that codecs have what they have with films. */
function filmLike(): Uint8Array {
  const random = seeded(1);
  const values = new Uint16Array(size * size);
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [(i % size) / size, Math.floor(i / size) / size];
    values[i] = 1800 + 1200 * Math.sin(5 * x) * Math.cos(4 * y) + (random() + random()) * 12;
  }
  return new Uint8Array(values.buffer);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

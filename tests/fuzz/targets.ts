import { schemeNames } from "../../src/shared/findings.ts";
import {
  labelsOfColumns,
  mostOwnLabels,
  ownScheme,
  ownSetProblem,
} from "../../src/shared/own-labels.ts";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { zipSync } from "fflate";
import { archiveMembers, readMember } from "../../src/main/dicom/archive.ts";
import { decodeText } from "../../src/main/dicom/character-set.ts";
import { newestDigest } from "../../src/main/dicom/content-hash.ts";
import { directoryReferences } from "../../src/main/dicom/dicomdir.ts";
import { DicomError } from "../../src/main/dicom/errors.ts";
import { FileBuffer } from "../../src/main/dicom/file-buffer.ts";
import { openFilm } from "../../src/main/dicom/open-film.ts";
import { parseFile } from "../../src/main/dicom/parse.ts";
import { defaultPreparation } from "../../src/main/dicom/pipeline.ts";
import { readFilm } from "../../src/main/dicom/read-film.ts";
import { trainingFrame } from "../../src/main/dicom/training-frame.ts";
import { tableLabels } from "../../src/main/intake/label-columns.ts";
import { mappedReading } from "../../src/main/intake/label-reading.ts";
import { parseLabelTable } from "../../src/main/intake/label-table.ts";
import { presets } from "../../src/main/intake/presets/index.ts";
import { writeDicom } from "../support/dicom-writer.ts";
import { encodeExtendedJpeg, encodeRle, encodings, loadEncoders } from "../support/encoders.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  writeFilm,
  type PixelForm,
} from "../support/films.ts";
import { greyPngOf } from "../support/png.ts";

/** Something that reads bytes from outside; it may refuse them in words, and nothing else. */
export interface Target {
  readonly name: string;
  /** Its share of all inputs. */
  readonly weight: number;
  readonly seeds: readonly Uint8Array[];
  run(input: Uint8Array): Promise<void> | void;
  /** Puts checksums right after a mutation, which would otherwise end every attempt. */
  repair?(input: Uint8Array): Uint8Array;
}

const form: PixelForm = { rows: 24, columns: 20, bitsAllocated: 16, bitsStored: 12, signed: false };

/** All targets; `scratch` is a folder of the caller's own, for readers that want a file. */
export async function targets(scratch = mkdtempSync(join(tmpdir(), "silhouette-fuzz-"))) {
  await loadEncoders();
  const film = async (input: Uint8Array) => {
    const { frame, header } = await openFilm(input);
    trainingFrame(frame, header.pixels, 32, defaultPreparation);
  };
  const buffer = new FileBuffer();
  const intake = async (input: Uint8Array) => {
    const path = join(scratch, "fuzzed.dcm");
    writeFileSync(path, input);
    await readAsIntakeDoes(path, buffer);
  };
  const list: Target[] = [
    {
      name: "DICOM headers",
      weight: 30,
      seeds: headerSeeds(),
      run: (input) => void parseFile(input),
    },
    { name: "uncompressed and RLE films", weight: 15, seeds: plainSeeds(), run: film },
    ...encodings.map((encoding): Target => ({
      name: encoding.title,
      weight: 2,
      seeds: [compressed(encoding)],
      run: film,
    })),
    {
      name: "films as intake reads them",
      weight: 15,
      seeds: [...plainSeeds(), ...pngSeeds(), ...encodings.map(compressed), extendedFilm()],
      run: intake,
    },
    { name: "JPEG of 12 bits", weight: 2, seeds: [extended(), extendedFilm()], run: film },
    { name: "PNG", weight: 8, seeds: pngSeeds(), run: film, repair: withPngChecksums },
    { name: "tables", weight: 12, seeds: tableSeeds(), run: readTable },
    {
      name: "DICOMDIR",
      weight: 4,
      seeds: [directory()],
      run: (input) => void directoryReferences(input),
    },
    {
      name: "texts in ISO 2022",
      weight: 4,
      seeds: [Buffer.from("\x1b$B;3ED\x1b(B^\x1b$)C\xfb\xf3\x1b-F\xc4\\\x1b)I\xd4", "latin1")],
      run: (input) => void decodeText(input, ["ISO 2022 IR 13", "ISO 2022 IR 87"]),
    },
    {
      name: "zip archives",
      weight: 5,
      seeds: [archive()],
      run: (input) => readArchive(join(scratch, "fuzzed.zip"), input),
      repair: withZipChecksums,
    },
  ];
  return list;
}

/** From the file into the kernel's memory, through decoder, search for lettering and frame. */
async function readAsIntakeDoes(path: string, buffer: FileBuffer): Promise<void> {
  const answer = await readFilm(
    {
      path,
      framePixels: 32,
      preparation: defaultPreparation,
      patientFromTable: true,
      contentDigest: newestDigest,
    },
    buffer,
  );
  if ("film" in answer) return;
  const { code, found } = answer.rejection;
  // What stands for an error that nobody foresaw.
  if (found === "The image could not be decoded.") throw new Error(found);
  throw new DicomError(code, found);
}

/** Readers with the faults that fuzzing looks for, to see that it would find them. */
export const faulty: readonly Target[] = [
  { name: "hangs", weight: 1, seeds: [new Uint8Array(9)], run: () => waitForever() },
  {
    name: "throws",
    weight: 1,
    seeds: [new Uint8Array(9)],
    run: () => {
      throw new TypeError("undefined is not a function");
    },
  },
];

function waitForever(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function headerSeeds(): Uint8Array[] {
  const rich = {
    "00080005": "\\ISO 2022 IR 87",
    "00281050": "100\\200",
    "00281051": "300\\400",
    "00283010": [{ "00283002": [4, 0, 16], "00283006": [0, 1, 2, 3] }],
    "00081140": [{ "00081150": "1.2.3", "00081155": "1.2.4" }],
  };
  return [
    writeFilm(1, 1, rich, {}, form),
    writeFilm(1, 1, rich, { transferSyntax: "1.2.840.10008.1.2" }, form),
    writeFilm(1, 1, rich, { transferSyntax: "1.2.840.10008.1.2.2" }, form),
    writeFilm(1, 1, {}, { transferSyntax: "1.2.840.10008.1.2.1.99" }, form),
    writeFilm(1, 1, rich, { preamble: false }, form),
    writeFilm(1, 1, rich, { metaHeader: false }, form),
  ];
}

function plainSeeds(): Uint8Array[] {
  const pixels = littleEndianBytes(storedValues(form, 1), form);
  const elements = { ...filmElements(1, 1), ...pixelElements(form) };
  const rle = encodeRle(pixels, 1, 2);
  const coded = { transferSyntax: "1.2.840.10008.1.2.5", offsetTable: true };
  return [
    writeFilm(1, 1, {}, {}, form),
    writeFilm(1, 1, { "00280004": "MONOCHROME1", "00281056": "SIGMOID" }, {}, form),
    writeFilm(1, 1, {}, {}, { ...form, bitsAllocated: 32, bitsStored: 20, signed: true }),
    writeFilm(
      1,
      1,
      { "00280004": "RGB" },
      {},
      { ...form, bitsAllocated: 8, bitsStored: 8, samplesPerPixel: 3 },
    ),
    writeDicom(elements, { ...coded, frames: [[rle]] }),
    writeDicom(elements, { ...coded, frames: [[rle.subarray(0, 64), rle.subarray(64)]] }),
  ];
}

function compressed(encoding: (typeof encodings)[number]): Uint8Array {
  const bits = Math.min(12, encoding.bits[1]);
  const shape = { ...form, bitsStored: bits, bitsAllocated: bits > 8 ? 16 : 8 } as const;
  const pixels = littleEndianBytes(storedValues(shape, 1), shape);
  return writeDicom(
    { ...filmElements(1, 1), ...pixelElements(shape) },
    { transferSyntax: encoding.transferSyntax, frames: [[encoding.encode(pixels, shape)]] },
  );
}

function extended(): Uint8Array {
  return encodeExtendedJpeg([0, 4095, 1000, 2000, 3000, 5], 2, 3);
}

function extendedFilm(): Uint8Array {
  const shape = { ...form, rows: 16, columns: 24 };
  return writeDicom(
    { ...filmElements(1, 1), ...pixelElements(shape) },
    { transferSyntax: "1.2.840.10008.1.2.4.51", frames: [[extended()]] },
  );
}

function pngSeeds(): Uint8Array[] {
  const values = Array.from({ length: 120 }, (_, index) => (index * 37) & 255);
  const data = Uint8Array.from(values);
  return [
    greyPngOf(values, 12, 10, 8),
    greyPngOf(
      values.map((value) => value * 257),
      12,
      10,
      16,
    ),
    greyPngOf(
      values.map((value) => value & 1),
      12,
      10,
      1,
    ),
    encodePng({ width: 10, height: 4, data, depth: 8, channels: 3 }),
    encodePng({
      width: 10,
      height: 3,
      data: data.map((value, index) => (index % 4 === 3 ? 255 : value)),
      depth: 8,
      channels: 4,
    }),
  ];
}

function tableSeeds(): Uint8Array[] {
  const own =
    'patient_id,image_id,age,sex,comorbidity_count,cardiomegaly,atelectasis_left\nA,1,61,F,2,3,0\n"B",2,"4""5",M,0,,severe\n';
  const ofPreset = presets.map(
    ({ recognisedBy }) =>
      `${recognisedBy.join(",")}\n${recognisedBy.map(() => "1.0").join(",")}\n${recognisedBy
        .map(() => "\"['pleural effusion', 'loc right'], ['x']\"")
        .join(",")}\n`,
  );
  return [own, own.replaceAll(",", ";"), `\uFEFF${own}`, ...ofPreset].map((text) =>
    Buffer.from(text),
  );
}

function readTable(input: Uint8Array): void {
  const table = parseLabelTable(Buffer.from(input), "fuzzed.csv");
  const own = labelsOfColumns(table.columns).slice(0, mostOwnLabels);
  const schemes = [...schemeNames, ...(ownSetProblem(own) === null ? [ownScheme(own)] : [])];
  tableLabels(table);
  for (const scheme of schemes) mappedReading(table, null, { positiveAtGrade: 2, scheme });
  for (const preset of presets) {
    preset.read({ table, companion: () => table, list: () => table.columns });
  }
}

function directory(): Uint8Array {
  return writeDicom({
    "00041220": [{ "00041430": "PATIENT " }, { "00041430": "IMAGE ", "00041500": "IMAGES\\IM1 " }],
  });
}

function archive(): Uint8Array {
  return zipSync({
    "1.dcm": [writeFilm(1, 1, {}, {}, form), { level: 0 }],
    "deflated.dcm": Buffer.from("film film film film"),
    "folder/2.dcm": [deflateRawSync(Buffer.from("film")), { level: 0 }],
    "labels.csv": Buffer.from("a,b\n"),
  });
}

async function readArchive(path: string, input: Uint8Array): Promise<void> {
  writeFileSync(path, input);
  for await (const member of archiveMembers(path)) {
    if (!("found" in member)) readMember(path, member);
  }
}

/** The same PNG with the right checksum in each chunk. */
function withPngChecksums(input: Uint8Array): Uint8Array {
  const bytes = Buffer.from(input);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return bytes;
}

/** The same archive with the right checksum for its uncompressed members. */
function withZipChecksums(input: Uint8Array): Uint8Array {
  const bytes = Buffer.from(input);
  const entry = Buffer.from([0x50, 0x4b, 1, 2]);
  for (let at = bytes.indexOf(entry); at >= 0; at = bytes.indexOf(entry, at + 4)) {
    if (at + 46 > bytes.length) break;
    const local = bytes.readUInt32LE(at + 42);
    if (local + 30 > bytes.length || bytes.readUInt16LE(at + 10) !== 0) continue;
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const end = start + bytes.readUInt32LE(at + 20);
    if (end <= bytes.length) bytes.writeUInt32LE(crc32(bytes.subarray(start, end)), at + 16);
  }
  return bytes;
}

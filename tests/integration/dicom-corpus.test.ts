import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFile } from "../../src/main/dicom/open-film.ts";
import { writeDicom } from "../support/dicom-writer.ts";
import { encodeRle, encodings, loadEncoders } from "../support/encoders.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  type PixelForm,
} from "../support/films.ts";
import { askPeers, peersMissing, type PeerAnswer } from "../support/stored-value-peers.ts";

/**
 * A corpus of every transfer syntax, bit depth, sign and photometric interpretation. Where DCMTK and
 * GDCM are there, they read what we write and we read what they write, value by value.
 */
const missing = peersMissing();
const suffix = missing === null ? "" : ` (skipped: ${missing})`;

const shape = { rows: 37, columns: 29 };
const grey: readonly PixelForm[] = [
  ...[2, 7, 8].map((bitsStored) => ({ ...shape, bitsAllocated: 8 as const, bitsStored })),
  ...[8, 9, 10, 12, 14, 15, 16].map((bitsStored) => ({
    ...shape,
    bitsAllocated: 16 as const,
    bitsStored,
  })),
  ...[24, 32].map((bitsStored) => ({ ...shape, bitsAllocated: 32 as const, bitsStored })),
].flatMap((form) => [
  { ...form, signed: false },
  { ...form, signed: true },
]);
const colour: PixelForm = {
  ...shape,
  bitsAllocated: 8,
  bitsStored: 8,
  signed: false,
  samplesPerPixel: 3,
};

interface Coding {
  readonly title: string;
  readonly transferSyntax: string;
  readonly carries: (form: PixelForm) => boolean;
  /** Null: uncompressed. */
  readonly encode: ((pixels: Uint8Array, form: PixelForm) => Uint8Array) | null;
  readonly lossless: boolean;
  /** Whether the peers can decode it. */
  readonly peer: boolean;
}

const plain = (title: string, transferSyntax: string): Coding => ({
  title,
  transferSyntax,
  carries: () => true,
  encode: null,
  lossless: true,
  peer: true,
});
const codings: readonly Coding[] = [
  plain("implicit little endian", "1.2.840.10008.1.2"),
  plain("explicit little endian", "1.2.840.10008.1.2.1"),
  plain("deflated", "1.2.840.10008.1.2.1.99"),
  plain("explicit big endian", "1.2.840.10008.1.2.2"),
  {
    title: "RLE",
    transferSyntax: "1.2.840.10008.1.2.5",
    carries: () => true,
    encode: (pixels, form) => encodeRle(pixels, form.samplesPerPixel ?? 1, form.bitsAllocated / 8),
    lossless: true,
    peer: true,
  },
  ...encodings.map((encoding) => ({
    ...encoding,
    carries: ({ bitsAllocated, bitsStored, signed }: PixelForm) =>
      bitsAllocated <= 16 &&
      bitsStored >= encoding.bits[0] &&
      bitsStored <= encoding.bits[1] &&
      // A lossy coder makes of a sign what it likes, and of unused bits too.
      (encoding.lossless || (!signed && bitsStored === bitsAllocated)) &&
      // This encoder takes signed bytes for unsigned ones; GDCM's, below, does not.
      !(encoding.title === "JPEG 2000" && signed && bitsStored <= 8),
    peer: encoding.title !== "HTJ2K",
  })),
];

interface Film {
  readonly coding: Coding;
  readonly form: PixelForm;
  readonly photometric: string;
  readonly path: string;
  /** Of the stored values that it was written from, as `decodeFile` states it. */
  readonly sha256: string;
}

let folder: string;
let films: Film[] = [];
let peers: PeerAnswer[] = [];

function nameOf({ form, photometric }: Film): string {
  const { bitsStored, bitsAllocated, signed } = form;
  return `${bitsStored} of ${bitsAllocated} bits, ${signed ? "signed" : "unsigned"}, ${photometric}`;
}

function write(coding: Coding, form: PixelForm, photometric: string, number: number): Film {
  const values = storedValues(form, number);
  const pixels = littleEndianBytes(values, form);
  const path = join(folder, `${number}.dcm`);
  const elements = {
    ...filmElements(number, 1),
    ...pixelElements(form, photometric),
    ...(form.samplesPerPixel === 3 ? { "00280006": 0 } : {}),
  };
  const { transferSyntax, encode } = coding;
  const written =
    encode === null
      ? writeDicom(elements, { transferSyntax, pixels })
      : writeDicom(elements, { transferSyntax, frames: [[encode(pixels, form)]] });
  writeFileSync(path, written);
  const sha256 = createHash("sha256").update(pixels).digest("hex");
  return { coding, form, photometric, path, sha256 };
}

beforeAll(async () => {
  await loadEncoders();
  folder = mkdtempSync(join(tmpdir(), "silhouette-corpus-"));
  let number = 0;
  films = codings.flatMap((coding) => [
    ...grey
      .filter(coding.carries)
      .flatMap((form) =>
        ["MONOCHROME1", "MONOCHROME2"].map((photometric) =>
          write(coding, form, photometric, ++number),
        ),
      ),
    ...(coding.lossless && coding.carries(colour)
      ? ["RGB", ...(coding.encode === null ? ["YBR_FULL"] : [])].map((photometric) =>
          write(coding, colour, photometric, ++number),
        )
      : []),
  ]);
  if (missing === null) peers = askPeers(films.map(({ path }) => path));
}, 300_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(codings)("$title", (coding) => {
  const own = () =>
    films
      .map((film, index) => ({ film, peer: peers[index] }))
      .filter(({ film }) => film.coding === coding);

  it.skipIf(!coding.lossless)(
    "gives back each value in each depth, sign and interpretation",
    async () => {
      expect(own().length).toBeGreaterThan(8);
      const wrong: string[] = [];
      for (const { film } of own()) {
        const { sha256, transferSyntax } = await decodeFile(film.path);
        expect(transferSyntax).toBe(coding.transferSyntax);
        if (sha256 !== film.sha256) wrong.push(nameOf(film));
      }
      expect(wrong).toEqual([]);
    },
  );

  it.skipIf(missing !== null || !coding.peer)(
    `is read alike by pydicom, DCMTK and GDCM${coding.peer ? suffix : " (no peer decodes it)"}`,
    async () => {
      const wrong: string[] = [];
      for (const { film, peer } of own()) {
        if (peer === undefined) wrong.push(`${nameOf(film)}: not asked`);
        else if ("error" in peer) wrong.push(`${nameOf(film)}: ${peer.error}`);
        else if ((await decodeFile(film.path)).sha256 !== peer.sha256) {
          wrong.push(`${nameOf(film)}: ${peer.peer} reads other values`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});

/** Coders of other projects, the syntax they write, and how to call them. */
const coders = [
  ["dcmcrle", [], "1.2.840.10008.1.2.5"],
  ["dcmcjpeg", ["+e1"], "1.2.840.10008.1.2.4.70"],
  ["dcmcjpeg", ["+el"], "1.2.840.10008.1.2.4.57"],
  ["dcmcjpls", ["+el"], "1.2.840.10008.1.2.4.80"],
  ["dcmconv", ["+tb"], "1.2.840.10008.1.2.2"],
  ["dcmconv", ["+ti"], "1.2.840.10008.1.2"],
  ["dcmconv", ["+td"], "1.2.840.10008.1.2.1.99"],
  ["gdcmconv", ["--j2k"], "1.2.840.10008.1.2.4.90"],
  ["gdcmconv", ["--jpegls"], "1.2.840.10008.1.2.4.80"],
  ["gdcmconv", ["--rle"], "1.2.840.10008.1.2.5"],
  ["gdcmconv", ["--jpeg"], "1.2.840.10008.1.2.4.70"],
] as const;

describe.each(coders)("films that %s %j writes", (tool, flags, transferSyntax) => {
  it.skipIf(missing !== null)(
    `come back value by value where it writes them${suffix}`,
    async () => {
      let read = 0;
      const originals = films.filter(
        ({ coding, form }) =>
          coding.title === "explicit little endian" &&
          // DCMTK turns words of 16 bits whatever is allocated; GDCM and pydicom turn all 32. And no
          // radiograph is compressed with 32 bits, so that such files are refused.
          (form.bitsAllocated < 32 ||
            !["+tb", "--j2k"].some((flag) => flags.includes(flag as never))),
      );
      for (const film of originals) {
        const coded = join(folder, "coded.dcm");
        rmSync(coded, { force: true });
        const { status } = spawnSync(tool, [...flags, film.path, coded], { stdio: "ignore" });
        if (status !== 0) continue;
        const ours = await decodeFile(coded);
        if (ours.transferSyntax !== transferSyntax) continue;
        read += 1;
        expect(ours.sha256, nameOf(film)).toBe(film.sha256);
      }
      expect(read).toBeGreaterThanOrEqual(8);
    },
    60_000,
  );
});

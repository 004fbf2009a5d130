import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFile } from "../../src/main/dicom/open-film.ts";
import { writeDicom } from "../support/dicom-writer.ts";
import { encodeExtendedJpeg } from "../support/encoders.ts";
import {
  filmElements,
  littleEndianBytes,
  pixelElements,
  storedValues,
  writeFilm,
  type PixelForm,
} from "../support/films.ts";

/** Whether a tool of DCMTK or GDCM is on this machine. */
function has(tool: string): boolean {
  return spawnSync(tool, ["--version"], { stdio: "ignore" }).error === undefined;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "silhouette-peers-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const form: PixelForm = {
  rows: 61,
  columns: 47,
  bitsAllocated: 16,
  bitsStored: 12,
  signed: false,
};

/** Coders of other projects, the syntax they write, and how to call them. */
const coders: readonly (readonly [string, readonly string[], string])[] = [
  ["dcmcrle", [], "1.2.840.10008.1.2.5"],
  ["dcmcjpeg", ["+e1"], "1.2.840.10008.1.2.4.70"],
  ["dcmcjpeg", ["+el"], "1.2.840.10008.1.2.4.57"],
  ["dcmcjpeg", ["+ee"], "1.2.840.10008.1.2.4.51"],
  ["dcmcjpls", ["+el"], "1.2.840.10008.1.2.4.80"],
  ["dcmconv", ["+tb"], "1.2.840.10008.1.2.2"],
  ["dcmconv", ["+ti"], "1.2.840.10008.1.2"],
  ["gdcmconv", ["--j2k"], "1.2.840.10008.1.2.4.90"],
  ["gdcmconv", ["--jpegls"], "1.2.840.10008.1.2.4.80"],
  ["gdcmconv", ["--rle"], "1.2.840.10008.1.2.5"],
  ["gdcmconv", ["--jpeg"], "1.2.840.10008.1.2.4.70"],
];

describe("films that other projects' tools have compressed", () => {
  for (const [tool, flags, transferSyntax] of coders) {
    const title = `${tool} ${flags.join(" ")} (${transferSyntax})`;
    it.skipIf(!has(tool))(
      `${title} decode to the same values${has(tool) ? "" : ` (skipped: ${tool} is not here)`}`,
      async () => {
        const plain = join(folder, "plain.dcm");
        const coded = join(folder, `${tool}${flags.join("")}.dcm`);
        writeFileSync(plain, writeFilm(3, 1, {}, {}, form));
        execFileSync(tool, [...flags, plain, coded], { stdio: "pipe" });
        const ours = await decodeFile(coded);
        expect(ours.transferSyntax).toBe(transferSyntax);
        if (flags.includes("+ee")) {
          // Lossy: the peer's own decoder is the reference.
          const decoded = join(folder, "decoded.dcm");
          execFileSync("dcmdjpeg", [coded, decoded], { stdio: "pipe" });
          expect(ours.sha256).toBe((await decodeFile(decoded)).sha256);
        } else {
          expect([...ours.values]).toEqual(storedValues(form, 3));
        }
      },
    );
  }

  const reason = has("dcmdjpeg") ? "" : " (skipped: dcmdjpeg is not here)";
  it.skipIf(!has("dcmdjpeg"))(`dcmdjpeg reads our own 12-bit JPEG as we do${reason}`, async () => {
    const shape = { ...form, rows: 64, columns: 48 };
    const encoded = encodeExtendedJpeg(storedValues({ ...form, rows: 8, columns: 6 }, 10), 8, 6);
    const coded = join(folder, "extended.dcm");
    const decoded = join(folder, "extended-decoded.dcm");
    writeFileSync(
      coded,
      writeDicom(
        { ...filmElements(1, 1), ...pixelElements(shape) },
        { transferSyntax: "1.2.840.10008.1.2.4.51", frames: [[encoded]] },
      ),
    );
    execFileSync("dcmdjpeg", [coded, decoded], { stdio: "pipe" });
    expect((await decodeFile(coded)).sha256).toBe((await decodeFile(decoded)).sha256);
  });

  it("the digest is that of the stored values in little endian", async () => {
    const path = join(folder, "digest.dcm");
    const pixels = littleEndianBytes(storedValues(form, 3), form);
    writeFileSync(path, writeFilm(3, 1, {}, {}, form));
    const bytes = readFileSync(path);
    expect(Buffer.from(bytes.subarray(bytes.length - pixels.length)).equals(pixels)).toBe(true);
    expect((await decodeFile(path)).sha256).toBe(createHash("sha256").update(pixels).digest("hex"));
  });
});

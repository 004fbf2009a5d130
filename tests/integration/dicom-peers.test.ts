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

const none = has("dcmdjpeg") ? "" : " (skipped: dcmdjpeg is not here)";

describe("JPEG of 12 bits, which loses values, beside DCMTK", () => {
  it.skipIf(!has("dcmdjpeg"))(`its own decode to the values that it reads${none}`, async () => {
    const plain = join(folder, "plain.dcm");
    const coded = join(folder, "coded.dcm");
    const decoded = join(folder, "decoded.dcm");
    writeFileSync(plain, writeFilm(3, 1, {}, {}, form));
    execFileSync("dcmcjpeg", ["+ee", plain, coded], { stdio: "pipe" });
    execFileSync("dcmdjpeg", [coded, decoded], { stdio: "pipe" });
    const ours = await decodeFile(coded);
    expect(ours.transferSyntax).toBe("1.2.840.10008.1.2.4.51");
    expect(ours.sha256).toBe((await decodeFile(decoded)).sha256);
  });

  it.skipIf(!has("dcmdjpeg"))(`dcmdjpeg reads our own 12-bit JPEG as we do${none}`, async () => {
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

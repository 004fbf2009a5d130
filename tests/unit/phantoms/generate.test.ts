import { createHash } from "node:crypto";
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import dicomParser from "dicom-parser";
import { afterAll, describe, expect, it } from "vitest";

import { FINDING_LABELS } from "../../../src/main/phantoms/findings.ts";
import { generatePhantoms } from "../../../src/main/phantoms/generate.ts";
import type { PhantomProgress } from "../../../src/main/phantoms/generate.ts";
import { LABEL_COLUMNS } from "../../../src/main/phantoms/labels-table.ts";
import { TRANSFER_SYNTAXES } from "../../../src/main/phantoms/transfer-syntax.ts";
import { UserError } from "../../../src/shared/errors.ts";

const root = mkdtempSync(join(tmpdir(), "phantoms-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

let folders = 0;
function newFolder(): string {
  folders++;
  return join(root, `set-${folders}`);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function digest(folder: string): string {
  const hash = createHash("sha256");
  for (const file of filesIn(folder))
    hash.update(file.slice(folder.length)).update(readFileSync(file));
  return hash.digest("hex");
}

function labelRows(folder: string): Record<string, string>[] {
  const [header, ...lines] = readFileSync(join(folder, "labels.csv"), "utf8").trim().split("\n");
  const columns = (header ?? "").split(",");
  return lines.map((line) => {
    const values = line.split(",");
    return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? ""]));
  });
}

describe("generatePhantoms", { timeout: 60_000 }, () => {
  it("writes the same bytes for a seed, whatever the number of workers", async () => {
    const [one, two, other] = [newFolder(), newFolder(), newFolder()];
    await generatePhantoms({ folder: one, patients: 8, seed: 3, sizePixels: 64, workers: 1 });
    await generatePhantoms({ folder: two, patients: 8, seed: 3, sizePixels: 64, workers: 2 });
    await generatePhantoms({ folder: other, patients: 8, seed: 4, sizePixels: 64 });
    expect(digest(two)).toBe(digest(one));
    expect(digest(other)).not.toBe(digest(one));
  });

  it("writes files that say what labels.csv and the options say", async () => {
    const folder = newFolder();
    const result = await generatePhantoms({ folder, patients: 30, seed: 1, sizePixels: 64 });
    const rows = labelRows(folder);
    expect(Object.keys(rows[0] ?? {})).toEqual([...LABEL_COLUMNS]);
    expect(rows.length).toBe(result.images);
    expect(new Set(rows.map((row) => row.patient_id)).size).toBe(30);
    const files = filesIn(folder).filter((file) => file.endsWith(".dcm"));
    expect(rows.map((row) => join(folder, row.file ?? "")).sort()).toEqual(files);

    const seen = {
      modalities: new Set<string>(),
      photometric: new Set<string>(),
      bits: new Set<number>(),
    };
    for (const row of rows) {
      const data = dicomParser.parseDicom(readFileSync(join(folder, row.file ?? "")));
      const text = (tag: string): string => data.string(tag) ?? "";
      expect(text("x00020010")).toBe("1.2.840.10008.1.2.1");
      expect(text("x00080018")).toBe(row.image_id);
      expect(text("x00080018")).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
      expect(text("x00020003")).toBe(row.image_id);
      expect(text("x00100020")).toBe(row.patient_id);
      expect(text("x00100010")).toBe(`SYNTHETIC^${row.patient_id}`);
      expect(text("x00100040")).toBe(row.sex);
      expect(Number.parseInt(text("x00101010"))).toBe(Number(row.age));
      expect(text("x00080020")).toBe(row.study_date);
      expect(text("x00185101")).toBe(row.view_position);
      expect(text("x00180015")).toBe("CHEST");
      expect(text("x0008103e")).toBe("SYNTHETIC PHANTOM, NOT A PATIENT");
      expect(text("x00204000")).toBe("SYNTHETIC PHANTOM, NOT A PATIENT");
      expect(text("x00280301")).toBe("YES");
      expect(text("x00200020")).toBe(row.view_position === "LL" ? "P\\F" : "L\\F");
      const [height = 0, width = 0] = [data.uint16("x00280010"), data.uint16("x00280011")];
      expect(Math.max(height, width)).toBe(64);
      expect(data.elements.x7fe00010?.length).toBe(2 * height * width);
      const modality = text("x00080060");
      expect(text("x00080016")).toBe(
        modality === "DX" ? "1.2.840.10008.5.1.4.1.1.1.1" : "1.2.840.10008.5.1.4.1.1.1",
      );
      seen.modalities.add(modality);
      seen.photometric.add(text("x00280004"));
      seen.bits.add(data.uint16("x00280101") ?? 0);
      for (const label of FINDING_LABELS) expect(row[label]).toMatch(/^[0-4]$/);
    }
    expect([...seen.modalities].sort()).toEqual(["CR", "DX"]);
    expect([...seen.photometric].sort()).toEqual(["MONOCHROME1", "MONOCHROME2"]);
    expect(seen.bits.size).toBeGreaterThanOrEqual(3);
  });

  it("keeps every stored value inside the bits stored", async () => {
    const folder = newFolder();
    await generatePhantoms({ folder, patients: 25, seed: 9, sizePixels: 64 });
    for (const row of labelRows(folder)) {
      const bytes = readFileSync(join(folder, row.file ?? ""));
      const data = dicomParser.parseDicom(bytes);
      const bits = data.uint16("x00280101") ?? 0;
      const signed = data.uint16("x00280103") === 1;
      const element = data.elements.x7fe00010;
      if (!element) throw new Error("No pixel data.");
      const values = Array.from({ length: element.length / 2 }, (_, index) => {
        const offset = element.dataOffset + 2 * index;
        return signed ? bytes.readInt16LE(offset) : bytes.readUInt16LE(offset);
      });
      const lowest = signed ? -(2 ** (bits - 1)) : 0;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(lowest);
      expect(Math.max(...values)).toBeLessThan(lowest + 2 ** bits);
      expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.2 * 2 ** bits);
    }
  });

  it("spreads all transfer syntaxes over a mixed set", async () => {
    const folder = newFolder();
    await generatePhantoms({
      folder,
      patients: 14,
      seed: 2,
      sizePixels: 64,
      transferSyntax: "mixed",
    });
    const syntaxes = labelRows(folder).map((row) =>
      dicomParser.parseDicom(readFileSync(join(folder, row.file ?? ""))).string("x00020010"),
    );
    expect(new Set(syntaxes)).toEqual(new Set(TRANSFER_SYNTAXES.map(({ uid }) => uid)));
  });

  it("reports rising counts that end at the total", async () => {
    const reports: PhantomProgress[] = [];
    const result = await generatePhantoms({
      folder: newFolder(),
      patients: 15,
      seed: 2,
      sizePixels: 64,
      onProgress: (progress) => reports.push(progress),
    });
    const counts = reports.map(({ patientsDone }) => patientsDone);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(reports.at(-1)).toMatchObject({
      patientsDone: 15,
      patients: 15,
      imagesDone: result.images,
    });
  });

  it("stops when aborted and leaves nothing behind", async () => {
    const folder = newFolder();
    const controller = new AbortController();
    const running = generatePhantoms({
      folder,
      patients: 500,
      seed: 2,
      sizePixels: 64,
      signal: controller.signal,
      onProgress: () => {
        controller.abort();
      },
    });
    await expect(running).rejects.toThrow(/abort/i);
    expect(readdirSync(root)).not.toContain(folder.slice(root.length + 1));
  });

  it("refuses a folder that holds files and leaves them alone", async () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "keep.txt"), "mine");
    const running = generatePhantoms({ folder, patients: 1, seed: 1, sizePixels: 64 });
    await expect(running).rejects.toThrow(UserError);
    expect(readdirSync(folder)).toEqual(["keep.txt"]);
  });

  it("explains options that make no sense", async () => {
    const good = { folder: newFolder(), patients: 1, seed: 1, sizePixels: 64 };
    await expect(generatePhantoms({ ...good, patients: 0 })).rejects.toThrow(/patients, not 0/);
    await expect(generatePhantoms({ ...good, sizePixels: 7 })).rejects.toThrow(/not 7/);
    await expect(generatePhantoms({ ...good, seed: 0.5 })).rejects.toThrow(/whole number/);
    const unknown = generatePhantoms({ ...good, transferSyntax: "1.2.3" });
    await expect(unknown).rejects.toThrow(/"1\.2\.3"/);
    await expect(unknown).rejects.toThrow(UserError);
    const file = join(root, "a-file");
    writeFileSync(file, "");
    await expect(generatePhantoms({ ...good, folder: file })).rejects.toThrow(/is a file/);
    await expect(generatePhantoms({ ...good, folder: join(file, "x") })).rejects.toThrow(UserError);
  });
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, describe, expect, it } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";
import type { ImportResult } from "../../src/shared/domain.ts";
import { writeDicom } from "../support/dicom-writer.ts";
import { writeFilm } from "../support/films.ts";
import { temporaryFolder } from "../support/temporary.ts";

let core: Core | null = null;
afterEach(async () => {
  await core?.close();
  core = null;
});

async function importing(paths: readonly string[]) {
  core = await openCore({ dataFolder: temporaryFolder() });
  const { id } = await core.call("cohort:create", { name: "Archives", framePixels: 32 });
  const { jobId } = await core.call("intake:start", { cohortId: id, paths: [...paths] });
  const ended = await core.jobFinished(jobId);
  return { core, cohortId: id, result: ended.result as ImportResult, error: ended.error };
}

const text = new TextEncoder();

describe("a zip archive", () => {
  it("is imported like a folder, shows paths inside, and its films open at full size", async () => {
    const folder = temporaryFolder();
    const archive = join(folder, "films.zip");
    writeFileSync(
      archive,
      zipSync({
        "series/1.dcm": writeFilm(1, 1),
        "series/2.dcm": [writeFilm(2, 2), { level: 0 }],
        "series/broken.dcm": writeFilm(3, 3).subarray(0, 2000),
        "labels.csv": text.encode("patient_id,cardiomegaly\n"),
        "inner.zip": zipSync({ "4.dcm": writeFilm(4, 4) }),
      }),
    );
    const { core: open, cohortId, result } = await importing([folder]);
    expect(result).toMatchObject({ found: 4, imported: 2 });
    expect(result.quarantined.map(({ path }) => path).sort()).toEqual([
      join(archive, "inner.zip"),
      join(archive, "series/broken.dcm"),
    ]);
    expect(result.quarantined.find(({ path }) => path.endsWith("inner.zip"))?.reason).toMatch(
      /archive inside an archive.*Unpack/,
    );
    const { rows } = await open.call("cohort:images", { cohortId });
    const image = await open.call("cohort:image", { imageId: rows[0]?.id ?? 0 });
    expect(image.path).toBe(join(archive, "series/1.dcm"));
    const { headers } = await open.pixels(`film/${rows[0]?.id ?? 0}`);
    expect(JSON.parse(headers["x-film"] ?? "{}")).toMatchObject({ rows: 48, columns: 40 });
  });

  it("is quarantined as a whole where it is cut off, and its other neighbours are not", async () => {
    const folder = temporaryFolder();
    const whole = zipSync({ "1.dcm": writeFilm(1, 1) });
    writeFileSync(join(folder, "cut.zip"), whole.subarray(0, whole.length - 40));
    writeFileSync(join(folder, "2.dcm"), writeFilm(2, 2));
    const { result } = await importing([folder]);
    expect(result).toMatchObject({ imported: 1 });
    expect(result.quarantined).toEqual([
      {
        path: join(folder, "cut.zip"),
        reason: expect.stringMatching(/damaged or cut off/) as string,
      },
    ]);
  });

  it("gives no more bytes than its directory says, and none with a wrong checksum", async () => {
    const folder = temporaryFolder();
    const bomb = Buffer.from(zipSync({ "bomb.dcm": new Uint8Array(50_000_000) }));
    // The directory claims 1,000 bytes; the deflated data hold fifty million.
    const entry = bomb.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    bomb.writeUInt32LE(1000, entry + 24);
    writeFileSync(join(folder, "bomb.zip"), bomb);
    const damaged = Buffer.from(zipSync({ "1.dcm": [writeFilm(1, 1), { level: 0 }] }));
    damaged[900] = (damaged[900] ?? 0) ^ 1;
    writeFileSync(join(folder, "damaged.zip"), damaged);
    const { result } = await importing([folder]);
    expect(result.imported).toBe(0);
    expect(result.quarantined.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/damaged inside its archive/),
      expect.stringMatching(/damaged inside its archive/),
    ]);
  });

  it("whose members overlap is refused", async () => {
    const folder = temporaryFolder();
    const film = writeFilm(1, 1);
    const plain = Buffer.from(zipSync({ "1.dcm": [film, { level: 0 }] }));
    // The same bytes are listed five times over.
    const start = plain.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    const end = plain.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
    const entry = plain.subarray(start, end);
    const tail = Buffer.from(plain.subarray(end));
    tail.writeUInt16LE(5, 8);
    tail.writeUInt16LE(5, 10);
    tail.writeUInt32LE(entry.length * 5, 12);
    writeFileSync(
      join(folder, "overlap.zip"),
      Buffer.concat([plain.subarray(0, start), entry, entry, entry, entry, entry, tail]),
    );
    const { result } = await importing([folder]);
    expect(result.quarantined.at(-1)?.reason).toMatch(/files overlap/);
  });
});

describe("a DICOMDIR", () => {
  function medium(): { folder: string; file: string } {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "IMAGES"));
    writeFileSync(join(folder, "IMAGES", "IM1"), writeFilm(1, 1));
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other", "stray"), writeFilm(2, 2));
    const image = (file: string) => ({ "00041430": "IMAGE ", "00041500": file });
    const file = join(folder, "DICOMDIR");
    writeFileSync(
      file,
      writeDicom({
        "00041220": [
          { "00041430": "PATIENT " },
          image("IMAGES\\IM1"),
          image("IMAGES\\IM9"),
          image("..\\secret"),
        ],
      }),
    );
    return { folder, file };
  }

  it("given alone brings the films that it lists, and tells which are missing", async () => {
    const { folder, file } = medium();
    const { result } = await importing([file]);
    expect(result).toMatchObject({ found: 2, imported: 1 });
    expect(result.quarantined).toEqual([
      {
        path: join(folder, "IMAGES", "IM9"),
        reason: expect.stringMatching(/lists this film, but it is not there/) as string,
      },
    ]);
  });

  it("in its folder is no broken film, and adds only what is missing", async () => {
    const { folder } = medium();
    const { result } = await importing([folder]);
    expect(result).toMatchObject({ found: 3, imported: 2 });
    expect(result.quarantined).toHaveLength(1);
  });
});

import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importPaths } from "../../src/main/intake/intake.ts";
import { Pause, type ImportOptions, type ImportProgress } from "../../src/main/intake/options.ts";
import { openSiteIdentity } from "../../src/main/store/identity.ts";
import { FrameReader } from "../../src/main/store/image-cache.ts";
import { frameLocations, sourcePathOfImage } from "../../src/main/store/images.ts";
import { quarantinePage } from "../../src/main/store/quarantine.ts";
import { defaultPreparation, pixelPipelineOf } from "../../src/main/dicom/pipeline.ts";
import { renderFrame } from "../../src/main/dicom/training-frame.ts";
import { writeFilm } from "../support/films.ts";
import { temporaryStore, type TemporaryStore } from "../support/store.ts";

let store: TemporaryStore;
let films: string;

beforeEach(() => {
  store = temporaryStore();
  films = join(store.folder, "films");
  mkdirSync(films);
});
afterEach(() => {
  store.remove();
});

function options(changes: Partial<ImportOptions> = {}): ImportOptions {
  const { database, dataFolder, cohortId } = store;
  return { database, dataFolder, cohortId, paths: [films], workers: 2, ...changes };
}

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(films, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function count(sql: string): number {
  return store.database.prepare(sql).pluck().get() as number;
}

/** Good, foreign, broken, repeated and lateral files, as a folder from a ward has them. */
function putMixedFolder(): void {
  put("a/1.dcm", writeFilm(1, 1));
  put("a/2", writeFilm(2, 1));
  put("b/3.DCM", writeFilm(3, 2, {}, { preamble: false }));
  put("b/again.dcm", writeFilm(1, 1));
  put("b/lateral.dcm", writeFilm(4, 2, { "00185101": "LL" }));
  put("b/cut.dcm", writeFilm(5, 3).subarray(0, 2000));
  put("b/text.dcm", "These are words, not a film.\n");
  put("b/empty.dcm", "");
  put("b/tomography.dcm", writeFilm(6, 3, { "00080060": "CT" }));
  put("b/nobody.dcm", writeFilm(7, 3, { "00100020": "" }));
  put("labels.csv", "patient,label\n");
  put("DICOMDIR", "not looked at");
  put(".DS_Store", "not looked at");
}

describe("importing a folder", () => {
  it("gives every file an end: imported, duplicate or quarantined with a reason", async () => {
    putMixedFolder();
    const result = await importPaths(options());
    expect(result).toMatchObject({
      found: 10,
      imported: 4,
      duplicates: 1,
      setAside: 1,
      passedOver: 2,
      cancelled: false,
    });
    const reasons = Object.fromEntries(
      result.quarantined.map(({ path, reason }) => [path.slice(films.length + 1), reason]),
    );
    expect(Object.keys(reasons).sort()).toEqual([
      "b/cut.dcm",
      "b/empty.dcm",
      "b/nobody.dcm",
      "b/text.dcm",
      "b/tomography.dcm",
    ]);
    expect(reasons["b/cut.dcm"]).toMatch(/^The file ends early: .* Copy or export the file again/);
    expect(reasons["b/text.dcm"]).toMatch(/^The file is text, not a DICOM file/);
    expect(reasons["b/empty.dcm"]).toMatch(/^The file is empty/);
    expect(reasons["b/tomography.dcm"]).toMatch(/computed tomography/);
    expect(reasons["b/nobody.dcm"]).toMatch(/no Patient ID/);
    expect(count("SELECT count(*) FROM image")).toBe(4);
    expect(count("SELECT count(*) FROM patient")).toBe(2);
    expect(count("SELECT count(*) FROM image WHERE status = 'set-aside'")).toBe(1);
  });

  it("keeps the frame that the pixel pipeline makes, and where the film came from", async () => {
    const path = put("1.dcm", writeFilm(1, 1));
    await importPaths(options());
    const reader = new FrameReader(store.dataFolder, 32);
    const [location] = frameLocations(store.database, [1]);
    expect(location).toBeDefined();
    const frame = reader.read(location === undefined ? [] : [location]);
    reader.close();
    expect([...frame]).toEqual([
      ...(await renderFrame(path, 32, pixelPipelineOf(defaultPreparation))).pixels,
    ]);
    const identity = openSiteIdentity(store.dataFolder, store.database);
    expect(sourcePathOfImage(store.database, identity, 1)).toBe(path);
  });

  it("takes sex, age and shifted dates from the file", async () => {
    put("1.dcm", writeFilm(1, 2));
    put("2.dcm", writeFilm(2, 2, { "00080020": "20210324" }));
    await importPaths(options());
    const rows = store.database
      .prepare(
        `SELECT sex, age_years AS age, shifted_date AS date FROM image
         JOIN patient ON patient.id = image.patient_id
         JOIN series ON series.id = series_id JOIN study ON study.id = study_id ORDER BY image.id`,
      )
      .all() as { sex: string; age: number; date: string }[];
    expect(rows.map(({ sex, age }) => [sex, age])).toEqual([
      ["F", 59],
      ["F", 59],
    ]);
    const [first, second] = rows.map(({ date }) => Date.parse(date) / 86_400_000);
    expect((second ?? 0) - (first ?? 0)).toBe(10);
    expect(rows[0]?.date).not.toBe("2021-03-14");
  });

  it("adds nothing when the same folder comes again, and reads no film again", async () => {
    putMixedFolder();
    const first = await importPaths(options());
    const shards = readdirSync(join(store.dataFolder, "images"));
    const again = await importPaths(options());
    expect(again).toMatchObject({ found: 10, imported: 0, duplicates: 5 });
    expect(again.quarantined).toHaveLength(first.quarantined.length);
    expect(count("SELECT count(*) FROM image")).toBe(4);
    expect(count("SELECT count(*) FROM source_file")).toBe(10);
    expect(readdirSync(join(store.dataFolder, "images"))).toEqual(shards);
  });

  it("tries a quarantined file again once it has changed, or when asked", async () => {
    const path = put("1.dcm", writeFilm(1, 1).subarray(0, 2000));
    expect((await importPaths(options())).quarantined).toHaveLength(1);
    writeFileSync(path, writeFilm(1, 1));
    expect(await importPaths(options())).toMatchObject({ imported: 1, quarantined: [] });
    const other = put("2.dcm", "text");
    await importPaths(options());
    const { mtime, atime } = { mtime: new Date(1e12), atime: new Date(1e12) };
    utimesSync(other, atime, mtime);
    expect((await importPaths(options({ retryQuarantined: true }))).quarantined).toHaveLength(1);
  });

  it("recognises the same pixels under another identifier", async () => {
    put("1.dcm", writeFilm(1, 1));
    await importPaths(options());
    put("2.dcm", writeFilm(1, 1, { "00080018": "1.2.826.0.1.3680043.10.999.1.77" }));
    put("3.dcm", writeFilm(1, 9, { "00080018": "1.2.826.0.1.3680043.10.999.1.78" }));
    const result = await importPaths(options());
    expect(result).toMatchObject({ imported: 0, duplicates: 3 });
    const reasons = store.database
      .prepare("SELECT reason_code AS code, reason FROM source_file ORDER BY id")
      .all() as { code: string | null; reason: string | null }[];
    expect(reasons.map(({ code }) => code)).toEqual([
      null,
      "duplicate-content",
      "duplicate-other-patient",
    ]);
    expect(reasons[2]?.reason).toMatch(/under another patient/);
  });

  it("quarantines another film under an identifier that is taken", async () => {
    put("1.dcm", writeFilm(1, 1));
    put("2.dcm", writeFilm(2, 1, { "00080018": "1.2.826.0.1.3680043.10.999.1.1" }));
    const result = await importPaths(options());
    expect(result.imported).toBe(1);
    expect(result.quarantined[0]?.reason).toMatch(/SOP Instance UID of image 1, but other pixels/);
  });

  it("numbers the films in the order of their names, whatever worker is first", async () => {
    for (let i = 1; i <= 40; i++) put(`${String(i).padStart(3, "0")}.dcm`, writeFilm(i, i));
    await importPaths(options());
    const identity = openSiteIdentity(store.dataFolder, store.database);
    const paths = Array.from({ length: 40 }, (_, index) =>
      sourcePathOfImage(store.database, identity, index + 1),
    );
    expect(paths).toEqual([...paths].sort());
  });

  it("lists the quarantine with opened paths", async () => {
    const path = put("words.dcm", "words");
    await importPaths(options());
    const identity = openSiteIdentity(store.dataFolder, store.database);
    const [file] = quarantinePage(store.database, identity, {
      cohortId: store.cohortId,
      code: null,
    });
    expect(file).toMatchObject({ path, code: "not-dicom" });
  });
});

describe("a folder that is not as it should be", () => {
  it("refuses an empty one, and one without films, saying what to do", async () => {
    await expect(importPaths(options())).rejects.toThrow(/no films in .*Choose a folder/);
    put("labels.csv", "a,b\n");
    await expect(importPaths(options())).rejects.toThrow(/1 other file is no films/);
    expect(count("SELECT count(*) FROM source_file")).toBe(0);
  });

  it("refuses a path that does not exist", async () => {
    await expect(importPaths(options({ paths: [join(films, "none")] }))).rejects.toThrow(
      /There is no file or folder/,
    );
  });

  it("reads each film once where links run in a loop", async () => {
    put("a/1.dcm", writeFilm(1, 1));
    symlinkSync(films, join(films, "a", "loop"));
    symlinkSync(join(films, "nowhere"), join(films, "broken"));
    const result = await importPaths(options());
    expect(result.imported).toBe(1);
    expect(result.quarantined.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/link leads nowhere/),
    ]);
  });

  it("takes a file with an unusual name, and one with a picture's name but DICOM inside", async () => {
    put("Ünïcode–名前 \u{1f9e1}/ф'1;--.dcm", writeFilm(1, 1));
    put("film.png", writeFilm(2, 2));
    put("1.2.840.113619.2.5.1762583153", writeFilm(3, 3));
    expect(await importPaths(options())).toMatchObject({ found: 3, imported: 3 });
  });

  it("looks at a file that is named directly, whatever it is", async () => {
    const path = put("labels.csv", "a,b\n");
    const result = await importPaths(options({ paths: [path] }));
    expect(result.quarantined[0]?.reason).toMatch(/is text, not a DICOM file/);
  });
});

describe("progress, pause and cancel", () => {
  it("tells how much is done and at what rate", async () => {
    for (let i = 0; i < 200; i++) put(`${i}.dcm`, writeFilm(i, i));
    const told: ImportProgress[] = [];
    await importPaths(options({ onProgress: (progress) => told.push(progress) }));
    expect(told.at(-1)).toMatchObject({ phase: "finishing", done: 200, total: 200, imported: 200 });
    const done = told.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
  });

  it("stands still while paused and goes on afterwards", async () => {
    for (let i = 0; i < 30; i++) put(`${i}.dcm`, writeFilm(i, i));
    const pause = new Pause();
    pause.set(true);
    const phases = new Set<string>();
    const running = importPaths(options({ pause, onProgress: ({ phase }) => phases.add(phase) }));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(count("SELECT count(*) FROM image")).toBe(0);
    expect(phases).toEqual(new Set(["paused"]));
    pause.set(false);
    expect(await running).toMatchObject({ imported: 30 });
  });

  it("commits what is done when cancelled, and the rest comes with the next import", async () => {
    for (let i = 0; i < 300; i++) put(`${i}.dcm`, writeFilm(i, i));
    const abort = new AbortController();
    const running = importPaths(options({ signal: abort.signal }));
    setTimeout(() => abort.abort(), 400);
    const first = await running;
    expect(count("SELECT count(*) FROM image")).toBe(first.imported);
    const second = await importPaths(options());
    expect(first.imported + second.imported).toBe(300);
    expect(count("SELECT count(*) FROM image")).toBe(300);
  });

  it("can be cancelled while paused", async () => {
    put("1.dcm", writeFilm(1, 1));
    const pause = new Pause();
    pause.set(true);
    const abort = new AbortController();
    const running = importPaths(options({ pause, signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    expect(await running).toMatchObject({ cancelled: true, imported: 0 });
  });
});

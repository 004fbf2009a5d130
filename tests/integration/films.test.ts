import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";
import { decodeFile } from "../../src/main/dicom/open-film.ts";
import { parseFile } from "../../src/main/dicom/parse.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import { reviewObstacle } from "../../src/main/store/reviews.ts";
import type { DeidentifiedExport, ImportResult } from "../../src/shared/domain.ts";
import type { Elements } from "../support/dicom-writer.ts";
import { smallForm, writeFilm } from "../support/films.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { runCli, runJson } from "./support.ts";

let folder: string;
let films: string;
let core: Core;
let cohortId: number;

beforeEach(async () => {
  folder = temporaryFolder();
  films = join(folder, "films");
  await mkdir(films);
  core = await openCore({ dataFolder: join(folder, "data") });
  cohortId = (await core.call("cohort:create", { name: "Ward 7", framePixels: 32 })).id;
});
afterEach(() => core.close());

async function put(name: string, number: number, changes: Elements = {}): Promise<string> {
  const path = join(films, name);
  await writeFile(path, writeFilm(number, number, changes));
  return path;
}

async function add(): Promise<ImportResult> {
  return finish<ImportResult>(await core.call("intake:start", { cohortId, paths: [films] }));
}

async function finish<T>({ jobId }: { jobId: string }): Promise<T> {
  const job = await core.jobFinished(jobId);
  if (job.state !== "finished") throw new Error(job.error ?? job.state);
  return job.result as T;
}

async function rows() {
  return (await core.call("cohort:images", { cohortId })).rows;
}

async function frame(imageId: number): Promise<Uint8Array> {
  return (await core.pixels(`frame/${imageId}`)).body;
}

async function shards(): Promise<Buffer> {
  const images = join(folder, "data", "images");
  const names = await readdir(images);
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(images, name)))));
}

describe("which films take part", () => {
  const at = (time: string): Elements => ({
    "00080032:TM": time,
    "0020000D": "1.2.826.0.1.3680043.10.999.2.77",
    "00100020": "PAT-1",
  });

  it("sets the earlier of two exposures of one view aside, in whatever order they come", async () => {
    await put("a.dcm", 1, at("101500"));
    await put("b.dcm", 2, at("100800"));
    await put("c.dcm", 3, { ...at("101000"), "00185101": "AP" });
    await put("d.dcm", 4, at("130000"));
    await add();
    const byTime = (await rows()).map(({ status, statusReason }) => [status, statusReason]);
    expect(byTime).toEqual([
      ["included", null],
      ["set-aside", "The same view was taken again 7 minutes later; the last one is used."],
      ["included", null],
      ["included", null],
    ]);
  });

  it("takes back all films of one reason at once, undoes it, and rules leave them alone", async () => {
    await put("a.dcm", 1, { "00185101": "LL" });
    await put("b.dcm", 2, { "00185101": "LL" });
    await put("c.dcm", 3, { "00180015": "HAND" });
    await put("d.dcm", 4);
    await add();
    expect(await core.call("aside:groups", { cohortId })).toEqual([
      { code: "lateral", images: 2, patients: 2 },
      { code: "body-part", images: 1, patients: 1 },
    ]);
    const { changed, changeId } = await core.call("aside:take-back", { cohortId, code: "lateral" });
    expect(changed).toBe(2);
    const statuses = async () => (await rows()).map(({ status }) => status);
    expect(await statuses()).toEqual(["included", "included", "set-aside", "included"]);
    expect(await core.call("aside:undo", { changeId })).toEqual({ changed: 2 });
    expect(await statuses()).toEqual(["set-aside", "set-aside", "set-aside", "included"]);
    await expect(core.call("aside:undo", { changeId })).rejects.toThrow(/undone already/);
  });

  it("never mixes films for processing with those for presentation, unless somebody knows", async () => {
    const intent = (value: string): Elements => ({ ...at("101500"), "00080068": value });
    await put("a.dcm", 1, intent("FOR PRESENTATION"));
    await put("b.dcm", 2, intent("FOR PROCESSING"));
    await put("c.dcm", 3, { "00080068": "FOR PROCESSING" });
    await add();
    const reason = "Raw detector data (for processing), not an image for presentation.";
    const films = async () =>
      (await rows()).map(({ status, statusReason }) => [status, statusReason]);
    // The raw one of a pair counts as no repetition of the other, whichever came first.
    const before = [
      ["included", null],
      ["set-aside", reason],
      ["set-aside", reason],
    ];
    expect(await films()).toEqual(before);
    const group = [{ code: "for-processing", images: 2, patients: 2 }];
    expect(await core.call("aside:groups", { cohortId })).toEqual(group);
    const { byStatus } = await core.call("cohort:overview", { cohortId });
    expect(byStatus.map(({ value, images }) => [value, images])).toContainEqual([reason, 2]);

    const code = "for-processing";
    await expect(core.call("aside:take-back", { cohortId, code })).rejects.toThrow(
      /raw detector data \(for processing\).*--knowingly/,
    );
    expect(await films()).toEqual(before);
    const known = { cohortId, code, knowingly: true } as const;
    const { changed, changeId } = await core.call("aside:take-back", known);
    expect(changed).toBe(2);
    const remark = "Raw detector data (for processing), taken back by a person.";
    expect((await films()).slice(1)).toEqual([
      ["included", remark],
      ["included", remark],
    ]);
    await core.call("aside:undo", { changeId });
    expect(await films()).toEqual(before);

    // The command line says the same, and refuses in the same words.
    await core.close();
    const aside = ["--data", join(folder, "data"), "aside", "Ward 7"];
    expect(await runJson(...aside)).toEqual({ takenBack: 0, groups: group });
    const refused = await runCli([...aside, "--take-back", code]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toMatch(/raw detector data/);
    expect(await runJson(...aside, "--take-back", code, "--knowingly")).toEqual({
      takenBack: 2,
      groups: [],
    });
    core = await openCore({ dataFolder: join(folder, "data") });

    const imageId = (await rows())[2]?.id ?? 0;
    const set = (status: "included" | "set-aside") =>
      core.call("cohort:set-status", { imageId, status, reason: "Another look." });
    expect((await set("included")).statusReason).toBe(remark);
    expect((await set("set-aside")).statusReason).toBe("Another look.");
    expect((await set("included")).statusReason).toBe(remark);
  });

  it("sets films that nobody could read aside with their reason, and takes them back", async () => {
    await put("a.dcm", 1, { "00280300:CS": "YES" });
    await put("b.dcm", 2, { "00080008": "ORIGINAL\\PRIMARY\\LOCALIZER" });
    const tiny = { ...smallForm, rows: 20, columns: 30 };
    await writeFile(join(films, "c.dcm"), writeFilm(3, 3, {}, {}, tiny));
    const blank = new Uint8Array(smallForm.rows * smallForm.columns * 2);
    await writeFile(join(films, "d.dcm"), writeFilm(4, 4, {}, { pixels: blank }));
    await put("e.dcm", 5);
    await add();
    expect((await rows()).map(({ statusReason }) => statusReason)).toEqual([
      "A test of the system, not a patient's film.",
      "A localizer, not a diagnostic film.",
      "Too small to be read: 30 x 20 pixels.",
      "Blank: one value everywhere.",
      null,
    ]);
    const code = "non-diagnostic";
    expect(await core.call("aside:groups", { cohortId })).toEqual([
      { code, images: 4, patients: 4 },
    ]);
    expect((await core.call("aside:take-back", { cohortId, code })).changed).toBe(4);
    expect((await rows()).every(({ status }) => status === "included")).toBe(true);
    expect(await core.call("aside:groups", { cohortId })).toEqual([]);
  });

  it("sets rejected and repeated exposures aside with their reason, and takes them back", async () => {
    await put("a.dcm", 1, { "0008103E": "Thorax p.a. verworfen" });
    await put("b.dcm", 2, { ...at("101500") });
    await put("c.dcm", 3, { ...at("101000") });
    await add();
    const reasons = async () => (await rows()).map(({ statusReason }) => statusReason);
    expect(await reasons()).toEqual([
      "Its description calls it a rejected or repeated exposure.",
      null,
      "The same view was taken again 5 minutes later; the last one is used.",
    ]);
    const code = "repeated";
    expect(await core.call("aside:groups", { cohortId })).toEqual([
      { code, images: 2, patients: 1 },
    ]);
    expect((await core.call("aside:take-back", { cohortId, code })).changed).toBe(2);
    expect(await reasons()).toEqual([null, null, null]);
    // One more exposure sets the last one aside, but none on which a person has decided.
    await put("d.dcm", 4, { ...at("101700") });
    await add();
    expect((await rows()).map(({ status }) => status)).toEqual([
      "included",
      "set-aside",
      "included",
      "included",
    ]);
  });

  it("tells equal Patient IDs of two issuers apart, but not those that name no issuer", async () => {
    const issuer = (name: string): Elements => ({ "00100020": "PAT-1", "00100021:LO": name });
    await put("a.dcm", 1, issuer("North"));
    await put("b.dcm", 2, issuer("South"));
    await put("c.dcm", 3, issuer("North"));
    await add();
    expect(new Set((await rows()).map(({ patient }) => patient)).size).toBe(2);
    const other = await core.call("cohort:create", { name: "Mixed", framePixels: 32 });
    await rm(join(films, "b.dcm"));
    await put("d.dcm", 4, { "00100020": "PAT-1" });
    await finish(await core.call("intake:start", { cohortId: other.id, paths: [films] }));
    const mixed = await core.call("cohort:images", { cohortId: other.id });
    expect(mixed.total).toBe(3);
    expect(new Set(mixed.rows.map(({ patient }) => patient)).size).toBe(1);
  });
});

describe("review of burned-in text", () => {
  it("queues what speaks for text, and training waits where the cohort says so", async () => {
    await put("a.dcm", 1, { "00280301": "YES" });
    await put("b.dcm", 2, { "00280301": "NO" });
    await put("c.dcm", 3, { "00080016": "1.2.840.10008.5.1.4.1.1.7" });
    await add();
    const queue = await core.call("review:queue", { cohortId });
    expect(queue.rows.map(({ flag }) => flag)).toEqual(["declared", "secondary-capture"]);
    expect(await core.call("review:counts", { cohortId })).toEqual({
      policy: "none",
      open: 3,
      openFlagged: 2,
      accepted: 0,
      blackened: 0,
    });
    await core.call("review:policy", { cohortId, policy: "flagged" });
    const obstacle = () => {
      const database = openDatabase(join(folder, "data", "silhouette.sqlite"));
      try {
        return reviewObstacle(database, cohortId);
      } finally {
        database.close();
      }
    };
    expect(obstacle()).toMatch(/^2 films have not been looked at/);
    for (const { imageId } of queue.rows) {
      await core.call("review:decide", { imageId, decision: "accept" });
    }
    expect((await core.call("review:counts", { cohortId })).accepted).toBe(2);
    expect((await core.call("review:queue", { cohortId })).total).toBe(0);
    expect(obstacle()).toBeNull();
    await core.call("review:policy", { cohortId, policy: "all" });
    expect(obstacle()).toMatch(/^1 film has/);
  });

  it("blackens the frame, leaves nothing of the old one on the disk, and undoes it", async () => {
    await put("a.dcm", 1, { "00280301": "YES" });
    await add();
    const [film] = await rows();
    const imageId = film?.id ?? 0;
    const before = await frame(imageId);
    const old = await shards();
    const region = { left: 0, top: 0, width: 40, height: 24 };
    const item = await core.call("review:decide", {
      imageId,
      decision: "blackout",
      regions: [region],
    });
    expect(item).toMatchObject({ state: "blackened", blackened: [region], decided: true });
    const after = await frame(imageId);
    expect(Buffer.compare(after, before)).not.toBe(0);
    // The frame's rows 0 to 15 show the film's rows 0 to 23.
    const now = await shards();
    expect(now.length).toBe(2 * old.length);
    expect(now.includes(old.subarray(10 * 32, 12 * 32))).toBe(false);
    expect((await core.call("review:undo", { imageId })).state).toBe("open");
    expect(Buffer.compare(await frame(imageId), before)).toBe(0);
    await expect(core.call("review:undo", { imageId })).rejects.toThrow(/no decision/);
  });

  it("carries the decisions over a restart", async () => {
    await put("a.dcm", 1, { "00280301": "YES" });
    await add();
    const imageId = (await rows())[0]?.id ?? 0;
    await core.call("review:decide", { imageId, decision: "set-aside" });
    await core.close();
    core = await openCore({ dataFolder: join(folder, "data") });
    expect((await rows())[0]).toMatchObject({
      status: "set-aside",
      statusReason: "Text burned into the image.",
    });
    await core.call("review:undo", { imageId });
    expect((await rows())[0]).toMatchObject({ status: "included" });
  });
});

describe("export of de-identified copies", () => {
  it("writes reviewed films with their black regions and holds the others back", async () => {
    await put("a.dcm", 1, { "00280301": "YES" });
    await put("b.dcm", 2);
    const gone = await put("c.dcm", 3);
    await add();
    const [first, , third] = await rows();
    const region = { left: 4, top: 5, width: 6, height: 7 };
    await core.call("review:decide", {
      imageId: first?.id ?? 0,
      decision: "blackout",
      regions: [region],
    });
    await core.call("review:decide", { imageId: third?.id ?? 0, decision: "accept" });
    await rm(gone);
    const out = join(folder, "out");
    const result = await finish<DeidentifiedExport>(
      await core.call("films:export-deidentified", { cohortId, folder: out }),
    );
    expect(result).toMatchObject({ written: 1, withheld: 1 });
    expect(result.failed.map(({ imageId }) => imageId)).toEqual([third?.id]);
    const [patient = ""] = await readdir(out);
    const [name = ""] = await readdir(join(out, patient));
    const copy = join(out, patient, name);
    expect(patient).toBe(first?.patient);
    expect(parseFile(await readFile(copy)).header.film.burnedInAnnotation).toBe(false);
    const { values, columns } = await decodeFile(copy);
    expect(values[6 * columns + 5]).toBe(0);
    expect(values[6 * columns + 11]).not.toBe(0);
  });
});

describe("the quarantine", () => {
  it("counts by reason, and takes a file when it is mended and tried again", async () => {
    const torn = await put("torn.dcm", 1);
    await writeFile(torn, (await readFile(torn)).subarray(0, 900));
    await writeFile(join(films, "letter.dcm"), "Dear colleague,\n");
    await put("good.dcm", 2);
    await add();
    const before = await core.call("quarantine:list", { cohortId });
    expect(before.total).toBe(2);
    expect(before.counts.map(({ code }) => code).sort()).toEqual(["not-dicom", "truncated"]);
    await put("torn.dcm", 1);
    const [entry] = before.rows.filter(({ code }) => code === "truncated");
    const result = await finish<ImportResult>(
      await core.call("quarantine:retry", { cohortId, fileIds: [entry?.id ?? 0] }),
    );
    expect(result).toMatchObject({ found: 1, imported: 1 });
    expect((await core.call("quarantine:list", { cohortId })).total).toBe(1);
    const file = join(folder, "quarantine.csv");
    await core.call("quarantine:export", { cohortId, file });
    expect(await readFile(file, "utf8")).toMatch(
      /^path,code,reason,recorded at\r\n.*letter\.dcm,not/,
    );
  });
});

describe("the re-identification table", () => {
  it("is off by default, opens by passphrase only, and is gone when turned off", async () => {
    const off = { on: false, since: null, rows: 0 };
    expect(await core.call("reidentification:state", {})).toEqual(off);
    const passphrase = "correct horse battery";
    await expect(core.call("reidentification:turn-on", { passphrase: "short" })).rejects.toThrow(
      /12 characters/,
    );
    await core.call("reidentification:turn-on", { passphrase });
    await put("a.dcm", 1, { "00100020": "HIDDEN-ID-4711" });
    await add();
    const patient = (await rows())[0]?.patient ?? "";
    const found = await core.call("reidentification:look-up", { passphrase, pseudonym: patient });
    expect(found).toEqual([
      { kind: "patient", pseudonym: patient, original: "HIDDEN-ID-4711", issuer: null },
    ]);
    await expect(
      core.call("reidentification:look-up", {
        passphrase: "wrong horse battery",
        pseudonym: patient,
      }),
    ).rejects.toThrow(/does not open/);
    const stored = await readFile(join(folder, "data", "silhouette.sqlite"));
    expect(stored.includes("HIDDEN-ID-4711")).toBe(false);
    expect(await core.call("reidentification:turn-off", {})).toEqual(off);
    await expect(
      core.call("reidentification:look-up", { passphrase, pseudonym: patient }),
    ).rejects.toThrow(/is off/);
  });
});

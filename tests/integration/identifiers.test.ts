import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";
import { firstRows } from "../../src/main/dicom/deidentification/profile-first.ts";
import { secondRows } from "../../src/main/dicom/deidentification/profile-second.ts";
import { thirdRows } from "../../src/main/dicom/deidentification/profile-third.ts";
import type { Elements } from "../support/dicom-writer.ts";
import { writeFilm } from "../support/films.ts";
import { filesUnder } from "../support/temporary.ts";
import { temporaryFolder } from "./support.ts";

/**
 * Identifiers planted in every attribute that PS3.15 names, in private groups, sequences and
 * overlays; then everything is made that the product can write, and searched.
 */
const word = "ZZSECRET";
const uid = "1.2.3.987654321";
const dates = ["19470911", "1947-09-11", "20190823", "2019-08-23"];
const secrets = [word, uid, ...dates];

const folder = temporaryFolder();
const data = join(folder, "data");
const films = join(folder, "films");
const out = join(folder, "out");
const hasPoppler = spawnSync("pdftotext", ["-v"]).error === undefined;
let core: Core;
let cohortId: number;
let runIds: readonly string[] = [];
let planted = 0;

/** A value of each attribute's own kind, wherever the profile names one that holds text. */
function everywhere(): Elements {
  const elements: Record<string, string | readonly Elements[]> = {};
  for (const line of [firstRows, secondRows, thirdRows].join("").split("\n")) {
    const [tag = "", vr = ""] = line.split(" ");
    // Groups with a meaning for the file itself, and repeating groups.
    if (!/^(?!0002|0004|0028|7FE0)[0-9A-F]{8}$/.test(tag)) continue;
    if (/^(AE|SH|LO|ST|LT|PN|UC|UT|UR)$/.test(vr)) elements[`${tag}:${vr}`] = `${word}${tag}`;
    else if (vr === "DA") elements[`${tag}:DA`] = "20190823";
    else if (vr === "DT") elements[`${tag}:DT`] = "20190823101500";
    else if (vr === "UI") elements[`${tag}:UI`] = `${uid}.7.${Number.parseInt(tag, 16)}`;
    else continue;
    planted += 1;
  }
  return elements;
}

/** Tags that `film` gives values of its own, without the representation that may follow. */
function without(elements: Elements, tags: readonly string[]): Elements {
  return Object.fromEntries(
    Object.entries(elements).filter(([key]) => !tags.includes(key.slice(0, 8))),
  );
}

function film(number: number, patient: number, common: Elements): Uint8Array {
  const own: Elements = {
    "00080016": "1.2.840.10008.5.1.4.1.1.1.1",
    "00080018": `${uid}.1.${number}`,
    "00080020": "20190823",
    "00080060": "DX",
    "00100010": `${word}^${patient}`,
    "00100020": `${word}-${patient}`,
    "00100030": "19470911",
    "00100040": patient % 2 === 0 ? "F" : "M",
    "00180015": "CHEST",
    "00185101": "PA",
    "0020000D": `${uid}.2.${number}`,
    "0020000E": `${uid}.3.${number}`,
  };
  const tags = Object.keys(own);
  return writeFilm(number, patient, {
    ...without(common, tags),
    "00091001:LO": `${word}PRIVATE`,
    "00090010:LO": `${word}CREATOR`,
    "00400275": [{ "00321032": `${word}NESTED`, "00400007": `${word}NESTED` }],
    "60004000": `${word}OVERLAY`,
    ...own,
  });
}

async function finish(started: { readonly jobId: string }): Promise<void> {
  const job = await core.jobFinished(started.jobId);
  if (job.state !== "finished") throw new Error(job.error ?? job.state);
}

beforeAll(async () => {
  for (const path of [films, out]) mkdirSync(path, { recursive: true });
  const common = everywhere();
  const patients = 90;
  for (let patient = 1; patient <= patients; patient += 1) {
    writeFileSync(join(films, `${patient}.dcm`), film(patient, patient, common));
  }
  writeFileSync(join(films, "cut.dcm"), film(500, 500, common).subarray(0, 4000));
  writeFileSync(join(films, "tomography.dcm"), writeFilm(501, 1, { "00080060": word }));
  const labels = join(folder, "labels.csv");
  const rows = Array.from({ length: patients }, (_, at) => {
    const positive = at % 3 === 0 ? 3 : 0;
    return `${word}-${at + 1},${positive},${at % 2 === 0 ? 3 : 0},ward ${at % 2}`;
  });
  writeFileSync(labels, ["patient_id,cardiomegaly,congestion,ward", ...rows, ""].join("\n"));

  core = await openCore({ dataFolder: data });
  cohortId = (await core.call("cohort:create", { name: "site", framePixels: 32 })).id;
  await finish(await core.call("intake:start", { cohortId, paths: [films] }));
  await finish(await core.call("labels:import", { cohortId, file: labels }));
  await core.call("cohort:split", { cohortId, train: 0.7, validation: 0.1, test: 0.2 });
  const { recipe } = await core.call("training:defaults", { cohortId });
  const started = await core.call("training:start", {
    cohortId,
    recipe: { ...recipe, resolutionPixels: 16, expectedBatch: 12, epochs: 0.5, auditCanaries: 10 },
    epsilon: 8,
    delta: null,
    withReference: true,
  });
  runIds = started.runIds;
  for (const runId of runIds) expect((await core.runFinished(runId)).state).toBe("finished");
}, 240_000);

afterAll(async () => {
  await core.close();
});

function expectClean(name: string, bytes: Buffer): void {
  for (const secret of secrets) {
    expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
    expect(bytes.includes(Buffer.from(secret, "utf16le")), `${secret} in ${name}`).toBe(false);
  }
}

/** A PDF's own bytes, and all of its streams unpacked. */
function contentsOf(pdf: Buffer): Buffer {
  const parts = [pdf];
  let at = pdf.indexOf("stream\n");
  while (at >= 0) {
    const end = pdf.indexOf("endstream", at);
    try {
      parts.push(inflateSync(pdf.subarray(at + 7, end)));
    } catch {
      // A stream that is not packed stands in the file's bytes as it is.
    }
    at = pdf.indexOf("stream\n", end + 9);
  }
  return Buffer.concat(parts);
}

describe("identifiers planted in every attribute", () => {
  it("were planted in hundreds of places, and the films came in all the same", async () => {
    expect(planted).toBeGreaterThan(300);
    expect(readFileSync(join(films, "1.dcm")).includes(word)).toBe(true);
    const { summary } = await core.call("cohort:overview", { cohortId });
    expect(summary).toMatchObject({ images: 90, patients: 90, included: 90, quarantined: 2 });
  });

  it("stand in nothing that leaves the building", async () => {
    const [privateRunId = "", referenceRunId = ""] = runIds;
    const pair = { privateRunId, referenceRunId };
    await finish(await core.call("evaluation:compare", pair));
    await finish(await core.call("audit:start", { runId: privateRunId }));
    await finish(await core.call("report:write", { ...pair, file: join(out, "report.pdf") }));
    await core.call("ledger:export", { cohortId, file: join(out, "ledger.json") });
    for (const format of ["onnx", "safetensors"] as const) {
      await core.call("run:export", {
        runId: privateRunId,
        format,
        file: join(out, `as ${format}.${format}`),
      });
    }
    for (const { id } of (await core.call("cohort:images", { cohortId, limit: 5 })).rows) {
      await core.call("review:decide", { imageId: id, decision: "accept" });
    }
    const copies = join(out, "copies");
    await finish(
      await core.call("films:export-deidentified", {
        cohortId,
        folder: copies,
        keepCharacteristics: true,
        withUnreviewed: true,
      }),
    );
    expect(filesUnder(copies).filter((file) => file.endsWith(".dcm"))).toHaveLength(90);
    const files = filesUnder(out);
    expect(files.length).toBeGreaterThanOrEqual(96);
    for (const file of files) {
      const bytes = readFileSync(file);
      expectClean(file, file.endsWith(".pdf") ? contentsOf(bytes) : bytes);
      expectClean("the file's name", Buffer.from(file));
    }
    if (hasPoppler) {
      const { stdout } = spawnSync("pdftotext", [join(out, "report.pdf"), "-"]);
      expectClean("the report's text", stdout);
    }
  }, 120_000);

  it("stand in no list, and only by their files' paths where a list is for this site", async () => {
    const list = join(folder, "quarantine.csv");
    await core.call("quarantine:export", { cohortId, file: list });
    expectClean(list, readFileSync(list));
    const scores = join(folder, "scores.csv");
    const paths = [join(films, "1.dcm"), join(films, "cut.dcm")];
    await finish(await core.call("predict:start", { runId: runIds[0] ?? "", paths, file: scores }));
    expect(readFileSync(scores, "utf8")).toContain("1.dcm");
    expectClean(scores, readFileSync(scores));
  });

  it("stand in nothing that the window is told", async () => {
    const told = [
      await core.call("cohort:list", {}),
      await core.call("cohort:overview", { cohortId }),
      await core.call("cohort:images", { cohortId, limit: 500 }),
      await core.call("cohort:image", { imageId: 1 }),
      await core.call("quarantine:list", { cohortId }),
      await core.call("review:queue", { cohortId, unflagged: true, limit: 500 }),
    ];
    expectClean("an answer", Buffer.from(JSON.stringify(told)));
  });

  it("stand in no file of the data folder and in no backup of it", async () => {
    const backup = join(folder, "site.backup");
    await finish(
      await core.call("backup:start", { file: backup, passphrase: "a long passphrase" }),
    );
    const files = [...filesUnder(data), backup];
    // Database and log of its writes, films' shard, the runs' logs, checkpoints and weights.
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) expectClean(file, readFileSync(file));
  });
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";
import type { ImportResult, LabelImportResult } from "../../src/shared/domain.ts";
import type { Elements } from "../support/dicom-writer.ts";
import { writeFilm } from "../support/films.ts";
import { planOf, type Plan, type Secret } from "../support/random-identifiers.ts";
import { filesUnder } from "../support/temporary.ts";
import { temporaryFolder } from "./support.ts";

/**
 * Identifiers of many scripts at random places of random depth; then whatever intake, labels,
 * review and the export of copies write is searched. `IDENTIFIER_SEEDS=200` tries more.
 */
const seeds = Array.from(
  { length: Number(process.env["IDENTIFIER_SEEDS"] ?? 8) },
  (_, at) => at + 1,
);
const filmsOfSeed = 6;
const syntaxes = [
  "1.2.840.10008.1.2.1",
  "1.2.840.10008.1.2",
  "1.2.840.10008.1.2.2",
  "1.2.840.10008.1.2.1.99",
];

/** A film of the plan: the patient's identity where it belongs, and secrets all over. */
function film(plan: Plan, number: number, changes: Elements = {}): Buffer {
  const patient = plan.patients[number % plan.patients.length];
  if (patient === undefined) throw new Error("The plan has no patients.");
  const own: Elements = {
    "00080005": plan.characterSet,
    "00080018": `${plan.uid}.1.${number}`,
    "00080020": plan.studyDate,
    "00080060": "DX",
    "00100010": patient.name.raw,
    "00100020": patient.id.raw,
    "00100030": plan.birthDate,
    "00180015": "CHEST",
    "00185101": "PA",
    "0020000D": `${plan.uid}.2.${number}`,
    "0020000E": `${plan.uid}.3.${number}`,
    ...changes,
  };
  // The issuer of the identifier would tell patients apart whose rows name none.
  const taken = new Set([...Object.keys(own), "00080016", "00080070", "00100021"]);
  const planted = Object.entries(plan.elements()).filter(([key]) => !taken.has(key.slice(0, 8)));
  const transferSyntax = syntaxes[Math.floor(plan.random() * syntaxes.length)] ?? "";
  const bytes = Buffer.from(
    writeFilm(number, number, { ...Object.fromEntries(planted), ...own }, { transferSyntax }),
  );
  // The first 128 bytes belong to whoever wrote the file.
  patient.name.bare.copy(bytes, 4);
  return bytes;
}

interface Forbidden {
  readonly what: string;
  readonly bytes: Buffer;
}

function forbiddenOf(plan: Plan): Forbidden[] {
  const secrets: Secret[] = [...plan.words, ...plan.patients.flatMap(({ id, name }) => [id, name])];
  const { birthDate, studyDate, uid } = plan;
  const dashed = (date: string) => date.replace(/(....)(..)(..)/, "$1-$2-$3");
  const plain = [uid, birthDate, studyDate, dashed(birthDate), dashed(studyDate)];
  return [
    ...secrets.flatMap(({ text, bare }) => [
      { what: `${text} as coded`, bytes: bare },
      { what: `${text} in UTF-8`, bytes: Buffer.from(text) },
      { what: `${text} in UTF-16`, bytes: Buffer.from(text, "utf16le") },
    ]),
    ...plain.map((text) => ({ what: text, bytes: Buffer.from(text) })),
  ];
}

function foundIn(bytes: Buffer, forbidden: readonly Forbidden[]): string[] {
  return forbidden.filter((each) => bytes.includes(each.bytes)).map(({ what }) => what);
}

describe("identifiers of any script, at random places of random depth", () => {
  it.each(seeds)("stand in nothing that is written: seed %i", async (seed) => {
    const folder = temporaryFolder();
    const films = join(folder, "films");
    const [data, copies] = [join(folder, "data"), join(folder, "copies")];
    mkdirSync(films);
    const plan = planOf(seed, 4);
    const forbidden = forbiddenOf(plan);
    const written: Buffer[] = [];
    const put = (name: string, bytes: Buffer) => {
      written.push(bytes);
      writeFileSync(join(films, name), bytes);
    };
    for (let number = 0; number < filmsOfSeed; number += 1) {
      const { text } = plan.patients[number % 4]?.name ?? { text: "" };
      put(`${text} ${number}.dcm`, film(plan, number));
    }
    put("cut.dcm", film(plan, 50).subarray(0, 3000));
    put("tomography.dcm", film(plan, 51, { "00080060": "CT" }));
    const labels = join(folder, "labels.csv");
    const rows = plan.patients.map(({ id }) => `"${id.text}",3`);
    writeFileSync(labels, ["patient_id,cardiomegaly", ...rows, ""].join("\n"));

    const core = await openCore({ dataFolder: data });
    const told: unknown[] = [];
    try {
      const { id: cohortId } = await core.call("cohort:create", { name: "any", framePixels: 32 });
      const intake = await core.call("intake:start", { cohortId, paths: [films] });
      const result = await finish<ImportResult>(core, intake);
      expect(result).toMatchObject({ found: filmsOfSeed + 2, imported: filmsOfSeed });
      expect(result.quarantined).toHaveLength(2);
      // The table names the patients in another encoding than the films do.
      const { matched } = await finish<LabelImportResult>(
        core,
        await core.call("labels:import", { cohortId, file: labels }),
      );
      expect(matched).toBe(plan.patients.length);
      for (const { id } of (await core.call("cohort:images", { cohortId })).rows) {
        await core.call("review:decide", { imageId: id, decision: "accept" });
        // The path is told to this site's people, who look for the film by it.
        told.push({ ...(await core.call("cohort:image", { imageId: id })), path: null });
      }
      await finish(
        core,
        await core.call("films:export-deidentified", {
          cohortId,
          folder: copies,
          keepCharacteristics: seed % 2 === 0,
          withUnreviewed: true,
        }),
      );
      told.push(result.quarantined, await core.call("cohort:overview", { cohortId }));
      told.push(await core.call("cohort:images", { cohortId }));
      told.push(await core.call("review:queue", { cohortId, unflagged: true }));
    } finally {
      await core.close();
    }

    // Each of them was in a film, but for those that only deflated films carry.
    const missing = forbidden.filter(({ bytes }) => !written.some((each) => each.includes(bytes)));
    expect(forbidden.length - missing.length).toBeGreaterThan(plan.patients.length);
    const files = [...filesUnder(data), ...filesUnder(copies)];
    expect(files.filter((file) => file.endsWith(".dcm"))).toHaveLength(filmsOfSeed);
    for (const file of files) {
      expect(foundIn(readFileSync(file), forbidden), `in ${file}`).toEqual([]);
      expect(foundIn(Buffer.from(file), forbidden), "in a file's name").toEqual([]);
    }
    expect(foundIn(Buffer.from(JSON.stringify(told)), forbidden), "in an answer").toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
});

async function finish<T>(core: Core, { jobId }: { readonly jobId: string }): Promise<T> {
  const job = await core.jobFinished(jobId);
  if (job.state !== "finished") throw new Error(job.error ?? job.state);
  return job.result as T;
}

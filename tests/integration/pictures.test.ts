import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openCore, type Core } from "../../src/main/core/core.ts";
import type { ImportResult, LabelImportResult } from "../../src/shared/domain.ts";
import { seeded, writeFilm } from "../support/films.ts";
import { greyPngOf } from "../support/png.ts";
import { temporaryFolder } from "../support/temporary.ts";

let core: Core | null = null;
afterEach(async () => {
  await core?.close();
  core = null;
});

function picture(seed: number): Buffer {
  const random = seeded(seed);
  const values = Array.from({ length: 40 * 32 }, () => Math.floor(random() * 65536));
  return greyPngOf(values, 40, 32, 16);
}

/** Three films in the way of CheXpert, whose file names repeat from patient to patient. */
function dataSet(): { folder: string; table: string } {
  const folder = join(temporaryFolder(), "CheXpert-v1.0");
  const paths = [
    "train/patient00001/study1/view1_frontal.png",
    "train/patient00002/study1/view1_frontal.png",
    "train/patient00002/study1/view2_lateral.png",
    "train/patient00009/study1/view1_frontal.png",
  ];
  paths.forEach((path, index) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), picture(index + 1));
  });
  const row = (path: string, rest: string) => `CheXpert-v1.0-small/${path},${rest}\n`;
  const table = join(folder, "train.csv");
  writeFileSync(
    table,
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Edema,Pleural Effusion\n" +
      row(paths[0] ?? "", "Female,68,Frontal,AP,,1.0,0.0,") +
      row(paths[1] ?? "", "Male,50,Frontal,PA,1.0,,,") +
      row(paths[2] ?? "", "Male,50,Lateral,,1.0,,,"),
  );
  return { folder, table };
}

async function cohort(): Promise<{ core: Core; cohortId: number }> {
  core = await openCore({ dataFolder: temporaryFolder() });
  const { id } = await core.call("cohort:create", { name: "Pictures", framePixels: 32 });
  return { core, cohortId: id };
}

async function resultOf<Result>(of: Core, started: { readonly jobId: string }): Promise<Result> {
  const ended = await of.jobFinished(started.jobId);
  expect(ended.error).toBeNull();
  return ended.result as Result;
}

describe("PNG films", () => {
  it("are quarantined without a table, and taken in with one, each under its own patient", async () => {
    const { core: open, cohortId } = await cohort();
    const { folder, table } = dataSet();
    const without = await resultOf<ImportResult>(
      open,
      await open.call("intake:start", { cohortId, paths: [folder] }),
    );
    expect(without).toMatchObject({ found: 4, imported: 0 });
    expect(without.quarantined[0]?.reason).toMatch(/no table was given.*Import it together/);

    const imported = await resultOf<ImportResult>(
      open,
      await open.call("intake:start", { cohortId, paths: [folder], table: { file: table } }),
    );
    expect(imported).toMatchObject({ found: 4, imported: 3, setAside: 1 });
    expect(imported.quarantined).toEqual([
      {
        path: join(folder, "train/patient00009/study1/view1_frontal.png"),
        reason: expect.stringMatching(/does not name this file/) as string,
      },
    ]);
    const { rows } = await open.call("cohort:images", { cohortId });
    expect(
      rows.map(({ sex, ageYears, viewPosition, status }) => [sex, ageYears, viewPosition, status]),
    ).toEqual([
      ["F", 68, "AP", "included"],
      ["M", 50, "PA", "included"],
      ["M", 50, "LL", "set-aside"],
    ]);
    expect(new Set(rows.map(({ patient }) => patient)).size).toBe(2);

    const labels = { cohortId, file: table };
    const preview = await open.call("labels:preview", labels);
    expect(preview).toMatchObject({ matched: 3, filmsWithoutRow: 0, preset: { name: "chexpert" } });
    expect((await open.call("cohort:overview", { cohortId })).summary.labelled).toBe(0);
    const labelled = await resultOf<LabelImportResult>(
      open,
      await open.call("labels:import", labels),
    );
    expect(labelled).toMatchObject({ matched: 3, unmatched: [], invalid: [] });
    const after = await open.call("cohort:images", { cohortId });
    expect(after.rows.map(({ grades }) => [grades.cardiomegaly, grades.congestion])).toEqual([
      [2, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it("are shown at full depth, and a DICOM film without a patient takes the table's", async () => {
    const { core: open, cohortId } = await cohort();
    const folder = temporaryFolder();
    writeFileSync(join(folder, "one.png"), picture(1));
    writeFileSync(join(folder, "two.dcm"), writeFilm(2, 2, { "00100020": "" }));
    const table = join(folder, "films.csv");
    writeFileSync(table, "file,patient_id,cardiomegaly\none.png,A,3\ntwo.dcm,B,0\n");
    const imported = await resultOf<ImportResult>(
      open,
      await open.call("intake:start", { cohortId, paths: [folder], table: { file: table } }),
    );
    expect(imported).toMatchObject({ imported: 2, quarantined: [] });
    const { rows } = await open.call("cohort:images", { cohortId });
    const [first] = rows;
    const { headers, body } = await open.pixels(`film/${first?.id ?? 0}`);
    expect(JSON.parse(headers["x-film"] ?? "{}")).toMatchObject({
      rows: 32,
      columns: 40,
      bitsStored: 16,
    });
    expect(body.length).toBe(40 * 32 * 2);
  });

  it("that wait in quarantine are taken in once a table is chosen, without naming the folder again", async () => {
    const { core: open, cohortId } = await cohort();
    const { folder, table } = dataSet();
    await resultOf(open, await open.call("intake:start", { cohortId, paths: [folder] }));
    const named = await resultOf<ImportResult>(
      open,
      await open.call("intake:name-pictures", { cohortId, table: { file: table } }),
    );
    expect(named).toMatchObject({ found: 4, imported: 3 });
    const left = await open.call("cohort:quarantine", { cohortId });
    expect(left.map(({ code }) => code)).toEqual(["no-table"]);
  });

  it("are not taken where the table names a file for two patients", async () => {
    const { core: open, cohortId } = await cohort();
    const folder = temporaryFolder();
    writeFileSync(join(folder, "one.png"), picture(1));
    writeFileSync(join(folder, "two.png"), picture(2));
    const table = join(folder, "films.csv");
    writeFileSync(table, "file,patient_id,cardiomegaly\none.png,A,3\none.png,B,3\ntwo.png,C,3\n");
    const imported = await resultOf<ImportResult>(
      open,
      await open.call("intake:start", { cohortId, paths: [folder], table: { file: table } }),
    );
    expect(imported.imported).toBe(1);
    expect(imported.quarantined[0]?.reason).toMatch(/more than one patient/);
  });
});

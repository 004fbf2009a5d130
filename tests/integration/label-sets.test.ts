import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilmScores } from "../../src/shared/contract/release.ts";
import type { CohortOverview } from "../../src/shared/domain.ts";
import { findingsOf, type Finding } from "../../src/shared/findings.ts";
import { generatePhantoms } from "../../src/main/phantoms/generate.ts";
import { readSafetensors } from "../../src/main/network/safetensors.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import { seeded } from "../support/films.ts";
import { comparedPair, trainPair, type TrainedPair } from "../support/trained-pair.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

/**
 * A public set's 28 labels and a hospital's own, from the table to a restored backup: the same
 * labels in the same order everywhere, none lost.
 */
const folder = temporaryFolder();
const films = join(folder, "films");
const hasPoppler = spawnSync("pdftotext", ["-v"]).error === undefined;

beforeAll(async () => {
  await generatePhantoms({ folder: films, patients: 90, seed: 7, sizePixels: 96 });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a table of the films with these columns, made-up marks in each; gives its path. */
function tableWith(name: string, columns: readonly string[]): string {
  const random = seeded(28);
  const [, ...lines] = readFileSync(join(films, "labels.csv"), "utf8").trim().split("\n");
  const rows = lines.map((line) => {
    const [patient, image] = line.split(",");
    const marks = columns.map(() => (random() < 0.3 ? "1" : random() < 0.9 ? "0" : ""));
    return [patient, image, "seen", ...marks].join(",");
  });
  const file = join(folder, `${name}.csv`);
  writeFileSync(
    file,
    [["patient_id", "image_id", "Remark", ...columns].join(","), ...rows].join("\n"),
  );
  return file;
}

const longest = "Interstitielle Zeichnungsvermehrung, basal betont, beidseits";
const own: readonly Finding[] = [
  { key: "zyste", title: "Zyste", side: null },
  { key: "drain_right", title: "Drain, right", side: "right" },
  { key: "drain_left", title: "Drain, left", side: "left" },
  { key: "herzgroße", title: "Herzgröße", side: null },
  {
    key: "interstitielle_zeichnungsvermehrung_basal_betont_beidseits",
    title: longest,
    side: null,
  },
  { key: "label_3_rippe", title: "3. Rippe", side: null },
  { key: "catheter_left", title: "Catheter, left", side: "left" },
  { key: "тень_łuk", title: "Тень Łuk", side: null },
];

const sets = [
  {
    name: "VinDr-CXR's 28 labels",
    findings: findingsOf("vindr"),
    columns: findingsOf("vindr").flatMap(({ key }) => (key === "no_finding" ? [] : [key])),
    options: () => ["--findings", "vindr"],
  },
  {
    name: "labels of one's own",
    findings: own,
    columns: [
      "Zyste",
      "Drain rechts",
      "drain_links",
      "Herzgröße",
      `"${longest}"`,
      "3. Rippe",
      "Catheter (left)",
      "Тень Łuk",
    ],
    options: (table: string) => ["--labels-from", table],
  },
];

describe.each(sets)("a cohort of $name", ({ name, findings, columns, options }) => {
  const place = join(folder, String(findings.length));
  const data = join(place, "data");
  const keys = findings.map(({ key }) => key);
  const titles = findings.map(({ title }) => title);
  let table: string;
  let pair: TrainedPair;

  beforeAll(async () => {
    mkdirSync(place);
    table = tableWith(String(findings.length), columns);
    const start = ["import", name, films, ...options(table), "--frame", "48", "--data", data];
    await runJson(...start);
    await runJson("labels", name, table, "--data", data);
    pair = await trainPair(data, { train: 0.6, validation: 0.1, test: 0.3 });
  }, 240_000);
  afterAll(() => pair.core.close());

  it("has them all in their order, with the table's marks", async () => {
    const { labels } = await pair.core.call("cohort:overview", { cohortId: pair.cohortId });
    expect(labels.map(({ finding }) => finding)).toEqual(keys);
    for (const { finding, positive, negative } of labels) {
      if (finding === "no_finding") continue;
      expect([finding, positive > 20 && negative > 50]).toEqual([finding, true]);
    }
    const { stdout } = await runCli(["cohort", name, "--data", data]);
    for (const title of titles) expect(stdout).toContain(title);
  });

  it("is compared and reported with each", async () => {
    const report = join(place, "report.pdf");
    const comparison = await comparedPair(pair, report);
    for (const run of [comparison.privateRun, comparison.referenceRun]) {
      expect(run?.labels.map(({ finding }) => finding)).toEqual(keys);
    }
    if (!hasPoppler) return;
    const text = spawnSync("pdftotext", [report, "-"], { encoding: "utf8" }).stdout;
    const flat = text.replaceAll(/\s+/g, " ");
    for (const title of titles) expect(flat).toContain(title);
    // In charts too, whose Latin font has no Cyrillic.
    if (findings === own) {
      const count = (title: string) => flat.split(title).length;
      expect(count("Тень Łuk")).toBe(count("Zyste"));
    }
  });

  it("is audited", async () => {
    const { jobId } = await pair.core.call("audit:start", { runId: pair.privateId });
    expect((await pair.core.jobFinished(jobId)).state).toBe("finished");
  });

  it("is exported with them, in weights, model and card", async () => {
    const exported = (format: string, file: string) =>
      runJson<{ card: string }>(
        ...["export", pair.privateId, "--format", format, "--out", file, "--data", data],
      );
    const weights = join(place, "weights.safetensors");
    await exported("safetensors", weights);
    const { tensors, metadata } = readSafetensors(readFileSync(weights));
    expect(tensors.get("fc.bias")?.shape).toEqual([keys.length]);
    expect(JSON.parse(metadata["labels"] ?? "")).toEqual(keys);
    expect(JSON.parse(metadata["labelTitles"] ?? "")).toEqual(titles);
    const model = join(place, "model.onnx");
    const { card } = await exported("onnx", model);
    const bytes = readFileSync(model, "utf8");
    expect(bytes).toContain(JSON.stringify(keys));
    expect(bytes).toContain(JSON.stringify(titles));
    const listed = readFileSync(card, "utf8").matchAll(/^ {2}\d+\. (.+) \(`(.+)`\)$/gm);
    expect([...listed].map(([, title, key]) => [title, key])).toEqual(
      findings.map(({ title, key }) => [title, key]),
    );
  });

  it("comes back from a backup, and scores films as before", async () => {
    const passphrase = join(place, "passphrase");
    writeFileSync(passphrase, "a long enough passphrase for a test\n");
    const file = join(place, "backup.tar");
    const target = join(place, "restored");
    const secret = ["--passphrase-file", passphrase];
    await runJson("backup", file, ...secret, "--data", data);
    await runJson("restore", file, ...secret, "--data", target);
    const overviews = await Promise.all(
      [data, target].map((each) => runJson<CohortOverview>("cohort", name, "--data", each)),
    );
    expect(overviews[1]?.summary.scheme).toEqual(overviews[0]?.summary.scheme);
    expect(overviews[1]?.labels).toEqual(overviews[0]?.labels);
    const tables: string[] = [];
    for (const each of [data, target]) {
      const out = join(place, "scores.csv");
      const { labels } = await runJson<FilmScores>(
        ...["predict", pair.privateId, films, "--out", out, "--data", each],
      );
      expect(labels).toEqual(keys);
      tables.push(readFileSync(out, "utf8"));
    }
    const [head, row] = (tables[0] ?? "").split("\r\n");
    expect(head).toBe(["file", "view_position", ...keys, "note"].join(","));
    expect(
      row
        ?.split(",")
        .slice(2, 2 + keys.length)
        .every((score) => Number(score) > 0),
    ).toBe(true);
    expect(tables[1]).toBe(tables[0]);
  });

  it("cannot be given other labels", async () => {
    const again = await runCli(["import", name, films, "--findings", "nih", "--data", data]);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toMatch(/exists with other labels .* cannot be changed/);
    const database = openDatabase(join(data, "silhouette.sqlite"));
    expect(() => database.exec("UPDATE cohort SET own_findings = '[]'")).toThrow(
      /cannot be changed/,
    );
    expect(() => database.exec("UPDATE cohort SET scheme = 'nih'")).toThrow(/cannot be changed/);
    database.close();
  });
});

describe("labels of one's own on the command line", () => {
  const data = join(folder, "typed");
  const make = (...options: string[]) =>
    runCli(["import", "typed", films, ...options, "--frame", "32", "--data", data, "--json"]);

  it("are refused where they cannot be a set, and leave no cohort", async () => {
    const twice = await make("--label", "Mass", "--label", "mass");
    expect(twice.exitCode).toBe(2);
    expect(twice.stderr).toMatch(/Another label is called/);
    expect((await make("--label", "Mass", "--findings", "nih")).exitCode).toBe(2);
    const table = tableWith("typed", ["Mass"]);
    expect((await make("--labels-from", table, "--columns", "Nodule")).stderr).toMatch(
      /no column "Nodule". It has patient_id, image_id, Remark, Mass/,
    );
    expect((await runCli(["cohort", "typed", "--data", data])).exitCode).toBe(1);
  });

  it("are typed in, with a side, with both or with none", async () => {
    const { exitCode, stderr } = await make("--label", "Mass", "--label", "Tube:both");
    expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
    const { summary } = await runJson<CohortOverview>("cohort", "typed", "--data", data);
    expect(summary.scheme).toEqual({
      findings: [
        { key: "mass", title: "Mass", side: null },
        { key: "tube_right", title: "Tube, right", side: "right" },
        { key: "tube_left", title: "Tube, left", side: "left" },
      ],
    });
  });
});

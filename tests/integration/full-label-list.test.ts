import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilmScores } from "../../src/shared/contract/release.ts";
import { keysOf } from "../../src/shared/findings.ts";
import type { Core } from "../../src/main/core/core.ts";
import { seeded } from "../support/films.ts";
import { greyPngOf } from "../support/png.ts";
import { comparedPair, trainPair, type TrainedPair } from "../support/trained-pair.ts";
import { runJson, temporaryFolder } from "./support.ts";

/**
 * CheXpert's fourteen observations through everything that counts on the labels: made-up pictures
 * and rows in the data set's folders and under its header.
 */
const folder = temporaryFolder();
const data = join(folder, "data");
const root = join(folder, "CheXpert-v1.0-small");
const table = join(root, "train.csv");
const keys = keysOf("chexpert");
const patients = 90;
let core: Core;
let cohortId: number;
let privateId: string;
let pair: TrainedPair;

const header =
  "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly," +
  "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax," +
  "Pleural Effusion,Pleural Other,Fracture,Support Devices";

/** Two films of each patient in the data set's folders, brighter where there is an effusion. */
function makeDataSet(): void {
  const random = seeded(14);
  const rows: string[] = [];
  for (let patient = 1; patient <= patients; patient++) {
    const sex = random() < 0.5 ? "Female" : "Male";
    const age = 20 + Math.floor(random() * 70);
    for (const study of ["study1", "study2"]) {
      const place = `train/patient${String(patient).padStart(5, "0")}/${study}`;
      const file = `${place}/view1_frontal.png`;
      const normal = random() < 0.3;
      const mark = (share: number): string => {
        const drawn = random();
        if (normal) return "";
        return drawn < share ? "1.0" : drawn < 0.9 ? "0.0" : "-1.0";
      };
      const cells = keys.map((key) => {
        if (key === "no_finding") return normal ? "1.0" : "";
        if (key === "pleural_other") return "";
        if (key === "support_devices") return random() < 0.5 ? "1.0" : "0.0";
        return mark(0.4);
      });
      const effusion = cells[keys.indexOf("pleural_effusion")] === "1.0";
      const pixels = Array.from({ length: 48 * 48 }, () =>
        Math.floor((effusion ? 25_000 : 0) + random() * 40_000),
      );
      mkdirSync(join(root, place), { recursive: true });
      writeFileSync(join(root, file), greyPngOf(pixels, 48, 48, 16));
      rows.push(`CheXpert-v1.0-small/${file},${sex},${age},Frontal,AP,${cells.join(",")}`);
    }
  }
  writeFileSync(table, `${header}\n${rows.join("\n")}\n`);
}

beforeAll(async () => {
  makeDataSet();
  const common = ["--data", data];
  await runJson(
    ...["import", "public", join(root, "train"), "--table", table],
    ...["--findings", "chexpert", "--frame", "48", ...common],
  );
  await runJson("labels", "public", table, ...common);
  pair = await trainPair(data, { train: 0.6, validation: 0.1, test: 0.3 });
  ({ core, cohortId, privateId } = pair);
}, 180_000);

afterAll(async () => {
  await core.close();
});

describe("a cohort of CheXpert's fourteen observations", () => {
  it("has them all, and a positive No Finding makes blanks negative", async () => {
    const { labels, summary } = await core.call("cohort:overview", { cohortId });
    expect(summary.scheme).toBe("chexpert");
    expect(labels.map(({ finding }) => finding)).toEqual(keys);
    const of = (finding: string) => labels.find((label) => label.finding === finding);
    const normal = of("no_finding")?.positive ?? 0;
    expect(normal).toBeGreaterThan(0);
    expect(of("pleural_other")).toMatchObject({ positive: 0, negative: normal });
    expect(of("no_finding")?.negative).toBeGreaterThan(0);
    expect(of("support_devices")?.missing).toBe(0);
  });

  it("is compared and reported label by label", async () => {
    const file = join(folder, "report.pdf");
    const comparison = await comparedPair(pair, file);
    for (const run of [comparison.privateRun, comparison.referenceRun]) {
      expect(run?.plan.scheme).toBe("chexpert");
      expect(run?.labels.map(({ finding }) => finding)).toEqual(keys);
    }
    expect(comparison.privateRun?.macroLabels).not.toContain("pleural_other");
    expect(statSync(file).size).toBeGreaterThan(10_000);
  });

  it("scores films with a column for each", async () => {
    const out = join(folder, "scores.csv");
    const train = join(root, "train", "patient00001");
    const scores = await runJson<FilmScores>(
      ...["predict", privateId, train, "--out", out, "--data", data],
    );
    expect(scores.labels).toEqual(keys);
    const [head] = readFileSync(out, "utf8").split("\r\n");
    expect(head).toBe(["file", "view_position", ...keys, "note"].join(","));
  });

  it("audits its runs", async () => {
    const { jobId } = await core.call("audit:start", { runId: privateId });
    expect((await core.jobFinished(jobId)).state).toBe("finished");
  });
});

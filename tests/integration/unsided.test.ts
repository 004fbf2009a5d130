import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilmScores } from "../../src/shared/contract/release.ts";
import { keysOf } from "../../src/shared/findings.ts";
import type { Core } from "../../src/main/core/core.ts";
import { generatePhantoms } from "../../src/main/phantoms/generate.ts";
import { readSafetensors } from "../../src/main/network/safetensors.ts";
import { comparedPair, trainPair, type TrainedPair } from "../support/trained-pair.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

/** A cohort of labels without sides, through everything that counts on the labels. */
const folder = temporaryFolder();
const data = join(folder, "data");
const films = join(folder, "films");
const keys = keysOf("unsided");
let core: Core;
let cohortId: number;
let privateId: string;
let pair: TrainedPair;

beforeAll(async () => {
  await generatePhantoms({ folder: films, patients: 90, seed: 7, sizePixels: 96 });
  const common = ["--data", data];
  await runJson("import", "public", films, "--findings", "unsided", "--frame", "48", ...common);
  await runJson("labels", "public", join(films, "labels.csv"), ...common);
  pair = await trainPair(data, { train: 0.7, validation: 0.1, test: 0.2 });
  ({ core, cohortId, privateId } = pair);
}, 180_000);

afterAll(async () => {
  await core.close();
});

describe("a cohort of labels without sides", () => {
  it("is refused other labels later", async () => {
    const again = ["import", "public", films, "--findings", "sided", "--data", data];
    const { exitCode, stderr } = await runCli(again);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/exists with other labels .* cannot be changed/);
  });

  it("has five labels, taken from the sides of its table", async () => {
    const overview = await core.call("cohort:overview", { cohortId });
    expect(overview.summary.scheme).toBe("unsided");
    expect(overview.labels.map(({ finding }) => finding)).toEqual(keys);
    const [head = "", ...lines] = readFileSync(join(films, "labels.csv"), "utf8")
      .trim()
      .split("\n");
    const columns = head.split(",");
    const right = columns.indexOf("pleural_effusion_right");
    const left = columns.indexOf("pleural_effusion_left");
    const { rows, total } = await core.call("cohort:images", { cohortId, limit: 500 });
    expect(total).toBe(lines.length);
    const expected = lines.filter((line) => {
      const cells = line.split(",");
      return Number(cells[right]) >= 2 || Number(cells[left]) >= 2;
    }).length;
    expect(rows.filter(({ grades }) => (grades.pleural_effusion ?? -1) >= 2)).toHaveLength(
      expected,
    );
    expect(rows.every(({ grades }) => grades.pleural_effusion_right === undefined)).toBe(true);
  });

  it("is compared and reported label by label", async () => {
    const file = join(folder, "report.pdf");
    const comparison = await comparedPair(pair, file);
    for (const run of [comparison.privateRun, comparison.referenceRun]) {
      expect(run?.plan.scheme).toBe("unsided");
      expect(run?.labels.map(({ finding }) => finding)).toEqual(keys);
    }
    expect(statSync(file).size).toBeGreaterThan(10_000);
  });

  it("scores films and is exported with its own five outputs", async () => {
    const out = join(folder, "scores.csv");
    const scores = await runJson<FilmScores>(
      ...["predict", privateId, films, "--out", out, "--data", data],
    );
    expect(scores.labels).toEqual(keys);
    expect(Object.keys(scores.films[0]?.scores ?? {})).toEqual(keys);
    const [head] = readFileSync(out, "utf8").split("\r\n");
    expect(head).toBe(["file", "view_position", ...keys, "note"].join(","));
    const exportAs = (format: string, file: string) =>
      runJson("export", privateId, "--format", format, "--out", file, "--data", data);
    const weights = join(folder, "weights.safetensors");
    await exportAs("safetensors", weights);
    const { tensors, metadata } = readSafetensors(readFileSync(weights));
    expect(tensors.get("fc.bias")?.shape).toEqual([keys.length]);
    expect(JSON.parse(metadata["labels"] ?? "")).toEqual(keys);
    const model = join(folder, "model.onnx");
    await exportAs("onnx", model);
    expect(readFileSync(model, "latin1")).toContain(JSON.stringify(keys));
    const session = await ort.InferenceSession.create(model);
    const images = new ort.Tensor("float32", new Float32Array(32 * 32).fill(0.5), [1, 1, 32, 32]);
    const found = await session.run({ images });
    expect(found["scores"]?.dims).toEqual([1, keys.length]);
    await session.release();
  });

  it("audits its runs", async () => {
    const { jobId } = await core.call("audit:start", { runId: privateId });
    expect((await core.jobFinished(jobId)).state).toBe("finished");
  });

  it("has each attack on its training patients in the ledger, and the report that tells of it", async () => {
    const both = { privateRunId: privateId, referenceRunId: pair.referenceId };
    const file = join(folder, "audited.pdf");
    const { jobId } = await core.call("report:write", { ...both, file });
    expect((await core.jobFinished(jobId)).state).toBe("finished");
    const audit = await core.call("audit:show", { runId: privateId });
    const members = audit?.attacks[0]?.members;
    expect(members).toBeGreaterThan(0);
    const { releases } = await core.call("ledger:show", { cohortId });
    expect(releases.map(({ what, patients }) => [what, patients.training])).toEqual([
      ["comparison", 0],
      ["report", 0],
      ["audit", members],
      ["report", members],
    ]);
  });
});

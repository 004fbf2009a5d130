import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilmScores } from "../../src/shared/contract/release.ts";
import { keysOf } from "../../src/shared/findings.ts";
import { defaultPreparation, pixelPipelineOf } from "../../src/main/dicom/pipeline.ts";
import { openCore, type Core } from "../../src/main/core/core.ts";
import { readSafetensors } from "../../src/main/network/safetensors.ts";
import { FrameReader } from "../../src/main/store/image-cache.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import { predictionsOfRun, requireRun } from "../../src/main/store/runs.ts";
import { createReducer } from "../../src/main/training/frames.ts";
import { generatePhantoms } from "../../src/main/phantoms/generate.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

const folder = temporaryFolder();
const data = join(folder, "data");
const films = join(folder, "films");
let core: Core;
let privateId = "";
let referenceId = "";

const recipe = {
  network: "resnet9-small",
  resolutionPixels: 32,
  expectedBatch: 12,
  epochs: 1,
  learningRate: 0.002,
  warmupSteps: 0,
  clipping: { kind: "automatic", norm: 1 },
  averagingDecay: 0.9,
  viewsPerUnit: 1,
  unit: "patient",
  augmentation: true,
  mirror: false,
  classWeights: "none",
  optimiser: "nadam",
  momentum: 0.9,
  weightDecay: 0,
  schedule: "constant",
  engine: "auto",
  initialWeights: null,
} as const;

beforeAll(async () => {
  await generatePhantoms({ folder: films, patients: 90, seed: 5, sizePixels: 96 });
  core = await openCore({ dataFolder: data });
  const { id: cohortId } = await core.call("cohort:create", { name: "ward", framePixels: 48 });
  const intake = await core.call("intake:start", { cohortId, paths: [films] });
  await core.jobFinished(intake.jobId);
  const labels = await core.call("labels:import", { cohortId, file: join(films, "labels.csv") });
  await core.jobFinished(labels.jobId);
  await core.call("cohort:split", { cohortId, train: 0.7, validation: 0.1, test: 0.2 });
  const { runIds } = await core.call("training:start", {
    cohortId,
    recipe,
    epsilon: 8,
    delta: null,
    withReference: true,
  });
  for (const runId of runIds) expect((await core.runFinished(runId)).state).toBe("finished");
  [privateId, referenceId] = runIds as [string, string];
}, 120_000);

afterAll(async () => {
  await core.close();
});

/** The scores that the run stored for its held-out films, by the films' paths. */
async function storedScores(runId: string): Promise<Map<string, Float32Array>> {
  const database = openDatabase(join(data, "silhouette.sqlite"));
  const stored = new Map<string, Float32Array>();
  for (const { imageId, scores } of predictionsOfRun(database, runId)) {
    const { path } = await core.call("cohort:image", { imageId });
    stored.set(path!, scores);
  }
  database.close();
  return stored;
}

function weightsFileOf(runId: string): string {
  const database = openDatabase(join(data, "silhouette.sqlite"));
  const { weightsFile } = requireRun(database, runId);
  database.close();
  return join(data, weightsFile!);
}

describe("scoring films", () => {
  it("gives the scores that the run stored for the same films, and says what it cannot read", async () => {
    const odd = join(folder, "odd");
    mkdirSync(odd, { recursive: true });
    writeFileSync(join(odd, "letter.dcm"), "Dear colleague,\n");
    const out = join(folder, "scores.csv");
    const result = await runJson<FilmScores>(
      ...["predict", privateId, films, odd, "--out", out, "--data", data],
    );
    const stored = await storedScores(privateId);
    expect(stored.size).toBeGreaterThan(20);
    const scored = new Map(result.films.map((film) => [film.path, film]));
    for (const [path, scores] of stored) {
      keysOf("sided").forEach((key, index) => {
        expect(Math.abs(scored.get(path)!.scores[key]! - scores[index]!)).toBeLessThan(1e-6);
      });
    }
    expect(result.scored + result.unreadable.length).toBe(result.found);
    const letter = result.unreadable.find(({ path }) => path.endsWith("letter.dcm"));
    expect(letter!.reason.length).toBeGreaterThan(15);
    expect(result.unreadable.some(({ reason }) => /lateral/i.test(reason))).toBe(true);

    const rows = readFileSync(out, "utf8").trim().split("\r\n");
    expect(rows[0]).toBe(`file,view_position,${keysOf("sided").join(",")},note`);
    expect(rows.length).toBe(1 + result.found);
    const first = rows[1]!.split(",");
    const [path = ""] = first;
    expect(Math.fround(Number(first[2]))).toBe(scored.get(path)!.scores.cardiomegaly);
  });

  it("refuses a path that does not exist and a run that does not", async () => {
    const nowhere = await runCli(["predict", privateId, join(folder, "nowhere"), "--data", data]);
    expect(nowhere).toMatchObject({ exitCode: 1, stdout: "" });
    expect(nowhere.stderr).toMatch(/nowhere/);
    const nobody = await runCli(["predict", "p-none", films, "--data", data]);
    expect(nobody.exitCode).toBe(1);
    expect(nobody.stderr).toMatch(/no run p-none/);
  });
});

describe("an export", () => {
  it("as ONNX reproduces the stored scores in onnxruntime, and carries what it is", async () => {
    const out = join(folder, "model.onnx");
    const exported = await runJson<{ sha256: string; card: string }>(
      ...["export", privateId, "--format", "onnx", "--out", out, "--data", data],
    );
    const bytes = readFileSync(out);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(exported.sha256);
    const session = await ort.InferenceSession.create(out, { logSeverityLevel: 3 });
    expect(session.outputNames).toEqual(["scores"]);

    const database = openDatabase(join(data, "silhouette.sqlite"));
    const locationOf = database.prepare(
      "SELECT frame_shard AS shard, frame_position AS position FROM image WHERE id = ?",
    );
    const frames = new FrameReader(data, 48);
    const reduce = createReducer(48, 32);
    let worst = 0;
    for (const { imageId, scores } of predictionsOfRun(database, privateId)) {
      const image = new Float32Array(32 * 32);
      reduce(frames.read([locationOf.get(imageId) as { shard: string; position: number }]), image);
      const feeds = { images: new ort.Tensor("float32", image, [1, 1, 32, 32]) };
      const found = (await session.run(feeds))["scores"]!.data as Float32Array;
      found.forEach((score, index) => {
        worst = Math.max(worst, Math.abs(score - scores[index]!));
      });
    }
    frames.close();
    database.close();
    expect(worst).toBeLessThan(1e-5);

    const text = bytes.toString("latin1");
    for (const part of ["pixelPipeline", "positiveAtGrade", "epsilon", "delta", privateId]) {
      expect(text).toContain(part);
    }
    const card = readFileSync(exported.card, "utf8");
    expect(card).toMatch(/Epsilon [78]\.\d+ at delta/);
    expect(card).toContain(exported.sha256);
    expect(card).not.toContain(folder);
  });

  it("as safetensors holds the run's own weights under their names", async () => {
    const out = join(folder, "weights.safetensors");
    await runJson("export", privateId, "--format", "safetensors", "--out", out, "--data", data);
    const exported = readSafetensors(readFileSync(out));
    const own = readSafetensors(readFileSync(weightsFileOf(privateId)));
    expect([...exported.tensors.keys()]).toEqual([...own.tensors.keys()]);
    for (const [name, { data: values }] of own.tensors) {
      expect(exported.tensors.get(name)!.data).toEqual(values);
    }
    expect(exported.metadata).toMatchObject({
      run: privateId,
      pixelPipeline: pixelPipelineOf(defaultPreparation),
    });
    expect(JSON.parse(exported.metadata["labels"]!)).toEqual(keysOf("sided"));
  });

  it("of a reference run needs to be accepted in so many words, and says so in the file", async () => {
    const out = join(folder, "reference.safetensors");
    const args = ["export", referenceId, "--format", "safetensors", "--out", out, "--data", data];
    const refused = await runCli(args);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toMatch(/protects nobody/);
    expect(existsSync(out)).toBe(false);
    const { card } = await runJson<{ card: string }>(...args, "--accept-non-private");
    expect(readSafetensors(readFileSync(out)).metadata["privacy"]).toMatch(/must stay inside/);
    expect(readFileSync(card, "utf8")).toMatch(/protects nobody/);
  });

  it("of damaged weights is refused and leaves nothing", async () => {
    const weights = weightsFileOf(referenceId);
    const bytes = readFileSync(weights);
    const last = bytes.length - 1;
    bytes[last] = bytes[last]! ^ 1;
    writeFileSync(weights, bytes);
    const out = join(folder, "damaged.onnx");
    const result = await runCli([
      ...["export", referenceId, "--format", "onnx", "--out", out, "--accept-non-private"],
      ...["--data", data],
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/damaged/);
    expect(existsSync(out)).toBe(false);
  });
});

const hasPoppler = spawnSync("pdftotext", ["-v"]).error === undefined;

/** Values that occur nowhere else, as a curve of each run. */
function plantTelemetry(): readonly string[] {
  const database = openDatabase(join(data, "silhouette.sqlite"));
  const changed = database
    .prepare(
      `UPDATE metric SET loss = 7.3127 + step / 1e7, clipped_share = 0.4493, left_out = 876543,
         epsilon = 0.19187`,
    )
    .run().changes;
  database.close();
  expect(changed).toBeGreaterThan(4);
  for (const runId of [privateId, referenceId]) {
    writeFileSync(join(data, "runs", runId, "trainer.log"), "step 1 loss 7.3127 clipped 0.4493\n");
  }
  return ["7.312", "0.4493", "44.93", "876543", "876,543", "0.19187"];
}

/** Every file that a run can leave the data folder as, by name; the time of writing taken out. */
async function everyExport(name: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const format of ["onnx", "safetensors"] as const) {
    const out = join(folder, `run.${format}`);
    const { card } = await core.call("run:export", { runId: privateId, format, file: out });
    files.set(format, readFileSync(out));
    const words = readFileSync(card, "utf8").replace(/^Written by .*$/m, "");
    files.set(`${format} card`, Buffer.from(words));
  }
  const { cohortId } = await core.call("run:progress", { runId: privateId }).then(({ run }) => run);
  const ledger = join(folder, `${name}.json`);
  await core.call("ledger:export", { cohortId, file: ledger });
  const { content } = JSON.parse(readFileSync(ledger, "utf8")) as { content: object };
  files.set("ledger", Buffer.from(JSON.stringify({ ...content, exportedAt: null })));
  return files;
}

describe("exports", () => {
  it("say what the plan says and nothing measured in training", async () => {
    const files = await everyExport("whitelist");
    const { metadata } = readSafetensors(files.get("safetensors")!);
    expect(Object.keys(metadata).toSorted()).toEqual([
      "delta",
      "epsilon",
      "kind",
      "labelTitles",
      "labels",
      "network",
      "pixelPipeline",
      "plan",
      "positiveAtGrade",
      "privacy",
      "producer",
      "resolutionPixels",
      "run",
    ]);
    expect(Object.keys(JSON.parse(metadata["plan"]!) as object).toSorted()).toEqual([
      "averagingDecay",
      "classCountsNoiseMultiplier",
      "clipping",
      "expectedBatch",
      "learningRate",
      "noiseMultiplier",
      "samplingRate",
      "startedFromFile",
      "steps",
      "stepsPlanned",
      "unit",
      "units",
    ]);
    // The model says the same: its metadata are written from the same facts.
    const model = files.get("onnx")!.toString("latin1");
    for (const value of Object.values(metadata)) expect(model).toContain(value);
    for (const [name, bytes] of files) {
      const text = bytes.toString("latin1");
      expect([name, /clippedShare|leftOut|telemetry/i.test(text)]).toEqual([name, false]);
    }
  });

  it("do not change with the training curve, the trainer's log or what was left out", async () => {
    const before = await everyExport("before");
    const planted = plantTelemetry();
    const after = await everyExport("after");
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, bytes] of after) {
      expect([name, bytes.equals(before.get(name)!)]).toEqual([name, true]);
      const text = bytes.toString("latin1");
      if (name === "onnx" || name === "safetensors") continue;
      for (const value of planted) expect(text).not.toContain(value);
    }
  });

  // Skipped where pdftotext is not installed.
  it.skipIf(!hasPoppler)("as a report hold none of it", async () => {
    const planted = plantTelemetry();
    const file = join(folder, "telemetry.pdf");
    const pair = { privateRunId: privateId, referenceRunId: referenceId };
    const { jobId } = await core.call("report:write", { ...pair, file });
    await core.jobFinished(jobId);
    const { stdout } = spawnSync("pdftotext", ["-layout", file, "-"], { encoding: "utf8" });
    expect(stdout).toContain(privateId);
    for (const value of planted) expect(stdout).not.toContain(value);
  });
});

describe("a run that is over", () => {
  it("cannot be resumed once it has finished", async () => {
    const result = await runCli(["resume", privateId, "--data", data]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/nothing to resume/);
  });
});

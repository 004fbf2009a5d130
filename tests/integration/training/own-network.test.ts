import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openCore } from "../../../src/main/core/core.ts";
import { readSafetensors } from "../../../src/main/network/safetensors.ts";
import { openDatabase } from "../../../src/main/store/database.ts";
import type { RunSummary } from "../../../src/shared/domain.ts";
import { makeBrightCohort } from "../../support/bright-cohort.ts";
import { runCli, runJson, temporaryFolder } from "../support.ts";

const data = temporaryFolder();
let cohort = "";

const layers = [
  {
    kind: "conv2d",
    name: "first",
    inputChannels: 1,
    outputChannels: 4,
    kernel: 4,
    stride: 4,
    padding: 0,
    groups: 1,
    bias: true,
  },
  { kind: "activation", function: "gelu" },
  { kind: "globalAveragePool" },
  { kind: "dense", name: "fc", inputFeatures: 4, outputFeatures: 8 },
];

beforeAll(async () => {
  const core = await openCore({ dataFolder: data });
  await core.close();
  const database = openDatabase(join(data, "silhouette.sqlite"));
  await makeBrightCohort(database, data, { patients: 100, framePixels: 16, seed: 1 });
  cohort = database.prepare("SELECT name FROM cohort").pluck().get() as string;
  database.close();
});

describe("a run of a network from a file", () => {
  it("trains privately, keeps the layers, and needs the file no more", async () => {
    const file = join(data, "mine.json");
    writeFileSync(file, JSON.stringify({ name: "mine", layers }));
    const train = ["train", cohort, "--epsilon", "8", "--epochs", "0.5", "--resolution", "16"];
    const run = await runJson<RunSummary>(...train, "--network", file, "--data", data);
    expect(run.state).toBe("finished");
    expect(run.plan.recipe).toMatchObject({ network: "mine", networkLayers: layers });
    writeFileSync(file, "gone");
    const out = join(data, "mine.safetensors");
    await runJson("export", run.id, "--format", "safetensors", "--out", out, "--data", data);
    const { tensors } = readSafetensors(readFileSync(out), out);
    expect(tensors.get("first.weight")?.shape).toEqual([4, 1, 4, 4]);
    const model = join(data, "mine.onnx");
    await runJson("export", run.id, "--format", "onnx", "--out", model, "--data", data);
    expect(readFileSync(model).length).toBeGreaterThan(0);
  });

  it("is refused before anything is written where the layers fit no labels of the cohort", async () => {
    const file = join(data, "short.json");
    const short = [...layers.slice(0, 3), { ...layers[3], outputFeatures: 3 }];
    writeFileSync(file, JSON.stringify({ name: "short", layers: short }));
    const train = ["train", cohort, "--epsilon", "8", "--network", file, "--resolution", "16"];
    const { exitCode, stderr } = await runCli([...train, "--data", data]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("it ends in 3 logits for 8 labels");
    const { runs } = await runJson<{ runs: RunSummary[] }>("runs", cohort, "--data", data);
    expect(runs.some(({ plan }) => plan.recipe.network === "short")).toBe(false);
  });
});

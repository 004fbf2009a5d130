import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { CohortOverview, ImportResult, LabelImportResult } from "../../src/shared/domain.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

describe("the command line", () => {
  it("accounts for a mechanism as published (Opacus, accountants test)", async () => {
    const result = await runJson<{ epsilon: number; rdp: number; pld: number | null }>(
      ...["privacy", "epsilon", "--sampling-rate", "0.04", "--noise-multiplier", "1.5"],
      ...["--steps", "2250", "--delta", "1e-5", "--accountant", "rdp"],
    );
    expect(result.epsilon / 7.32911117).toBeCloseTo(1, 3);
  });

  it("accounts for a patient with several images (dp_accounting, mixture of Gaussians)", async () => {
    const { epsilon } = await runJson<{ epsilon: number }>(
      ...["privacy", "epsilon", "--sampling-rate", String(1 / 1199), "--steps", "119900"],
      ...["--noise-multiplier", "0.569", "--delta", "6e-6", "--images-per-patient", "4"],
    );
    expect(Math.abs(epsilon - 35.8)).toBeLessThan(0.2);
  });

  it("solves noise that keeps within epsilon", async () => {
    const mechanism = ["--sampling-rate", "0.04", "--steps", "2250", "--delta", "1e-5"];
    const noise = await runJson<{ noiseMultiplier: number; epsilon: number }>(
      ...["privacy", "noise", "--epsilon", "8", ...mechanism],
    );
    expect(noise.epsilon).toBeLessThanOrEqual(8);
    const back = await runJson<{ epsilon: number }>(
      ...["privacy", "epsilon", "--noise-multiplier", String(noise.noiseMultiplier), ...mechanism],
    );
    expect(back.epsilon).toBeLessThanOrEqual(8);
    expect(back.epsilon).toBeGreaterThan(7.99);
  });

  it("composes a list of mechanisms to what one accountant says of them together", async () => {
    const file = join(temporaryFolder(), "mechanisms.json");
    const half = { samplingRate: 0.01, noiseMultiplier: 1, steps: 500 };
    writeFileSync(file, JSON.stringify([half, half]));
    const composed = await runJson<{ epsilon: number }>(
      ...["privacy", "compose", file, "--delta", "1e-5"],
    );
    const whole = await runJson<{ epsilon: number }>(
      ...["privacy", "epsilon", "--sampling-rate", "0.01", "--noise-multiplier", "1"],
      ...["--steps", "1000", "--delta", "1e-5"],
    );
    expect(composed.epsilon).toBeCloseTo(whole.epsilon, 9);
  });

  it("ends with 2 on wrong usage and prints nothing on standard output", async () => {
    for (const args of [
      ["nonsense"],
      ["privacy", "epsilon", "--steps", "10"],
      ["privacy", "epsilon", "--steps", "ten"],
      ["train", "cohort", "--epsilon", "8", "--non-private"],
      ["train", "cohort"],
    ]) {
      const result = await runCli([...args, "--data", temporaryFolder()]);
      expect(result, args.join(" ")).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(/error/);
    }
  });

  it("ends with 1 and says what to do where a value is impossible", async () => {
    const result = await runCli([
      ...["privacy", "noise", "--epsilon", "0", "--sampling-rate", "0.1"],
      ...["--steps", "10", "--delta", "1e-5", "--json"],
    ]);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(/Epsilon must be greater than 0/);
  });

  it("names the cohorts that exist where one does not", async () => {
    const result = await runCli(["cohort", "nobody", "--data", temporaryFolder()]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/no cohort named "nobody"/);
    expect(result.stderr).toMatch(/silhouette import/);
  });
});

describe("bad input on the command line", () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const films = join(folder, "films");

  beforeAll(async () => {
    await runJson("phantoms", films, "--patients", "12", "--seed", "3", "--size", "96");
    await runJson("import", "ward", films, "--frame", "64", "--data", data);
    await runJson("labels", "ward", join(films, "labels.csv"), "--data", data);
  });

  const overview = async (): Promise<CohortOverview> => runJson("cohort", "ward", "--data", data);

  it("an empty folder is refused and adds nothing", async () => {
    const before = await overview();
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const result = await runCli(["import", "ward", empty, "--data", data]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/no /i);
    expect(await overview()).toEqual(before);
  });

  it("text named .dcm and a truncated film are quarantined with a reason, the rest is imported", async () => {
    const mixed = join(folder, "mixed");
    mkdirSync(mixed);
    writeFileSync(join(mixed, "letter.dcm"), "Dear colleague,\n");
    const film = readdirSync(films, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".dcm"))
      .toSorted()[0] as string;
    const bytes = readFileSync(join(films, film));
    writeFileSync(join(mixed, "half.dcm"), bytes.subarray(0, Math.floor(bytes.length / 2)));
    writeFileSync(join(mixed, "again.dcm"), bytes);
    const result = await runJson<ImportResult>("import", "ward", mixed, "--data", data);
    expect(result).toMatchObject({ found: 3, imported: 0, duplicates: 1 });
    expect(result.quarantined.map(({ path }) => path.split("/").at(-1)).toSorted()).toEqual([
      "half.dcm",
      "letter.dcm",
    ]);
    for (const { reason } of result.quarantined) expect(reason.length).toBeGreaterThan(15);
  });

  it("importing the same folder again adds nothing", async () => {
    const before = await overview();
    const result = await runJson<ImportResult>("import", "ward", films, "--data", data);
    expect(result.imported).toBe(0);
    expect(result.duplicates).toBe(result.found);
    expect((await overview()).summary.images).toBe(before.summary.images);
  });

  it("a labels file with unknown columns or patients is refused and changes nothing", async () => {
    const before = await overview();
    const columns = join(folder, "columns.csv");
    writeFileSync(columns, "name,verdict\nA,good\n");
    const patients = join(folder, "patients.csv");
    writeFileSync(patients, "patient_id,cardiomegaly\nSOMEBODY-ELSE,3\n");
    for (const [file, message] of [
      [columns, /No column names the film/],
      [patients, /No row of patients.csv fits/],
    ] as const) {
      const result = await runCli(["labels", "ward", file, "--data", data]);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(message);
    }
    expect(await overview()).toEqual(before);
  });

  it("labels that match are counted, and counted again without a change", async () => {
    const again = await runJson<LabelImportResult>(
      ...["labels", "ward", join(films, "labels.csv"), "--data", data],
    );
    expect(again.matched).toBe(again.rows);
  });

  it("an epsilon of zero and a cohort too small to train are refused before anything is written", async () => {
    const tooSmall = await runCli(["train", "ward", "--epsilon", "8", "--data", data]);
    expect(tooSmall.exitCode).toBe(1);
    expect(tooSmall.stderr).toMatch(/at least|needed/);
    const zero = await runCli(["train", "ward", "--epsilon", "0", "--data", data]);
    expect(zero.exitCode).toBe(1);
    const { runs } = await runJson<{ runs: unknown[] }>("runs", "ward", "--data", data);
    expect(runs).toEqual([]);
  });

  it("decode tells the stored values' hash, and names a file that it cannot read", async () => {
    const film = readdirSync(films, { recursive: true, encoding: "utf8" }).find((name) =>
      name.endsWith(".dcm"),
    ) as string;
    const decoded = await runJson<{ rows: number; sha256: string }>("decode", join(films, film));
    expect(decoded.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(decoded).not.toHaveProperty("values");
    const bad = join(folder, "mixed", "letter.dcm");
    const result = await runCli(["decode", bad, "--json"]);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toContain("letter.dcm");
  });

  it("render writes the same frame each time", async () => {
    const film = readdirSync(films, { recursive: true, encoding: "utf8" }).find((name) =>
      name.endsWith(".dcm"),
    ) as string;
    const hashes = [];
    for (const name of ["one.png", "two.png"]) {
      const out = join(folder, name);
      await runJson("render", join(films, film), "--size", "64", "--out", out);
      hashes.push(createHash("sha256").update(readFileSync(out)).digest("hex"));
    }
    expect(hashes[0]).toBe(hashes[1]);
  });
});

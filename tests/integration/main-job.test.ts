import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Comparison } from "../../src/shared/comparison.ts";
import type { Ledger, RunSummary } from "../../src/shared/domain.ts";
import { runJson, temporaryFolder } from "./support.ts";

/** The main job through the command line, on a cohort as small as training allows. */
describe("from DICOM folder to report", () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const films = join(folder, "films");
  const at = ["--data", data];
  const recipe = ["--resolution", "32", "--batch", "16", "--epochs", "2"];
  let privateRun: RunSummary & { run: string };
  let referenceRun: RunSummary & { run: string };

  beforeAll(async () => {
    await runJson("phantoms", films, "--patients", "150", "--seed", "11", "--size", "96");
    await runJson("import", "ward", films, "--frame", "32", ...at);
    await runJson("labels", "ward", join(films, "labels.csv"), ...at);
    privateRun = await runJson("train", "ward", "--epsilon", "8", ...recipe, ...at);
    referenceRun = await runJson("train", "ward", "--non-private", ...recipe, ...at);
  }, 300_000);

  it("trains a private run within its epsilon and a reference run without one", () => {
    expect(privateRun).toMatchObject({ kind: "private", state: "finished", scored: true });
    expect(privateRun.run).toBe(privateRun.id);
    expect(privateRun.stepsJournaled).toBe(privateRun.plan.steps);
    expect(privateRun.epsilonSpent).toBeLessThanOrEqual(8);
    expect(privateRun.epsilonSpent).toBeGreaterThan(7.9);
    expect(privateRun.plan.privacy?.delta).toBeLessThanOrEqual(1 / (10 * privateRun.plan.units));
    expect(referenceRun).toMatchObject({ kind: "reference", state: "finished" });
    expect(referenceRun.plan.privacy).toBeNull();
  });

  it("keeps both in the ledger, the private one with its steps, and the chain holds", async () => {
    const ledger = await runJson<Ledger>("ledger", "ward", "--verify", ...at);
    expect(ledger.verification).toMatchObject({ intact: true, findings: [] });
    expect(ledger.runs.map((run) => run.runId)).toEqual([privateRun.id]);
    expect(ledger.epsilon).toBeCloseTo(privateRun.epsilonSpent ?? 0, 2);
  });

  it("compares them on the same held-out patients, with intervals", async () => {
    const comparison = await runJson<Comparison>(
      ...["evaluate", privateRun.id, "--reference", referenceRun.id, ...at],
    );
    expect(comparison.privateRun?.testPatients).toBe(comparison.referenceRun?.testPatients);
    expect(comparison.privateRun?.testPatients).toBeGreaterThan(15);
    const macro = comparison.referenceRun?.macroAuroc;
    expect(macro?.low).toBeLessThanOrEqual(macro?.estimate ?? 0);
    expect(macro?.high).toBeGreaterThanOrEqual(macro?.estimate ?? 1);
    expect(comparison.privateRun?.labels).toHaveLength(8);
  });

  it("writes the report as a PDF", async () => {
    const file = join(folder, "report.pdf");
    const written = await runJson<{ file: string; pages: number }>(
      ...["report", "--private", privateRun.id, "--reference", referenceRun.id],
      ...["--out", file, ...at],
    );
    expect(written.pages).toBeGreaterThan(3);
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file).subarray(0, 5).toString()).toBe("%PDF-");
    expect(statSync(file).size).toBeGreaterThan(20_000);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openCore } from "../../src/main/core/core.ts";
import { openDatabase } from "../../src/main/store/database.ts";
import type { Ledger } from "../../src/shared/domain.ts";
import { makeBrightCohort } from "../support/bright-cohort.ts";
import { allowTampering, carriedOutRun } from "../support/tampered-ledger.ts";
import { runCli, runJson, temporaryFolder } from "./support.ts";

const data = temporaryFolder();
let name = "";

beforeAll(async () => {
  const core = await openCore({ dataFolder: data });
  await core.close();
  const database = openDatabase(join(data, "silhouette.sqlite"));
  const cohortId = await makeBrightCohort(database, data, {
    patients: 100,
    framePixels: 16,
    seed: 1,
  });
  const place = { folder: data, database, cohortId };
  carriedOutRun(place, 5);
  carriedOutRun(place, 3, { epsilon: 2, unit: "image" });
  carriedOutRun(place, 2, { epsilon: null });
  name = database.prepare("SELECT name FROM cohort").pluck().get() as string;
  database.close();
});

const ledgerOf = (...options: string[]): Promise<Ledger> =>
  runJson<Ledger>("ledger", name, ...options, "--data", data);

describe("the ledger on the command line", () => {
  it("has an epsilon that privacy compose gives back from its mechanisms", async () => {
    const ledger = await ledgerOf();
    expect(ledger.mechanisms.map((one) => one.imagesPerPatient > 1)).toEqual([false, true]);
    const file = join(temporaryFolder(), "mechanisms.json");
    writeFileSync(file, JSON.stringify(ledger.mechanisms.toReversed()));
    const composed = await runJson<{ epsilon: number }>(
      "privacy",
      "compose",
      file,
      "--delta",
      String(ledger.delta),
    );
    expect(Math.abs(composed.epsilon / ledger.epsilon - 1)).toBeLessThan(1e-9);
    const alone = ledger.runs.map((run) => run.patient?.epsilon ?? run.epsilon);
    expect(ledger.epsilon).toBeGreaterThan(Math.max(...alone));
    expect(ledger.medianEpsilon).toBeLessThanOrEqual(ledger.epsilon);
    for (const { patients } of ledger.runs) {
      expect(patients).toMatchObject({ trained: 60, validation: 15, test: 25 });
    }
  });

  it("sets, changes and removes the budget cap, each as an entry", async () => {
    expect((await ledgerOf("--cap", "9")).cap).toBe(9);
    expect((await ledgerOf("--cap", "7.5")).cap).toBe(7.5);
    const removed = await ledgerOf("--cap", "none");
    expect(removed.cap).toBeNull();
    expect(removed.entries.filter((entry) => entry.kind === "cap-changed").length).toBe(3);
    const wrong = await runCli(["ledger", name, "--cap", "-1", "--data", data]);
    expect(wrong.exitCode).toBe(2);
    expect((await runCli(["ledger", "--data", data])).exitCode).toBe(2);
  });

  it("exports a file that verifies without the store, and names what was changed in it", async () => {
    const file = join(temporaryFolder(), "ledger.json");
    const written = await runJson<{ fingerprint: string }>(
      "ledger",
      name,
      "--export",
      file,
      "--data",
      data,
    );
    const found = await runJson<{ valid: boolean; fingerprint: string }>(
      "ledger",
      "--verify-export",
      file,
    );
    expect(found).toMatchObject({ valid: true, fingerprint: written.fingerprint });
    expect((await ledgerOf("--verify", "--against", file)).verification.intact).toBe(true);
    writeFileSync(file, readFileSync(file, "utf8").replace("run-ended", "run-begun"));
    const changed = await runCli(["ledger", "--verify-export", file]);
    expect(changed.exitCode).toBe(1);
    expect(changed.stdout).toMatch(/signature does not match/);
    expect(changed.stdout).toMatch(/entry \d+ .*was changed/);
  });

  it("fails the verification, and names the entry, once somebody has written into the store", async () => {
    const database = openDatabase(join(data, "silhouette.sqlite"));
    allowTampering(database);
    database.exec("UPDATE ledger_entry SET body = body || ' ' WHERE sequence = 2");
    database.close();
    const { exitCode, stdout } = await runCli(["ledger", name, "--verify", "--data", data]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/TAMPERED:\s+Ledger entry 2 .*was changed/);
    const train = await runCli(["train", name, "--epsilon", "1", "--data", data]);
    expect(train.exitCode).toBe(1);
    expect(train.stderr).toMatch(/does not verify.*No private run can start/s);
  });
});

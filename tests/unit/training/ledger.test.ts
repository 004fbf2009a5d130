import { describe, expect, it, onTestFinished } from "vitest";
import { epsilonOf } from "../../../src/main/privacy/accountant.ts";
import type { Database } from "../../../src/main/store/database.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { carry, release } from "../../../src/main/training/carried.ts";
import {
  closeRun,
  journalStep,
  openRun,
  verifyCohortLedger,
} from "../../../src/main/training/journal.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { recoverRuns, requestStop, requeueRun } from "../../../src/main/training/recovery.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { ledgerPlace } from "../../support/tampered-ledger.ts";

const planned = { splitId: 1, initialSeed: "seed" };

function queueRun(database: Database, cohortId: number, epsilon: number | null = 4): string {
  const [runId] = createRuns(database, {
    cohortId,
    recipe: smallRecipe,
    epsilon,
    delta: null,
    withReference: false,
  });
  return runId!;
}

/** Opens a run, journals steps, and ends it. */
function carryOut(database: Database, runId: string, steps: number): void {
  openRun(database, runId, process.pid, planned);
  journalSteps(database, runId, 1, steps);
  closeRun(database, runId, "finished", null);
}

function journalSteps(database: Database, runId: string, first: number, last: number): void {
  const stepsPlanned = requireRun(database, runId).plan.steps;
  for (let step = first; step <= last; step += 1) {
    journalStep(database, { runId, ownerProcess: process.pid, stepsPlanned }, step);
  }
}

/** Two ended runs, and the triggers that hold an honest writer back taken away. */
async function tamperable(): Promise<{
  database: Database;
  cohortId: number;
  runs: [string, string];
}> {
  const { database, cohortId } = await ledgerPlace();
  const runs: [string, string] = [queueRun(database, cohortId), queueRun(database, cohortId)];
  carryOut(database, runs[0], 5);
  carryOut(database, runs[1], 7);
  expect(verifyCohortLedger(database, cohortId)).toMatchObject({ intact: true, findings: [] });
  for (const table of ["ledger", "journal"]) {
    for (const verb of ["update", "delete"]) {
      database.exec(`DROP TRIGGER ${table}_is_append_only_${verb}`);
    }
  }
  return { database, cohortId, runs };
}

describe("the ledger of a cohort", () => {
  it("refuses an honest writer's change of an entry or a step", async () => {
    const { database, cohortId } = await ledgerPlace();
    carryOut(database, queueRun(database, cohortId), 2);
    for (const change of [
      "UPDATE ledger_entry SET body = '{}'",
      "DELETE FROM ledger_entry",
      "UPDATE step_journal SET hash = ''",
      "DELETE FROM step_journal",
    ]) {
      expect(() => database.exec(change)).toThrow(/append-only/);
    }
  });

  it("names an entry whose content was changed", async () => {
    const { database, cohortId } = await tamperable();
    database.exec(
      `UPDATE ledger_entry SET body = replace(body, '"steps":5', '"steps":4') WHERE sequence = 2`,
    );
    const { intact, findings } = verifyCohortLedger(database, cohortId);
    expect(intact).toBe(false);
    expect(findings.join("\n")).toMatch(/entry 2 .*was changed/);
  });

  it("names an entry that was removed", async () => {
    const { database, cohortId } = await tamperable();
    database.exec("DELETE FROM ledger_entry WHERE sequence = 2");
    expect(verifyCohortLedger(database, cohortId).findings.join("\n")).toMatch(
      /entry 2 is missing/,
    );
  });

  it("names entries that changed places", async () => {
    const { database, cohortId } = await tamperable();
    database.exec(`
      UPDATE ledger_entry SET sequence = 99 WHERE sequence = 1;
      UPDATE ledger_entry SET sequence = 1 WHERE sequence = 2;
      UPDATE ledger_entry SET sequence = 2 WHERE sequence = 99;`);
    const findings = verifyCohortLedger(database, cohortId).findings.join("\n");
    expect(findings).toMatch(/entry 1 .*was changed/);
    expect(findings).toMatch(/does not follow the entry before it/);
  });

  it("names the run whose last journaled step was removed", async () => {
    const { database, cohortId, runs } = await tamperable();
    database.prepare("DELETE FROM step_journal WHERE run_id = ? AND step = 7").run(runs[1]);
    expect(verifyCohortLedger(database, cohortId).findings).toEqual([
      expect.stringMatching(new RegExp(`run ${runs[1]} took 7 steps, but its journal has 6`)),
    ]);
  });

  it("names the step that was removed from the middle of a journal", async () => {
    const { database, cohortId, runs } = await tamperable();
    database.prepare("DELETE FROM step_journal WHERE run_id = ? AND step = 3").run(runs[0]);
    expect(verifyCohortLedger(database, cohortId).findings[0]).toMatch(
      new RegExp(`Step 3 is missing from the journal of run ${runs[0]}`),
    );
  });

  it("names a step whose time was changed", async () => {
    const { database, cohortId, runs } = await tamperable();
    database
      .prepare("UPDATE step_journal SET recorded_at = '2020' WHERE run_id = ? AND step = 4")
      .run(runs[0]);
    expect(verifyCohortLedger(database, cohortId).findings[0]).toMatch(/Step 4 in the journal/);
  });

  it("names the run whose plan was edited", async () => {
    const { database, cohortId, runs } = await tamperable();
    const { plan } = requireRun(database, runs[0]);
    const weaker = { ...plan, privacy: { ...plan.privacy, noiseMultiplier: 99 } };
    database.prepare("UPDATE run SET plan = ? WHERE id = ?").run(JSON.stringify(weaker), runs[0]);
    expect(verifyCohortLedger(database, cohortId).findings).toEqual([
      expect.stringMatching(new RegExp(`plan of run ${runs[0]} differs`)),
    ]);
  });

  it("composes what all private runs spent, unfinished ones included", async () => {
    const { database, cohortId } = await ledgerPlace();
    const [first, second, reference] = [
      queueRun(database, cohortId),
      queueRun(database, cohortId),
      queueRun(database, cohortId, null),
    ];
    carryOut(database, first, 5);
    openRun(database, second, process.pid, planned);
    journalSteps(database, second, 1, 3);
    closeRun(database, second, "failed", "test");
    carryOut(database, reference, 4);
    const { plan } = requireRun(database, first);
    const ledger = readLedger(database, cohortId);
    const noiseMultiplier = plan.privacy!.noiseMultiplier;
    const expected = epsilonOf(
      [{ samplingRate: plan.samplingRate, noiseMultiplier, steps: 8 }],
      plan.privacy!.delta,
    ).epsilon;
    expect(ledger.epsilon).toBeCloseTo(expected, 9);
    expect(ledger.runs.map((run) => [run.runId, run.stepsSpent, run.state])).toEqual([
      [first, 5, "finished"],
      [second, 3, "failed"],
    ]);
    expect(ledger.verification.intact).toBe(true);
    expect(ledger.entries.length).toBe(6);
  });

  it("keeps one delta", async () => {
    const { database, cohortId } = await ledgerPlace();
    carryOut(database, queueRun(database, cohortId), 1);
    expect(() =>
      createRuns(database, {
        cohortId,
        recipe: smallRecipe,
        epsilon: 1,
        delta: 1e-9,
        withReference: false,
      }),
    ).toThrow(/one delta/);
  });
});

describe("the step journal", () => {
  it("takes steps in turn, up to the plan, from the run's owner only", async () => {
    const { database, cohortId } = await ledgerPlace();
    const runId = queueRun(database, cohortId);
    openRun(database, runId, process.pid, planned);
    const owner = { runId, ownerProcess: process.pid, stepsPlanned: 2 };
    expect(() => journalStep(database, owner, 2)).toThrow(/out of turn/);
    journalStep(database, owner, 1);
    expect(() => journalStep(database, owner, 1)).toThrow(/out of turn/);
    const stranger = { ...owner, ownerProcess: process.pid + 1 };
    expect(() => journalStep(database, stranger, 2)).toThrow(/another process/);
    journalStep(database, owner, 2);
    expect(() => journalStep(database, owner, 3)).toThrow(/out of turn/);
    closeRun(database, runId, "stopped", null);
    expect(() => journalStep(database, { ...owner, stepsPlanned: 9 }, 3)).toThrow();
    expect(requireRun(database, runId).stepsJournaled).toBe(2);
  });

  it("goes on after the last step when a run is resumed", async () => {
    const { database, cohortId } = await ledgerPlace();
    const runId = queueRun(database, cohortId);
    openRun(database, runId, process.pid, planned);
    journalSteps(database, runId, 1, 3);
    closeRun(database, runId, "stopped", null);
    requeueRun(database, runId);
    openRun(database, runId, process.pid, planned);
    journalSteps(database, runId, 4, 6);
    closeRun(database, runId, "finished", null);
    const ledger = readLedger(database, cohortId);
    expect(ledger.entries.map((entry) => entry.kind)).toEqual([
      "run-planned",
      "run-ended",
      "run-resumed",
      "run-ended",
    ]);
    expect(ledger.runs[0]!.stepsSpent).toBe(6);
    expect(ledger.verification).toMatchObject({ intact: true, findings: [] });
  });
});

describe("recovery", () => {
  it("closes a run whose process is gone, with its steps counted", async () => {
    const { database, cohortId } = await ledgerPlace();
    const runId = queueRun(database, cohortId);
    openRun(database, runId, process.pid, planned);
    journalSteps(database, runId, 1, 4);
    // Nobody carries it in this process, so its owner was an earlier one of the same number.
    const [closed] = recoverRuns(database);
    expect(closed).toMatchObject({ id: runId, state: "failed", stepsJournaled: 4 });
    expect(closed!.message).toMatch(/4 of \d+ steps/);
    expect(verifyCohortLedger(database, cohortId).intact).toBe(true);
    expect(recoverRuns(database)).toEqual([]);
  });

  it("leaves alone what lives", async () => {
    const { database, cohortId } = await ledgerPlace();
    const here = queueRun(database, cohortId);
    carry(here);
    onTestFinished(() => {
      release(here);
    });
    const elsewhere = queueRun(database, cohortId);
    // The parent of this process certainly lives.
    database.prepare("UPDATE run SET owner_process = ? WHERE id = ?").run(process.ppid, elsewhere);
    expect(recoverRuns(database)).toEqual([]);
    database
      .prepare("UPDATE run SET owner_heartbeat_at = ? WHERE id = ?")
      .run(new Date(Date.now() - 120_000).toISOString(), elsewhere);
    expect(recoverRuns(database).map((run) => run.id)).toEqual([elsewhere]);
  });

  it("ends a run that still waits at once when it is asked to stop", async () => {
    const { database, cohortId } = await ledgerPlace();
    const runId = queueRun(database, cohortId);
    expect(requestStop(database, runId)).toMatchObject({ state: "stopped", stepsJournaled: 0 });
    expect(() => requestStop(database, "p-none")).toThrow(/no run p-none/);
  });
});

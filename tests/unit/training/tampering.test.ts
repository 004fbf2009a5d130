import { describe, expect, it } from "vitest";
import { requireRun } from "../../../src/main/store/runs.ts";
import { setCap } from "../../../src/main/training/cap.ts";
import { openRun, verifyCohortLedger } from "../../../src/main/training/journal.ts";
import { recordRestoration } from "../../../src/main/training/ledger-gaps.ts";
import { createRuns, trainingDefaults } from "../../../src/main/training/planning.ts";
import { requeueRun } from "../../../src/main/training/recovery.ts";
import { recordRelease } from "../../../src/main/training/releases.ts";
import { smallRecipe } from "../../support/logistic.ts";
import {
  allowTampering,
  carriedOutRun,
  ledgerPlace,
  type LedgerPlace,
} from "../../support/tampered-ledger.ts";

/** A ledger with every kind of entry, numbered by kind, open to whoever writes the store. */
async function everyKind(): Promise<LedgerPlace & { runs: string[]; kinds: string[] }> {
  const place = await ledgerPlace();
  const { database, cohortId } = place;
  setCap(database, cohortId, 50);
  const first = carriedOutRun(place, 4);
  database.prepare("UPDATE run SET state = 'stopped' WHERE id = ?").run(first);
  requeueRun(database, first);
  openRun(database, first, process.pid, { splitId: 1, initialSeed: "seed" });
  database.prepare("UPDATE run SET state = 'queued' WHERE id = ?").run(first);
  const second = carriedOutRun(place, 3, { classWeights: "private" });
  recordRestoration(database, "2026-11-20T08:30:00.000Z");
  recordRelease(database, "comparison", [first]);
  carriedOutRun(place, 2, { epsilon: null });
  allowTampering(database);
  expect(verifyCohortLedger(database, cohortId).findings).toEqual([]);
  const kinds = database
    .prepare("SELECT kind FROM ledger_entry ORDER BY sequence")
    .pluck()
    .all() as string[];
  return { ...place, runs: [first, second], kinds };
}

function findings({ database, cohortId }: LedgerPlace): string {
  return verifyCohortLedger(database, cohortId).findings.join("\n");
}

describe("tampering with an entry of any kind", () => {
  it("is found and named, whether it is changed, deleted or moved", async () => {
    const place = await everyKind();
    const { database, kinds } = place;
    expect(new Set(kinds)).toEqual(
      new Set([
        "cap-changed",
        "run-planned",
        "run-ended",
        "run-resumed",
        "class-counts",
        "restored",
        "release",
      ]),
    );
    const last = kinds.length;
    for (let sequence = 1; sequence <= last; sequence += 1) {
      const undo = (change: string): string => {
        database.exec("SAVEPOINT tamper");
        database.exec(change);
        const found = findings(place);
        database.exec("ROLLBACK TO tamper; RELEASE tamper");
        return found;
      };
      const at = `WHERE sequence = ${sequence}`;
      const named = new RegExp(`entry ${sequence} .*was changed`);
      expect(undo(`UPDATE ledger_entry SET body = body || ' ' ${at}`)).toMatch(named);
      expect(undo(`UPDATE ledger_entry SET recorded_at = '2020-01-01' ${at}`)).toMatch(named);
      expect(undo(`UPDATE ledger_entry SET kind = 'cap-changed', run_id = NULL ${at}`)).toMatch(
        kinds[sequence - 1] === "cap-changed" ? /^$/ : named,
      );
      expect(undo(`DELETE FROM ledger_entry ${at}`)).toMatch(
        sequence === last ? /missing at the end/ : new RegExp(`entry ${sequence} is missing`),
      );
      if (sequence === last) continue;
      const swapped = undo(`
        UPDATE ledger_entry SET sequence = 1000 ${at};
        UPDATE ledger_entry SET sequence = ${sequence} WHERE sequence = ${sequence + 1};
        UPDATE ledger_entry SET sequence = ${sequence + 1} WHERE sequence = 1000;`);
      expect(swapped).toMatch(named);
      expect(swapped).toMatch(new RegExp(`entry ${sequence + 1} .*was changed`));
    }
    expect(findings(place)).toBe("");
  });

  it("is found where an entry was put in between", async () => {
    const place = await everyKind();
    place.database.exec(`
      UPDATE ledger_entry SET sequence = sequence + 1000 WHERE sequence >= 3;
      INSERT INTO ledger_entry SELECT cohort_id, 3, recorded_at, kind, run_id, body,
        previous_hash, hash FROM ledger_entry WHERE sequence = 2;
      UPDATE ledger_entry SET sequence = sequence - 999 WHERE sequence >= 1000;`);
    expect(findings(place)).toMatch(/entry 3 .*was changed/);
    expect(findings(place)).toMatch(/entry 3 .*does not follow the entry before it/);
  });

  it("is found where the newest entries were cut off with all that refers to them", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    carriedOutRun(place, 3);
    const lost = carriedOutRun(place, 5);
    allowTampering(database);
    database.exec(`
      DELETE FROM ledger_entry WHERE run_id = '${lost}';
      DELETE FROM step_journal WHERE run_id = '${lost}';
      DELETE FROM run WHERE id = '${lost}';`);
    const { intact, findings: found } = verifyCohortLedger(database, cohortId);
    expect(intact).toBe(false);
    expect(found).toEqual([expect.stringMatching(/entries 3 to 4 are missing at the end/)]);
  });

  it("is found where the tail was replaced by another that fits the chain", async () => {
    const place = await ledgerPlace();
    const { database } = place;
    carriedOutRun(place, 3);
    const lost = carriedOutRun(place, 5);
    allowTampering(database);
    database.exec(`
      DELETE FROM ledger_entry WHERE run_id = '${lost}';
      DELETE FROM step_journal WHERE run_id = '${lost}';
      DELETE FROM run WHERE id = '${lost}';`);
    const honest = verifyCohortLedger(database, place.cohortId).intact;
    expect(honest).toBe(false);
    expect(() => carriedOutRun(place, 1)).toThrow(/does not verify/);
    carriedOutRun(place, 1, { epsilon: null });
    expect(findings(place)).toMatch(/entry 4 is not the one that stood there before/);
  });
});

describe("tampering with the step journal", () => {
  it("is found and named for each row, whether it is changed, deleted, moved or put in", async () => {
    const place = await everyKind();
    const { database, runs } = place;
    const run = runs[1]!;
    const undo = (change: string): string => {
      database.exec("SAVEPOINT tamper");
      database.exec(change);
      const found = findings(place);
      database.exec("ROLLBACK TO tamper; RELEASE tamper");
      return found;
    };
    for (const step of [1, 2, 3]) {
      const at = `WHERE run_id = '${run}' AND step = ${step}`;
      expect(undo(`UPDATE step_journal SET recorded_at = '2020' ${at}`)).toMatch(
        new RegExp(`Step ${step} in the journal of run ${run} was changed`),
      );
      expect(undo(`UPDATE step_journal SET hash = 'x' ${at}`)).toMatch(new RegExp(run));
      expect(undo(`DELETE FROM step_journal ${at}`)).toMatch(
        step === 3
          ? new RegExp(`run ${run} took 3 steps, but its journal has 2`)
          : new RegExp(`Step ${step} is missing from the journal of run ${run}`),
      );
    }
    expect(
      undo(`INSERT INTO step_journal VALUES ('${run}', 4, '2026-01-01T00:00:00.000Z', 'x')`),
    ).toMatch(new RegExp(`Step 4 in the journal of run ${run} was changed`));
    expect(
      undo(`
        UPDATE step_journal SET step = 99 WHERE run_id = '${run}' AND step = 1;
        UPDATE step_journal SET step = 1 WHERE run_id = '${run}' AND step = 2;
        UPDATE step_journal SET step = 2 WHERE run_id = '${run}' AND step = 99;`),
    ).toMatch(new RegExp(`Step 1 in the journal of run ${run} was changed or moved`));
  });

  it("shows in the quick check of a long journal wherever it changes a figure", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    const run = carriedOutRun(place, 5);
    allowTampering(database);
    const { plan } = requireRun(database, run);
    expect(plan.steps).toBeGreaterThan(5);
    // Many rows of another run, so that the check at opening takes the short way.
    const filler = carriedOutRun(place, 1);
    const insert = database.prepare("INSERT INTO step_journal VALUES (?, ?, '2026', 'x')");
    database.transaction(() => {
      for (let step = 2; step <= 50_010; step += 1) insert.run(filler, step);
    })();
    const quick = (): string =>
      verifyCohortLedger(database, cohortId, "opening")
        .findings.filter((f) => f.includes(run))
        .join();
    expect(quick()).toBe("");
    database.exec(`DELETE FROM step_journal WHERE run_id = '${run}' AND step = 2`);
    expect(quick()).toMatch(/4 rows for 5 steps/);
    database.exec(`DELETE FROM step_journal WHERE run_id = '${run}' AND step = 5`);
    expect(quick()).toMatch(/took 5 steps, but its journal has 4/);
  });
});

describe("a ledger that does not verify", () => {
  it("holds private runs back, says why before training, and lets a reference run go on", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    carriedOutRun(place, 3);
    const waiting = createRuns(database, {
      cohortId,
      recipe: smallRecipe,
      epsilon: 4,
      delta: null,
      withReference: false,
    })[0]!;
    allowTampering(database);
    database.exec("UPDATE ledger_entry SET body = body || ' ' WHERE sequence = 2");
    expect(() => carriedOutRun(place, 1)).toThrow(
      /entry 2 .*was changed.*No private run can start/,
    );
    expect(() => {
      openRun(database, waiting, process.pid, { splitId: 1, initialSeed: "seed" });
    }).toThrow(/does not verify/);
    const [obstacle] = trainingDefaults(database, cohortId).obstacles;
    expect(obstacle?.where).toBe("ledger");
    expect(obstacle?.text).toMatch(/does not verify/);
    carriedOutRun(place, 1, { epsilon: null });
  });
});

import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ledgerEntries } from "../../../src/main/store/ledger.ts";
import { openDatabase, type Database } from "../../../src/main/store/database.ts";
import { setCap } from "../../../src/main/training/cap.ts";
import { verifyCohortLedger } from "../../../src/main/training/journal.ts";
import { ledgerExport, verifyLedgerExport } from "../../../src/main/training/ledger-export.ts";
import { acknowledgeGap, recordRestoration } from "../../../src/main/training/ledger-gaps.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { describeGap } from "../../../src/shared/ledger-gaps.ts";
import {
  allowTampering,
  carriedOutRun,
  ledgerContent,
  ledgerPlace,
  type LedgerPlace,
} from "../../support/tampered-ledger.ts";

const reason = "Disk failed on 3 May; the store is from the backup of 2 May.";

/** A ledger of two runs whose store was put back to before the second, beside the newer head. */
async function putBack(): Promise<LedgerPlace> {
  const place = await ledgerPlace();
  const { folder, cohortId } = place;
  carriedOutRun(place, 3);
  place.database.pragma("wal_checkpoint(TRUNCATE)");
  const store = join(folder, "silhouette.sqlite");
  copyFileSync(store, join(folder, "older"));
  carriedOutRun(place, 5);
  expect(verifyCohortLedger(place.database, cohortId).intact).toBe(true);
  place.database.close();
  for (const end of ["-wal", "-shm"]) rmSync(`${store}${end}`, { force: true });
  copyFileSync(join(folder, "older"), store);
  return { ...place, database: openDatabase(store) };
}

function head({ folder, cohortId }: LedgerPlace): { sequence: number } {
  const file = join(folder, "ledger-heads", `${cohortId}.json`);
  expect(existsSync(file)).toBe(true);
  return JSON.parse(readFileSync(file, "utf8")) as { sequence: number };
}

function closing<T>(database: Database, work: () => T): T {
  try {
    return work();
  } finally {
    database.close();
  }
}

describe("a ledger that was put back to an older state", () => {
  it("alarms, also once it has grown past the entry that is gone", async () => {
    const place = await putBack();
    const { database, cohortId } = place;
    closing(database, () => {
      const found = verifyCohortLedger(database, cohortId);
      expect(found).toMatchObject({ intact: false, canBeAcknowledged: true, gaps: [] });
      expect(found.findings).toEqual([expect.stringMatching(/entries 3 to 4 are missing/i)]);
      expect(() => carriedOutRun(place, 1)).toThrow(/does not verify/);
      // What is allowed on a broken ledger must not hide the break.
      for (const cap of [9, 8, 7, 6]) setCap(database, cohortId, cap);
      expect(ledgerEntries(database, cohortId).length).toBe(6);
      expect(head(place).sequence).toBe(4);
      const later = verifyCohortLedger(database, cohortId);
      expect(later.intact).toBe(false);
      expect(later.findings.join()).toMatch(/entry 4 is not the one that stood there before/);
    });
  });

  it("goes on once a person has said why, which is recorded and shown from then on", async () => {
    const place = await putBack();
    const { database, folder, cohortId } = place;
    closing(database, () => {
      acknowledgeGap(database, cohortId, `  ${reason} `);
      const { verification, entries } = readLedger(database, cohortId, "complete");
      expect(verification.intact).toBe(true);
      expect(entries.at(-1)).toMatchObject({ kind: "gap-acknowledged", sequence: 3 });
      expect(entries.at(-1)!.body).toMatchObject({ reason, keptHead: { sequence: 4 } });
      expect("by" in entries.at(-1)!.body).toBe(true);
      expect(head(place).sequence).toBe(3);
      carriedOutRun(place, 2);
      carriedOutRun(place, 2);
      const later = readLedger(database, cohortId).verification;
      expect(later.intact).toBe(true);
      expect(later.gaps).toMatchObject([{ what: "acknowledged", missing: { from: 3, to: 4 } }]);
      expect(describeGap(later.gaps[0]!)).toMatch(
        /Entries 3 to 4 .* went missing.*acknowledged on .*Disk failed on 3 May.*not counted/,
      );
      const { text } = ledgerExport(folder, ledgerContent({ folder, database, cohortId }));
      expect(verifyLedgerExport(text, "ledger.json")).toMatchObject({
        valid: true,
        gaps: [{ reason }],
      });
      // The line cannot be taken out again.
      allowTampering(database);
      database.prepare("DELETE FROM ledger_entry WHERE kind = 'gap-acknowledged'").run();
      expect(verifyCohortLedger(database, cohortId).findings.join()).toMatch(/entry 3 is missing/i);
    });
  });

  it("needs a reason, a gap, and nothing else broken", async () => {
    const place = await putBack();
    const { database, cohortId } = place;
    closing(database, () => {
      const acknowledge = (words: string) => () => {
        acknowledgeGap(database, cohortId, words);
      };
      expect(acknowledge("backup")).toThrow(/at least 10 characters/);
      allowTampering(database);
      database.exec("UPDATE ledger_entry SET body = body || ' ' WHERE sequence = 1");
      expect(verifyCohortLedger(database, cohortId).canBeAcknowledged).toBe(false);
      expect(acknowledge(reason)).toThrow(/More is wrong.*entry 1/);
      database.exec("UPDATE ledger_entry SET body = rtrim(body) WHERE sequence = 1");
      acknowledge(reason)();
      expect(acknowledge(reason)).toThrow(/nothing to record/);
    });
  });
});

describe("a ledger that came back from a backup", () => {
  it("says so from then on, once for each restoration", async () => {
    const place = await ledgerPlace();
    const { database, cohortId } = place;
    carriedOutRun(place, 3);
    for (let opening = 0; opening < 2; opening += 1) {
      recordRestoration(database, "2026-11-20T08:30:00.000Z");
    }
    carriedOutRun(place, 2);
    const { verification, entries } = readLedger(database, cohortId);
    expect(verification.intact).toBe(true);
    expect(entries.filter(({ kind }) => kind === "restored").length).toBe(1);
    expect(verification.gaps.map(describeGap)).toEqual([
      expect.stringMatching(/restored on .*backup of 2026-11-20 08:30.*not counted/),
    ]);
  });
});

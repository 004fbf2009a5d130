import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openDatabase, type Database } from "../../src/main/store/database.ts";
import { ledgerEntries } from "../../src/main/store/ledger.ts";
import { requireRun } from "../../src/main/store/runs.ts";
import { closeRun, journalStep, openRun } from "../../src/main/training/journal.ts";
import type { LedgerExportContent } from "../../src/main/training/ledger-export.ts";
import { createRuns } from "../../src/main/training/planning.ts";
import { readLedger } from "../../src/main/training/run-summaries.ts";
import { makeBrightCohort } from "./bright-cohort.ts";
import { smallRecipe } from "./logistic.ts";
import { temporaryFolder } from "./temporary.ts";

export interface LedgerPlace {
  readonly folder: string;
  readonly database: Database;
  readonly cohortId: number;
}

/** A store of its own with a cohort that can be trained on. */
export async function ledgerPlace(): Promise<LedgerPlace> {
  const folder = temporaryFolder();
  const database = openDatabase(join(folder, "silhouette.sqlite"));
  onTestFinished(() => {
    database.close();
  });
  const cohortId = await makeBrightCohort(database, folder, {
    patients: 100,
    framePixels: 16,
    seed: 1,
  });
  return { folder, database, cohortId };
}

/** What an export of the ledger says, before it is signed. */
export function ledgerContent({ database, cohortId }: LedgerPlace): LedgerExportContent {
  const { entries: _, ...ledger } = readLedger(database, cohortId);
  return {
    format: "silhouette-ledger",
    version: 1,
    exportedAt: "2026-11-24T10:00:00.000Z",
    application: "test",
    cohort: { id: cohortId, name: "Bright" },
    ledger,
    entries: ledgerEntries(database, cohortId),
  };
}

/** Queues a run, journals its first steps and ends it; returns its id. */
export function carriedOutRun(
  { database, cohortId }: LedgerPlace,
  steps: number,
  choices: {
    readonly epsilon?: number | null;
    readonly unit?: "patient" | "image";
    readonly classWeights?: "none" | "private";
  } = {},
): string {
  const { epsilon = 4, unit = "patient", classWeights = "none" } = choices;
  const [runId] = createRuns(database, {
    cohortId,
    recipe: { ...smallRecipe, unit, classWeights },
    epsilon,
    delta: null,
    withReference: false,
  });
  openRun(database, runId!, process.pid, { splitId: 1, initialSeed: "seed" });
  const stepsPlanned = requireRun(database, runId!).plan.steps;
  for (let step = 1; step <= steps; step += 1) {
    journalStep(database, { runId: runId!, ownerProcess: process.pid, stepsPlanned }, step);
  }
  closeRun(database, runId!, "finished", null);
  return runId!;
}

/** Takes away the triggers that hold an honest writer back. */
export function allowTampering(database: Database): void {
  for (const table of ["ledger", "journal"]) {
    for (const verb of ["update", "delete"]) {
      database.exec(`DROP TRIGGER ${table}_is_append_only_${verb}`);
    }
  }
}

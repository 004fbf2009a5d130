import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Recipe } from "../../../src/shared/plan.ts";
import { openDatabase, type Database } from "../../../src/main/store/database.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { runFolder } from "../../../src/main/training/run-host.ts";
import { makeBrightCohort } from "../../support/bright-cohort.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** A data folder with a small cohort to train on. */
export interface Place {
  readonly database: Database;
  readonly dataFolder: string;
  readonly store: string;
  readonly cohortId: number;
}

export async function openPlace(patients = 120): Promise<Place> {
  const dataFolder = temporaryFolder();
  const store = join(dataFolder, "store.sqlite");
  const database = openDatabase(store);
  onTestFinished(() => {
    database.close();
  });
  const cohortId = await makeBrightCohort(database, dataFolder, {
    patients,
    framePixels: 16,
    seed: 3,
  });
  return { database, dataFolder, store, cohortId };
}

/** Queues a private run of epsilon 4. */
export function createPrivate(place: Place, recipe: Partial<Recipe> = {}): string {
  return createRuns(place.database, {
    cohortId: place.cohortId,
    recipe: { ...smallRecipe, ...recipe },
    epsilon: 4,
    delta: null,
    withReference: false,
  })[0]!;
}

/** Steps of the trainer's own log whose noise was, or was about to be, drawn. */
export function stepsDrawn(dataFolder: string, runId: string): number[] {
  const log = join(runFolder(dataFolder, runId), "trainer.log");
  if (!existsSync(log)) return [];
  return [...readFileSync(log, "utf8").matchAll(/step (\d+) draws its noise/g)].map((match) =>
    Number(match[1]),
  );
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await sleep(10);
  }
}

/** Sets a variable of the environment of processes to be started, for one test. */
export function setVariable(name: string, value: string): void {
  process.env[name] = value;
  onTestFinished(() => {
    Reflect.deleteProperty(process.env, name);
  });
}

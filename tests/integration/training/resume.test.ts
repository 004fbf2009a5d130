import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunSummary } from "../../../src/shared/domain.ts";
import { openDatabase, type Database } from "../../../src/main/store/database.ts";
import { checkpointsOfRun, requireRun } from "../../../src/main/store/runs.ts";
import { createRuns } from "../../../src/main/training/planning.ts";
import { RunQueue } from "../../../src/main/training/queue.ts";
import { requeueRun } from "../../../src/main/training/recovery.ts";
import { runFolder, startRun, type RunHandle } from "../../../src/main/training/run-host.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { makeBrightCohort } from "../../support/bright-cohort.ts";
import { seeded } from "../../support/films.ts";
import { smallRecipe } from "../../support/logistic.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const logisticTrainer = join(import.meta.dirname, "logistic-trainer.ts");

interface Place {
  readonly database: Database;
  readonly dataFolder: string;
  readonly cohortId: number;
  readonly runId: string;
}

async function placeWithRun(epsilon: number | null, epochs: number): Promise<Place> {
  const dataFolder = temporaryFolder();
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  onTestFinished(() => {
    database.close();
  });
  const cohortId = await makeBrightCohort(database, dataFolder, {
    patients: 90,
    framePixels: 16,
    seed: 4,
  });
  const [runId] = createRuns(database, {
    cohortId,
    recipe: { ...smallRecipe, epochs, augmentation: true, mirror: true },
    epsilon,
    delta: null,
    withReference: false,
  });
  return { database, dataFolder, cohortId, runId: runId! };
}

/** The same store and run in another folder: the run's random numbers depend on its name. */
function copyOf(place: Place): Place {
  const dataFolder = join(temporaryFolder(), "copy");
  place.database.pragma("wal_checkpoint(TRUNCATE)");
  cpSync(place.dataFolder, dataFolder, { recursive: true });
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  onTestFinished(() => {
    database.close();
  });
  return { ...place, dataFolder, database };
}

function start(place: Place, trainerFile?: string): RunHandle {
  const { database, dataFolder, runId } = place;
  const trainer = trainerFile === undefined ? {} : { trainerFile };
  // A checkpoint after each step.
  return startRun({ database, dataFolder, runId, checkpointSeconds: 0, threads: 1, ...trainer });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await sleep(10);
  }
}

function weightsSha256(place: Place): string | null {
  return requireRun(place.database, place.runId).weightsSha256;
}

function slowly(milliseconds: number): void {
  process.env["TEST_STEP_MILLISECONDS"] = String(milliseconds);
  onTestFinished(() => {
    delete process.env["TEST_STEP_MILLISECONDS"];
  });
}

describe("a reference run", () => {
  it("killed at random moments and resumed ends with the weights of an undisturbed one, bit for bit", async () => {
    const place = await placeWithRun(null, 4);
    const disturbed = copyOf(place);
    const undisturbed = await start(place).done;
    expect(undisturbed.state).toBe("finished");
    const random = seeded(5);
    let last: RunSummary | null = null;
    for (let kills = 0; kills < 2; kills += 1) {
      const handle = start(disturbed);
      const already = handle.progress().step;
      await until(() => handle.progress().step > already + 2);
      await sleep(100 * random());
      handle.kill();
      last = await handle.done;
      if (last.state === "finished") break;
      requeueRun(disturbed.database, disturbed.runId);
    }
    if (last?.state !== "finished") last = await start(disturbed).done;
    expect(last.state).toBe("finished");
    expect(weightsSha256(disturbed)).toBe(weightsSha256(place));
    expect(readLedger(disturbed.database, disturbed.cohortId).verification.intact).toBe(true);
  });

  it("whose newest checkpoint is damaged goes on from the one before, and says so", async () => {
    slowly(15);
    const place = await placeWithRun(null, 8);
    const disturbed = copyOf(place);
    await start(place, logisticTrainer).done;
    const handle = start(disturbed, logisticTrainer);
    await until(() => handle.progress().step >= 6);
    handle.pause();
    expect(await handle.done).toMatchObject({ state: "stopped", paused: true });
    const { database, dataFolder, runId } = disturbed;
    const [newest] = checkpointsOfRun(database, runId);
    const file = join(runFolder(dataFolder, runId), newest!.file);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
    writeFileSync(file, bytes);
    requeueRun(database, runId);
    expect((await start(disturbed, logisticTrainer).done).state).toBe("finished");
    expect(weightsSha256(disturbed)).toBe(weightsSha256(place));
    const log = readFileSync(join(runFolder(dataFolder, runId), "trainer.log"), "utf8");
    expect(log).toMatch(/damaged.*Going on from the one before/);
  });
});

describe("a private run", () => {
  it("paused keeps a checkpoint and no scores, and resumed counts every journaled step", async () => {
    slowly(20);
    const place = await placeWithRun(4, 12);
    const { database, dataFolder, runId } = place;
    const handle = start(place, logisticTrainer);
    await until(() => handle.progress().step >= 4);
    handle.pause();
    const paused = await handle.done;
    expect(paused).toMatchObject({ state: "stopped", paused: true, scored: false });
    expect(checkpointsOfRun(database, runId)[0]!.step).toBeGreaterThanOrEqual(4);
    expect(paused.stepsJournaled).toBeLessThan(paused.plan.steps);

    expect(requeueRun(database, runId)).toMatchObject({ state: "queued", paused: false });
    const resumed = await start(place, logisticTrainer).done;
    expect(resumed).toMatchObject({ state: "finished", scored: true, paused: false });
    expect(resumed.stepsJournaled).toBe(resumed.plan.steps);
    const log = readFileSync(join(runFolder(dataFolder, runId), "trainer.log"), "utf8");
    const drawn = [...log.matchAll(/step (\d+) draws its noise/g)].map((match) => Number(match[1]));
    // Each number once: no step's noise is drawn twice, none without its place in the journal.
    expect(drawn).toEqual([...new Set(drawn)].toSorted((a, b) => a - b));
    expect(drawn.length).toBeLessThanOrEqual(resumed.stepsJournaled);
    expect(readLedger(database, place.cohortId).verification.intact).toBe(true);
  });

  it("is paused, not lost, when the program is closed, and what waits is too", async () => {
    slowly(20);
    const place = await placeWithRun(4, 50);
    const { database, dataFolder, cohortId, runId } = place;
    const [waiting] = createRuns(database, {
      cohortId,
      recipe: smallRecipe,
      epsilon: null,
      delta: null,
      withReference: true,
    });
    const queue = new RunQueue({ database, dataFolder, trainerFile: logisticTrainer });
    queue.add([runId, waiting!]);
    await until(() => (queue.progress(runId)?.step ?? 0) >= 3);
    await queue.close();
    expect(requireRun(database, runId)).toMatchObject({ state: "stopped", paused: true });
    expect(requireRun(database, waiting!)).toMatchObject({ state: "stopped", paused: true });
    expect(checkpointsOfRun(database, runId).length).toBeGreaterThan(0);
    expect(readLedger(database, cohortId).verification.intact).toBe(true);
  });
});

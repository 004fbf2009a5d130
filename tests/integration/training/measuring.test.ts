import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunSummary } from "../../../src/shared/domain.ts";
import { requireRun } from "../../../src/main/store/runs.ts";
import { RunQueue } from "../../../src/main/training/queue.ts";
import { requestStop, requeueRun } from "../../../src/main/training/recovery.ts";
import { startRun, type RunHandle } from "../../../src/main/training/run-host.ts";
import { readLedger } from "../../../src/main/training/run-summaries.ts";
import { childrenOf, isRunning } from "../../support/processes.ts";
import { createPrivate, openPlace, setVariable, until, type Place } from "./place.ts";

const trainerFile = join(import.meta.dirname, "measuring-trainer.ts");
/** A driver that was named by hand is tried wherever no graphics device is found. */
const noDriver = join(import.meta.dirname, "no-driver.json");
/** Far less than a driver is given to answer. */
const promptMilliseconds = 4_000;

function start({ database, dataFolder }: Place, runId: string, file?: string): RunHandle {
  const trainer = file === undefined ? {} : { trainerFile: file };
  return startRun({ database, dataFolder, runId, threads: 1, ...trainer });
}

/** Waits for the process that tries an engine, and halts it, as a driver that hangs would. */
async function haltProbe(): Promise<{ readonly trainer: number; readonly probe: number }> {
  const pairs = (): { trainer: number; probe: number }[] =>
    childrenOf(process.pid).flatMap((trainer) =>
      childrenOf(trainer).map((probe) => ({ trainer, probe })),
    );
  await until(() => pairs().length > 0);
  const [pair] = pairs();
  if (pair === undefined) throw new Error("the probe ended before it was halted");
  process.kill(pair.probe, "SIGSTOP");
  onTestFinished(() => {
    if (isRunning(pair.probe)) process.kill(pair.probe, "SIGKILL");
  });
  return pair;
}

/** How a run ended; throws where it does not end promptly. */
async function promptly(run: Promise<RunSummary>): Promise<RunSummary> {
  const late = sleep(promptMilliseconds).then(() => {
    throw new Error("the run goes on");
  });
  return Promise.race([run, late]);
}

function measurements(place: Place): unknown[] {
  const file = join(place.dataFolder, "engines.json");
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, "utf8")) as { measurements: unknown[] }).measurements;
}

function expectNothingSpent(place: Place, run: RunSummary): void {
  expect(run).toMatchObject({ stepsJournaled: 0, epsilonSpent: 0 });
  const { verification } = readLedger(place.database, place.cohortId);
  expect(verification.intact).toBe(true);
}

describe.skipIf(process.platform !== "linux")("while auto measures an engine that hangs", () => {
  it("a run stops at once, spends nothing and leaves no process behind", async () => {
    const place = await openPlace();
    const runId = createPrivate(place);
    const handle = start(place, runId, trainerFile);
    await until(() => handle.progress().phase.startsWith("Measuring the speed of onnxruntime-cpu"));
    const { probe } = await haltProbe();
    requestStop(place.database, runId);
    const stopped = await promptly(handle.done);
    expect(stopped).toMatchObject({ state: "stopped", paused: false, scored: false });
    expectNothingSpent(place, stopped);
    await until(() => !isRunning(probe));
    // The engine did not fail: it is measured again the next time.
    expect(measurements(place)).toEqual([]);
  });

  it("a run is paused at once, and resumed it measures anew and trains to its end", async () => {
    const place = await openPlace();
    const runId = createPrivate(place, { epochs: 1 });
    const handle = start(place, runId, trainerFile);
    const { probe } = await haltProbe();
    handle.pause();
    const paused = await promptly(handle.done);
    expect(paused).toMatchObject({ state: "stopped", paused: true });
    expectNothingSpent(place, paused);
    await until(() => !isRunning(probe));

    requeueRun(place.database, runId);
    const finished = await start(place, runId, trainerFile).done;
    expect(finished).toMatchObject({ state: "finished", engine: "onnxruntime-cpu", scored: true });
    expect(finished.stepsJournaled).toBe(finished.plan.steps);
    expect(measurements(place)).toMatchObject([
      { timings: [{ engine: "onnxruntime-cpu" }], failed: [{ engine: "onnxruntime-abacus" }] },
    ]);
  });

  it("a run is stopped, not failed, by a key that reaches its processes too", async () => {
    const place = await openPlace();
    const runId = createPrivate(place);
    const handle = start(place, runId, trainerFile);
    const { trainer, probe } = await haltProbe();
    for (const processId of [probe, trainer]) process.kill(processId, "SIGINT");
    process.kill(probe, "SIGCONT");
    handle.stop();
    expect(await promptly(handle.done)).toMatchObject({ state: "stopped" });
    expect(measurements(place)).toEqual([]);
  });

  it("runs are paused, not failed, when the program is closed", async () => {
    const place = await openPlace();
    const { database, dataFolder } = place;
    const runIds = [createPrivate(place), createPrivate(place)];
    const queue = new RunQueue({ database, dataFolder, trainerFile, threads: 1 });
    queue.add(runIds);
    const { probe } = await haltProbe();
    await queue.close();
    for (const runId of runIds) {
      expect(requireRun(database, runId)).toMatchObject({ state: "stopped", paused: true });
    }
    await until(() => !isRunning(probe));
  });

  it("the run after one that is stopped takes its turn", async () => {
    const place = await openPlace();
    const { database, dataFolder } = place;
    const [first, second] = [createPrivate(place), createPrivate(place, { epochs: 1 })];
    const queue = new RunQueue({ database, dataFolder, trainerFile, threads: 1 });
    queue.add([first, second]);
    await haltProbe();
    requestStop(database, first);
    expect(await promptly(queue.whenOver(first))).toMatchObject({ state: "stopped" });
    expect(await queue.whenOver(second)).toMatchObject({ state: "finished" });
    await queue.close();
  });
});

describe.skipIf(process.platform !== "linux")("while a driver that hangs is tried", () => {
  it("a run of the product's own trainer stops at once", async () => {
    setVariable("VK_ICD_FILENAMES", noDriver);
    const place = await openPlace();
    const runId = createPrivate(place);
    const handle = start(place, runId);
    const { probe } = await haltProbe();
    handle.stop();
    const stopped = await promptly(handle.done);
    expect(stopped).toMatchObject({ state: "stopped" });
    expectNothingSpent(place, stopped);
    await until(() => !isRunning(probe));
  });

  it("it is paused, not failed, by a key that reaches the trainer too", async () => {
    setVariable("VK_ICD_FILENAMES", noDriver);
    const place = await openPlace();
    const handle = start(place, createPrivate(place));
    const { trainer } = await haltProbe();
    process.kill(trainer, "SIGINT");
    await sleep(300);
    expect(isRunning(trainer)).toBe(true);
    handle.pause();
    expect(await promptly(handle.done)).toMatchObject({ state: "stopped", paused: true });
  });
});

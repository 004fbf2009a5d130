import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  chooseEngine,
  knownChoice,
  rememberedChoices,
  type MeasureEngine,
} from "../../../src/main/engine/automatic.ts";
import type { EngineDescription } from "../../../src/main/engine/engine.ts";
import { driverSentence, parseNvidiaSmi } from "../../../src/main/engine/graphics.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "silhouette-auto-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function engine(name: string, driver: string | null = null): EngineDescription {
  return {
    name,
    device: `device of ${name}`,
    version: "1.0",
    driver,
    available: true,
    reason: null,
  };
}

const absent: EngineDescription = {
  name: "gone",
  device: null,
  version: null,
  available: false,
  reason: "it needs something",
};
const task = { network: "resnet9", resolutionPixels: 64 };

/** Timings by name, undefined for one that fails, and the names that were asked for. */
function stopwatch(times: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const measure: MeasureEngine = (name) => {
    asked.push(name);
    const millisecondsPerImage = times[name];
    return Promise.resolve(
      millisecondsPerImage === undefined
        ? { works: false, reason: "it ran out of memory." }
        : { works: true, millisecondsPerImage },
    );
  };
  return { asked, measure };
}

describe("the automatic engine", () => {
  it("is the only one at hand, without any timing", async () => {
    const { asked, measure } = stopwatch({});
    const choice = await chooseEngine(folder, [engine("cpu"), absent], task, measure);
    expect(choice).toMatchObject({ engine: "cpu", how: "only", timings: [] });
    expect(asked).toEqual([]);
  });

  it("is the quickest, timed once and remembered for these devices, versions and task", async () => {
    const engines = [engine("cpu"), engine("gpu", "535.1"), absent];
    const first = stopwatch({ cpu: 9, gpu: 2 });
    expect(knownChoice(folder, engines, task)).toMatchObject({ engine: "cpu", how: "unmeasured" });
    const choice = await chooseEngine(folder, engines, task, first.measure);
    expect(choice).toMatchObject({
      engine: "gpu",
      how: "measured",
      timings: [
        { engine: "gpu", milliseconds: 2 },
        { engine: "cpu", milliseconds: 9 },
      ],
    });
    expect(first.asked).toEqual(["cpu", "gpu"]);
    expect(knownChoice(folder, engines, task)).toEqual(choice);

    const again = stopwatch({ cpu: 1, gpu: 2 });
    expect(await chooseEngine(folder, engines, task, again.measure)).toEqual(choice);
    expect(again.asked).toEqual([]);

    const newDriver = [engine("cpu"), engine("gpu", "550.2")];
    expect(knownChoice(folder, newDriver, task).how).toBe("unmeasured");
    expect(knownChoice(folder, engines, { ...task, resolutionPixels: 128 }).how).toBe("unmeasured");
    expect(await chooseEngine(folder, newDriver, task, again.measure)).toMatchObject({
      engine: "cpu",
    });
    expect(knownChoice(folder, engines, task)).toEqual(choice);
  });

  it("leaves out an engine that fails when it is timed", async () => {
    const { measure } = stopwatch({ cpu: 9 });
    const choice = await chooseEngine(folder, [engine("cpu"), engine("gpu")], task, measure);
    const failed = [{ engine: "gpu", reason: "it ran out of memory." }];
    expect(choice).toMatchObject({ engine: "cpu", how: "measured", failed });
    expect(knownChoice(folder, [engine("cpu"), engine("gpu")], task)).toEqual(choice);
  });

  it("says what takes its time, and what is left out", async () => {
    const lines: string[] = [];
    const { measure } = stopwatch({ cpu: 9 });
    const engines = [engine("cpu"), engine("gpu")];
    const report = (line: string) => lines.push(line);
    await chooseEngine(folder, engines, task, measure, { report });
    expect(lines).toEqual([
      "Measuring the speed of cpu, engine 1 of 2",
      "Measuring the speed of gpu, engine 2 of 2",
      "gpu is left out: it ran out of memory.",
    ]);
    lines.length = 0;
    await chooseEngine(folder, engines, task, measure, { report });
    expect(lines).toEqual([]);
  });

  it("lists what was measured on the engines that are here, newest first", async () => {
    const { measure } = stopwatch({ cpu: 9, gpu: 2 });
    const engines = [engine("cpu"), engine("gpu", "535.1")];
    await chooseEngine(folder, engines, task, measure);
    await chooseEngine(folder, engines, { ...task, resolutionPixels: 128 }, measure);
    expect(rememberedChoices(folder, engines)).toMatchObject([
      { network: "resnet9", resolutionPixels: 128, engine: "gpu", how: "measured" },
      { network: "resnet9", resolutionPixels: 64, engine: "gpu", how: "measured" },
    ]);
    expect(rememberedChoices(folder, [engine("cpu"), engine("gpu", "550.2")])).toEqual([]);
  });

  it("times again where the remembered answers cannot be read", async () => {
    writeFileSync(join(folder, "engines.json"), "{");
    const { asked, measure } = stopwatch({ cpu: 9, gpu: 2 });
    await chooseEngine(folder, [engine("cpu"), engine("gpu")], task, measure);
    expect(asked).toEqual(["cpu", "gpu"]);
  });
});

describe("what nvidia-smi says", () => {
  it("is read as name, driver and memory", () => {
    const gpu = parseNvidiaSmi(
      "NVIDIA RTX A4000, 535.183.01, 16376\nNVIDIA T4, 535.183.01, 15360\n",
    );
    expect(gpu).toEqual({ name: "NVIDIA RTX A4000", driver: "535.183.01", memoryMebibytes: 16376 });
    expect(driverSentence(gpu)).toMatch(/535\.183\.01, new enough/);
    expect(parseNvidiaSmi("")).toBeNull();
  });

  it("tells a driver that is too old, and one that is not there", () => {
    const old = { name: "NVIDIA K80", driver: "440.33", memoryMebibytes: 11441 };
    expect(driverSentence(old)).toMatch(/too old/);
    expect(driverSentence(null)).toMatch(/No NVIDIA driver was found/);
  });
});

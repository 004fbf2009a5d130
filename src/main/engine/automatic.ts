import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AutomaticChoice } from "../../shared/engine-choice.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";
import type { EngineDescription } from "./engine.ts";

/** What an engine is to be chosen for. */
export interface EngineTask extends ChosenNetwork {
  readonly resolutionPixels: number;
}

/** Milliseconds for each image on a task, or why there are none. */
export type Timing =
  | { readonly works: true; readonly millisecondsPerImage: number }
  | { readonly works: false; readonly reason: string };

export type MeasureEngine = (engine: string, task: EngineTask) => Promise<Timing>;

const recordSchema = z.object({
  key: z.string(),
  measuredAt: z.string(),
  timings: z.array(z.object({ engine: z.string(), milliseconds: z.number().positive() })).min(1),
});
const fileSchema = z.object({ measurements: z.array(recordSchema) });
type Measurement = z.infer<typeof recordSchema>;

const fileName = "engines.json";
/** Older ones go: a folder moves between few machines, and drivers change seldom. */
const mostRemembered = 100;

function digestOf(layers: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(layers)).digest("hex");
}

/** What an answer holds for: these engines, devices, versions, network and resolution. */
function keyOf(candidates: readonly EngineDescription[], task: EngineTask): string {
  const engines = candidates.map(({ name, device, version, driver }) =>
    [name, device, version, driver ?? null].join("|"),
  );
  const { network, networkLayers, resolutionPixels } = task;
  // Two networks of the user's own may have one name.
  const layers = networkLayers === undefined ? [] : [digestOf(networkLayers)];
  return [...engines.toSorted(), network, ...layers, resolutionPixels].join("; ");
}

/** What was measured before; a file that cannot be read is as good as none. */
function remembered(dataFolder: string): readonly Measurement[] {
  try {
    const text = readFileSync(join(dataFolder, fileName), "utf8");
    return fileSchema.parse(JSON.parse(text)).measurements;
  } catch {
    return [];
  }
}

function remember(dataFolder: string, measurement: Measurement): void {
  const others = remembered(dataFolder).filter(({ key }) => key !== measurement.key);
  const measurements = [measurement, ...others].slice(0, mostRemembered);
  mkdirSync(dataFolder, { recursive: true });
  const file = join(dataFolder, fileName);
  const unfinished = `${file}.${process.pid}.part`;
  writeFileSync(unfinished, `${JSON.stringify({ measurements }, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
}

function measured({ timings, measuredAt }: Measurement): AutomaticChoice | null {
  const [quickest] = timings;
  return quickest === undefined
    ? null
    : { engine: quickest.engine, how: "measured", timings, measuredAt };
}

/**
 * What "auto" stands for on a task as far as it is known, without timing anything.
 *
 * @param engines as listed, the engine to fall back on first
 */
export function knownChoice(
  dataFolder: string,
  engines: readonly EngineDescription[],
  task: EngineTask,
): AutomaticChoice {
  const candidates = engines.filter(({ available }) => available);
  const [first] = candidates;
  if (first === undefined) throw new Error("no engine is available");
  const untimed = { engine: first.name, timings: [], measuredAt: null };
  if (candidates.length === 1) return { ...untimed, how: "only" };
  const key = keyOf(candidates, task);
  const known = remembered(dataFolder).find((measurement) => measurement.key === key);
  return (known && measured(known)) ?? { ...untimed, how: "unmeasured" };
}

/**
 * What "auto" stands for on a task: the quickest of the engines at hand, each timed for a few
 * seconds in a process of its own unless the answer is remembered for these devices, versions,
 * network and resolution. One that fails is left out. With one candidate nothing is timed.
 */
export async function chooseEngine(
  dataFolder: string,
  engines: readonly EngineDescription[],
  task: EngineTask,
  measure: MeasureEngine,
): Promise<AutomaticChoice> {
  const known = knownChoice(dataFolder, engines, task);
  if (known.how !== "unmeasured") return known;
  const candidates = engines.filter(({ available }) => available);
  const timings: { engine: string; milliseconds: number }[] = [];
  // One after the other: two at once would slow each other down.
  for (const { name } of candidates) {
    const timing = await measure(name, task);
    if (timing.works) timings.push({ engine: name, milliseconds: timing.millisecondsPerImage });
  }
  if (timings.length === 0) return known;
  const measurement = {
    key: keyOf(candidates, task),
    measuredAt: new Date().toISOString(),
    timings: timings.toSorted((a, b) => a.milliseconds - b.milliseconds),
  };
  remember(dataFolder, measurement);
  return measured(measurement) ?? known;
}

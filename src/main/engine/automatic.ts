import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AutomaticChoice, RememberedChoice } from "../../shared/engine-choice.ts";
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

/** Times an engine on a task; ends at once, with any answer, when the signal is given. */
export type MeasureEngine = (
  engine: string,
  task: EngineTask,
  signal?: AbortSignal,
) => Promise<Timing>;

/** Who waits while engines are measured. */
export interface Waiting {
  /** Told in words of what takes its time, and of what was found. */
  readonly report?: (line: string) => void;
  /** Breaks the measurement off. */
  readonly signal?: AbortSignal;
}

const recordSchema = z.object({
  key: z.string(),
  measuredAt: z.string(),
  timings: z.array(z.object({ engine: z.string(), milliseconds: z.number().positive() })).min(1),
  failed: z.array(z.object({ engine: z.string(), reason: z.string() })).default([]),
  /** Left out by versions that did not list what was measured. */
  task: z.object({ network: z.string(), resolutionPixels: z.number() }).optional(),
});
const fileSchema = z.object({ measurements: z.array(recordSchema) });
type Measurement = z.infer<typeof recordSchema>;

const fileName = "engines.json";
/** Older ones go: a folder moves between few machines, and drivers change seldom. */
const mostRemembered = 100;

function digestOf(layers: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(layers)).digest("hex");
}

/** These engines, devices, versions and drivers. */
function enginesKey(candidates: readonly EngineDescription[]): string {
  const engines = candidates.map(({ name, device, version, driver }) =>
    [name, device, version, driver ?? null].join("|"),
  );
  return `${engines.toSorted().join("; ")}; `;
}

/** What an answer holds for: these engines, network and resolution. */
function keyOf(candidates: readonly EngineDescription[], task: EngineTask): string {
  const { network, networkLayers, resolutionPixels } = task;
  // Two networks of the user's own may have one name.
  const layers = networkLayers === undefined ? [] : [digestOf(networkLayers)];
  return enginesKey(candidates) + [network, ...layers, resolutionPixels].join("; ");
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

function measured({ timings, failed, measuredAt }: Measurement): AutomaticChoice | null {
  const [quickest] = timings;
  return quickest === undefined
    ? null
    : { engine: quickest.engine, how: "measured", timings, failed, measuredAt };
}

/** What was measured on the engines that are here now, newest first. */
export function rememberedChoices(
  dataFolder: string,
  engines: readonly EngineDescription[],
): RememberedChoice[] {
  const key = enginesKey(engines.filter(({ available }) => available));
  return remembered(dataFolder).flatMap((measurement) => {
    const choice = measured(measurement);
    const { task } = measurement;
    return choice === null || task === undefined || !measurement.key.startsWith(key)
      ? []
      : [{ ...choice, ...task }];
  });
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
  const untimed = { engine: first.name, timings: [], failed: [], measuredAt: null };
  if (candidates.length === 1) return { ...untimed, how: "only" };
  const key = keyOf(candidates, task);
  const known = remembered(dataFolder).find((measurement) => measurement.key === key);
  return (known && measured(known)) ?? { ...untimed, how: "unmeasured" };
}

/**
 * What "auto" stands for on a task: the quickest of the engines at hand, each timed for a few
 * seconds in a process of its own unless the answer is remembered for these devices, versions,
 * network and resolution. One that fails is left out. With one candidate nothing is timed.
 *
 * @throws the signal's reason where it is given before the last engine was timed; nothing of what
 *   was measured by then is remembered
 */
export async function chooseEngine(
  dataFolder: string,
  engines: readonly EngineDescription[],
  task: EngineTask,
  measure: MeasureEngine,
  { report, signal }: Waiting = {},
): Promise<AutomaticChoice> {
  const known = knownChoice(dataFolder, engines, task);
  if (known.how !== "unmeasured") return known;
  const candidates = engines.filter(({ available }) => available);
  const timings: { engine: string; milliseconds: number }[] = [];
  const failed: { engine: string; reason: string }[] = [];
  // One after the other: two at once would slow each other down.
  for (const [at, { name }] of candidates.entries()) {
    signal?.throwIfAborted();
    report?.(`Measuring the speed of ${name}, engine ${at + 1} of ${candidates.length}`);
    const timing = await measure(name, task, signal);
    // An engine that was broken off did not fail.
    signal?.throwIfAborted();
    if (timing.works) timings.push({ engine: name, milliseconds: timing.millisecondsPerImage });
    else {
      failed.push({ engine: name, reason: timing.reason });
      report?.(`${name} is left out: ${timing.reason}`);
    }
  }
  if (timings.length === 0) return known;
  const measurement = {
    key: keyOf(candidates, task),
    measuredAt: new Date().toISOString(),
    timings: timings.toSorted((a, b) => a.milliseconds - b.milliseconds),
    failed,
    task: { network: task.network, resolutionPixels: task.resolutionPixels },
  };
  remember(dataFolder, measurement);
  return measured(measurement) ?? known;
}

import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { chosenIn } from "../../shared/plan.ts";
import { engineEnvironment } from "./allocator.ts";
import type { EngineTask, Timing } from "./automatic.ts";

/** What a probe of an engine found, as it comes from the probing process. */
export type ProbeResult =
  | {
      readonly works: true;
      readonly device: string;
      readonly version: string;
      /** TensorFlow loads on the CPU where it finds no GPU. */
      readonly onGpu?: boolean;
    }
  | { readonly works: false; readonly reason: string };

const timeoutMilliseconds = 60_000;
const timingTimeoutMilliseconds = 180_000;
const known = new Map<string, Promise<ProbeResult>>();

/** The probe's own file: beside this one in the source, an entry of its own in a build. */
function probeFile(): string | null {
  const here = import.meta.dirname;
  const places = import.meta.filename.endsWith(".ts")
    ? ["probe-process.ts"]
    : ["engine-probe.js", "../engine-probe.js"];
  return places.map((place) => join(here, place)).find((file) => existsSync(file)) ?? null;
}

/** The last lines that say something, for a reason that a person can read. */
function lastWords(output: string): string {
  // Node's own account of an abort comes after what the library said.
  const [words = ""] = output.split(/^-+ (?:Native|JavaScript) stack trace/m);
  const lines = words.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .slice(-2)
    .join(" ")
    .slice(-400);
}

/**
 * Times an engine on a task in a process of its own, which the signal ends. Never throws.
 *
 * @see chooseEngine
 */
export async function runTiming(
  engineName: string,
  task: EngineTask,
  signal?: AbortSignal,
): Promise<Timing> {
  const { resolutionPixels } = task;
  const words = [engineName, JSON.stringify({ ...chosenIn(task), resolutionPixels })];
  const limits = { timeout: timingTimeoutMilliseconds, signal };
  const answer = await answerOf<Timing>(probeFile(), words, limits);
  return answer ?? { works: false, reason: "the probe's program file is missing." };
}

/**
 * Tries an engine in a process of its own, so that a broken driver takes down nothing else; the
 * signal ends that process. Asked once for each name; never throws.
 */
export function runProbe(engineName: string, signal?: AbortSignal): Promise<ProbeResult> {
  let result = known.get(engineName);
  if (result === undefined) {
    result = runProbeFile(probeFile(), engineName, signal);
    known.set(engineName, result);
    signal?.addEventListener("abort", () => known.delete(engineName));
  }
  return result;
}

/** The same with a given program file, which gets the name and answers over its channel. */
export async function runProbeFile(
  file: string | null,
  engineName: string,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  const limits = { timeout: timeoutMilliseconds, signal };
  const answer = await answerOf<ProbeResult>(file, [engineName], limits);
  return answer ?? { works: false, reason: "the probe's program file is missing." };
}

/** When a process that was asked is ended. */
interface Limits {
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

type Failure = Extract<ProbeResult, { works: false }>;

/** What the process says, or why it says nothing; null without a file. */
function answerOf<Answer>(
  file: string | null,
  words: readonly string[],
  { timeout, signal }: Limits,
): Promise<Answer | Failure | null> {
  if (file === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    const child = fork(file, [...words], {
      env: engineEnvironment(),
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      timeout,
      ...(signal && { signal }),
      // A driver that hangs may keep a process from hearing anything else.
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (data: unknown): void => {
      output = (output + String(data)).slice(-10_000);
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    let said: Answer | null = null;
    child.on("message", (message) => {
      // Only our own file runs there.
      said = message as Answer;
    });
    const finish = (ending: string): void => {
      const words = lastWords(output);
      resolve(
        said ?? {
          works: false,
          reason: `the test process ${ending}${words === "" ? "." : `, saying: ${words}`}`,
        },
      );
    };
    child.on("error", ({ message }) => {
      finish(`could not be started (${message})`);
    });
    child.on("close", (code, signal) => {
      finish(signal === null ? `ended with code ${code ?? "none"}` : `was ended by ${signal}`);
    });
  });
}

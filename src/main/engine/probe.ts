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
 * Times an engine on a task in a process of its own. Never throws.
 *
 * @see chooseEngine
 */
export async function runTiming(engineName: string, task: EngineTask): Promise<Timing> {
  const { resolutionPixels } = task;
  const words = [engineName, JSON.stringify({ ...chosenIn(task), resolutionPixels })];
  const answer = await answerOf<Timing>(probeFile(), words, timingTimeoutMilliseconds);
  return answer ?? { works: false, reason: "the probe's program file is missing." };
}

/**
 * Tries an engine in a process of its own, so that a broken driver takes down nothing else.
 * Asked once for each name; never throws.
 */
export function runProbe(engineName: string): Promise<ProbeResult> {
  let result = known.get(engineName);
  if (result === undefined) {
    result = runProbeFile(probeFile(), engineName);
    known.set(engineName, result);
  }
  return result;
}

/** The same with a given program file, which gets the name and answers over its channel. */
export async function runProbeFile(file: string | null, engineName: string): Promise<ProbeResult> {
  const answer = await answerOf<ProbeResult>(file, [engineName], timeoutMilliseconds);
  return answer ?? { works: false, reason: "the probe's program file is missing." };
}

type Failure = Extract<ProbeResult, { works: false }>;

/** What the process says, or why it says nothing; null without a file. */
function answerOf<Answer>(
  file: string | null,
  words: readonly string[],
  timeout: number,
): Promise<Answer | Failure | null> {
  if (file === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    const child = fork(file, [...words], {
      env: engineEnvironment(),
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      timeout,
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

import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../shared/errors.ts";
import { engineEnvironment } from "../engine/allocator.ts";
import type { CoreToScorer, ScorerJob, ScorerToCore } from "./scorer-protocol.ts";

/** A scoring process at work. */
export interface Scorer {
  /**
   * Scores 8-bit frames [count, framePixels, framePixels].
   *
   * @returns probabilities [count, labels]
   * @throws UserError where the engine cannot be used, Error where the process ended.
   */
  score(frames: Uint8Array, count: number): Promise<Float32Array>;
  /** Ends the process at once; what is under way fails. */
  close(): void;
}

/** Starts a process that scores frames with a run's weights. */
export function openScorer(job: ScorerJob, scorerFile = builtScorer()): Scorer {
  const child = fork(scorerFile, [], {
    env: engineEnvironment(),
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const waiting = new Map<number, PromiseWithResolvers<Float32Array>>();
  let failure: Error | null = null;
  let nextId = 1;
  let said = "";
  child.stderr?.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(-2000);
  });
  const fail = (error: Error): void => {
    failure ??= error;
    for (const answer of waiting.values()) answer.reject(failure);
    waiting.clear();
    child.kill("SIGKILL");
  };
  child.on("message", (raw) => {
    // Only our own file runs there.
    const message = raw as ScorerToCore;
    if (message.kind === "scores") {
      waiting.get(message.id)?.resolve(message.scores);
      waiting.delete(message.id);
    } else if (message.kind === "failed") {
      const { kind, message: text } = message.error;
      fail(kind === "internal" ? new Error(text) : new UserError("resource", text));
    }
  });
  child.on("error", fail);
  child.on("exit", (code, signal) => {
    fail(
      new Error(
        `The scoring process ended unexpectedly (${signal ?? `exit code ${String(code)}`}). ${said}`,
      ),
    );
  });
  const send = (message: CoreToScorer): void => {
    if (child.connected) child.send(message);
  };
  send({ kind: "job", job });
  return {
    score: (frames, count) => {
      if (failure !== null) return Promise.reject(failure);
      const id = nextId;
      nextId += 1;
      const answer = Promise.withResolvers<Float32Array>();
      waiting.set(id, answer);
      send({ kind: "frames", id, count, frames });
      return answer.promise;
    },
    close: () => {
      fail(new Error("The scoring process was closed."));
    },
  };
}

/** The scorer's program: the source beside this file, or the built one above the bundle. */
function builtScorer(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith(".ts")) return join(dirname(here), "scorer-process.ts");
  const places = [dirname(here), dirname(dirname(here))];
  const found = places.map((place) => join(place, "scorer.js")).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`scorer.js was not built beside ${here}.`);
  return found;
}

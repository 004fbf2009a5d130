import { fork, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../shared/errors.ts";
import { engineEnvironment } from "../engine/allocator.ts";
import type { CoreToTrainer, TrainerJob, TrainerToCore } from "./trainer-protocol.ts";

/** How a trainer ended. */
export type TrainerEnding =
  | { readonly state: "finished" }
  | { readonly state: "stopped"; readonly paused: boolean }
  | { readonly state: "failed"; readonly message: string };

export interface TrainerProcess {
  readonly send: (message: CoreToTrainer) => void;
  readonly kill: () => void;
  /** Resolves when the process has ended and all that it said has been received. */
  readonly ended: Promise<TrainerEnding>;
}

/**
 * Starts a trainer process on a job. What it and its libraries print goes to trainer.log in the
 * run's folder.
 *
 * @param receive called for each message in order; what it throws ends the trainer
 */
export function startTrainer(
  job: TrainerJob,
  receive: (message: TrainerToCore, trainer: TrainerProcess) => void,
  trainerFile = builtTrainer(),
): TrainerProcess {
  mkdirSync(job.runFolder, { recursive: true, mode: 0o700 });
  const log = openSync(join(job.runFolder, "trainer.log"), "a", 0o600);
  const child = fork(trainerFile, [], {
    env: engineEnvironment(),
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);

  let ending: TrainerEnding | null = null;
  const fail = (message: string): void => {
    ending ??= { state: "failed", message };
    child.kill("SIGKILL");
  };
  const ended = endOf(child).then(
    ({ reason }) => ending ?? { state: "failed" as const, message: reason },
  );
  const trainer: TrainerProcess = {
    send: (message) => {
      if (child.connected) child.send(message);
    },
    kill: () => {
      fail("The run was broken off.");
    },
    ended,
  };
  child.on("message", (raw) => {
    const message = raw as TrainerToCore;
    try {
      receive(message, trainer);
    } catch (error) {
      fail(`The core could not keep what the trainer sent: ${messageOf(error)}`);
    }
    if (message.kind === "finished") {
      const { stopped, paused } = message;
      ending ??= stopped ? { state: "stopped", paused } : { state: "finished" };
      if (child.connected) child.disconnect();
    } else if (message.kind === "failed") {
      ending ??= { state: "failed", message: message.error.message };
      if (child.connected) child.disconnect();
    }
  });
  trainer.send({ kind: "job", job });
  return trainer;
}

/** Waits for the exit and for the channel to run dry, whichever comes last. */
async function endOf(child: ChildProcess): Promise<{ readonly reason: string }> {
  const disconnected = new Promise<void>((resolve) => {
    child.once("disconnect", resolve);
  });
  const exited = new Promise<{ reason: string; started: boolean }>((resolve) => {
    child.once("error", (error) => {
      resolve({ reason: `The trainer could not be started: ${error.message}`, started: false });
    });
    child.once("exit", (code, signal) => {
      resolve({ reason: exitReason(code, signal), started: true });
    });
  });
  const { reason, started } = await exited;
  if (started) await disconnected;
  return { reason };
}

function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") {
    return (
      "The trainer was killed by the system, perhaps for want of memory. Close other programs, " +
      "or choose a smaller network or resolution."
    );
  }
  const how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
  return `The trainer ended unexpectedly (${how}); trainer.log in the run's folder says more.`;
}

/** The trainer's program: the source beside this file, or the built one above the bundle. */
function builtTrainer(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith(".ts")) return join(dirname(here), "trainer-process.ts");
  const places = [dirname(here), dirname(dirname(here))];
  const found = places.map((place) => join(place, "trainer.js")).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`trainer.js was not built beside ${here}.`);
  return found;
}

import type { RunProgress, RunSummary } from "../../shared/domain.ts";
import { beat, findRun } from "../store/runs.ts";
import { messageOf } from "../../shared/errors.ts";
import { carry, release } from "./carried.ts";
import { closeRun } from "./journal.ts";
import { requestStop } from "./recovery.ts";
import { startRun, type RunHandle, type StartRunOptions } from "./run-host.ts";
import { runSummary } from "./run-summaries.ts";

export interface RunQueueOptions extends Omit<StartRunOptions, "runId" | "onProgress"> {
  readonly onProgress?: (progress: RunProgress) => void;
}

const heartbeatMilliseconds = 5_000;
/** What is given to a run to pause when the program ends; the shell waits a little longer. */
const pauseMilliseconds = 6_000;

/**
 * Trains queued runs one after the other, each in its own process, so that two runs never share
 * the machine. One queue for each core.
 */
export class RunQueue {
  readonly #options: RunQueueOptions;
  readonly #waiting: string[] = [];
  readonly #finished = new Map<string, PromiseWithResolvers<RunSummary>>();
  readonly #heartbeat: NodeJS.Timeout;
  #current: RunHandle | null = null;
  #closed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      // Other processes see that the waiting runs still have somebody to carry them.
      for (const runId of this.#waiting) beat(options.database, runId, process.pid);
    }, heartbeatMilliseconds);
    this.#heartbeat.unref();
  }

  /** Adds queued runs; they are trained in this order. */
  add(runIds: readonly string[]): void {
    for (const runId of runIds) {
      carry(runId);
      this.#waiting.push(runId);
      this.#finished.set(runId, Promise.withResolvers());
    }
    this.#next();
  }

  /** Resolves when a run that was added is over, however it ended. */
  async whenOver(runId: string): Promise<RunSummary> {
    return this.#finished.get(runId)?.promise ?? runSummary(this.#options.database, runId);
  }

  /** The live progress of a run under way here; null for any other. */
  progress(runId: string): RunProgress | null {
    return this.#current?.runId === runId ? this.#current.progress() : null;
  }

  /**
   * Pauses what is under way and what waits, for the end of the program: each can be resumed. What
   * does not pause in time is ended at once, with its journaled steps counted.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    const waiting = this.#waiting.splice(0);
    for (const runId of waiting) requestStop(this.#options.database, runId, "pause");
    const current = this.#current;
    current?.pause();
    const timer = setTimeout(() => current?.kill(), pauseMilliseconds);
    await current?.done;
    clearTimeout(timer);
    for (const runId of waiting) this.#settle(runId);
  }

  #next(): void {
    if (this.#current !== null || this.#closed) return;
    const runId = this.#waiting.shift();
    if (runId === undefined) return;
    const { database } = this.#options;
    const run = findRun(database, runId);
    if (run?.state !== "queued") {
      // Stopped while it waited.
      this.#settle(runId);
      this.#next();
      return;
    }
    try {
      this.#current = startRun({ ...this.#options, runId });
    } catch (error) {
      closeRun(database, runId, "failed", messageOf(error));
      this.#settle(runId);
      this.#next();
      return;
    }
    void this.#current.done.then(() => {
      this.#current = null;
      this.#settle(runId);
      this.#next();
    });
  }

  #settle(runId: string): void {
    release(runId);
    const summary = runSummary(this.#options.database, runId);
    this.#finished.get(runId)?.resolve(summary);
    this.#finished.delete(runId);
  }
}

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { newestDigest, type ContentDigest } from "../dicom/content-hash.ts";
import type { FramePreparation } from "../dicom/pipeline.ts";
import type { FilmAnswer, FilmTask, Rejection, WorkerMessage } from "../dicom/read-film.ts";

export interface DecodePoolOptions {
  readonly workers: number;
  readonly framePixels: number;
  readonly preparation: FramePreparation;
  /** A table may name the patient of a film that does not itself. */
  readonly patientFromTable?: boolean;
  /** How content hashes are made; default: the newest way. */
  readonly contentDigest?: ContentDigest;
  /** A worker that is silent for longer over one film is replaced. */
  readonly timeoutMilliseconds: number;
  /** The worker's program; default: found beside the running module. */
  readonly entry?: URL;
}

interface Job {
  readonly task: FilmTask;
  readonly resolve: (answer: FilmAnswer) => void;
  readonly reject: (reason: Error) => void;
}

interface Slot {
  worker: Worker;
  ready: boolean;
  /** In the order in which the worker takes them: the first is the one it works on. */
  readonly jobs: Job[];
  timer: NodeJS.Timeout | null;
}

/** Films in work and waiting, so that a worker does not idle while rows are committed. */
const jobsPerWorker = 8;
const mostFarewellMilliseconds = 250;
/** Heap of a worker; pixels live outside of it and are bounded by the readers. */
const workerHeapMebibytes = 512;

/**
 * Decode workers that a broken film cannot take down: a worker that crashes or hangs is replaced,
 * the film it was working on is answered with a rejection, the one behind it is tried again.
 */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #entry: URL;
  readonly #slots: Slot[] = [];
  readonly #waiting: (() => void)[] = [];
  #nextId = 1;
  #closed = false;
  #stopped = false;
  #failure: Error | null = null;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
    this.#entry = options.entry ?? workerEntry();
    // The others are started when there is work for them.
    this.#slots.push(this.#newSlot());
  }

  /** Resolves when `run` may be called without piling up work. */
  async room(): Promise<void> {
    while (
      this.#failure === null &&
      !this.#stopped &&
      this.#freest().jobs.length >= jobsPerWorker
    ) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /**
   * Reads one film.
   *
   * @throws Error only where no worker can be started at all.
   */
  run(path: string, inArchive: FilmTask["inArchive"] = null): Promise<FilmAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      const { framePixels, preparation, patientFromTable = false } = this.#options;
      const { contentDigest = newestDigest } = this.#options;
      const task = {
        id: this.#nextId++,
        path,
        inArchive,
        framePixels,
        preparation,
        patientFromTable,
        contentDigest,
      };
      this.#assign(this.#freest(), { task, resolve, reject });
    });
  }

  /** Nobody waits for room any more, since no film is to follow. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    const ended = Promise.all(this.#slots.map(({ worker }) => worker.terminate()));
    // A thread that waits for a dead network share cannot be ended; the process is not held up.
    await Promise.race([
      ended,
      new Promise((resolve) => setTimeout(resolve, mostFarewellMilliseconds).unref()),
    ]);
  }

  #freest(): Slot {
    const freest = this.#slots.reduce((best, slot) =>
      slot.jobs.length < best.jobs.length ? slot : best,
    );
    if (freest.jobs.length === 0 || this.#slots.length >= this.#options.workers) return freest;
    const added = this.#newSlot();
    this.#slots.push(added);
    return added;
  }

  #newSlot(): Slot {
    const slot: Slot = { worker: this.#startWorker(), ready: false, jobs: [], timer: null };
    this.#listen(slot);
    return slot;
  }

  #startWorker(): Worker {
    return new Worker(this.#entry, {
      // Nothing that a decoder prints may reach standard output, where results belong.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: workerHeapMebibytes },
    });
  }

  #listen(slot: Slot): void {
    const { worker } = slot;
    let lastError: Error | null = null;
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on("message", (message: WorkerMessage) => {
      if (slot.worker !== worker) return;
      if (message.kind === "ready") slot.ready = true;
      else this.#answer(slot, message.id, message.answer);
    });
    worker.on("error", (error) => {
      lastError = error instanceof Error ? error : new Error(String(error));
    });
    worker.on("exit", () => {
      if (this.#closed || slot.worker !== worker) return;
      if (!slot.ready) {
        this.#fail(new Error("The decode workers cannot be started.", { cause: lastError }));
        return;
      }
      this.#replace(slot, {
        code: "decoder-crashed",
        found: "The decoder broke down over this file.",
      });
    });
  }

  #assign(slot: Slot, job: Job): void {
    slot.jobs.push(job);
    slot.worker.postMessage(job.task);
    if (slot.jobs.length === 1) this.#watch(slot);
  }

  #watch(slot: Slot): void {
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = null;
    if (slot.jobs.length === 0) return;
    slot.timer = setTimeout(() => {
      const seconds = Math.round(this.#options.timeoutMilliseconds / 1000);
      this.#replace(slot, {
        code: "decoder-timeout",
        found: `Reading the file took longer than ${seconds} seconds.`,
      });
    }, this.#options.timeoutMilliseconds);
  }

  #answer(slot: Slot, id: number, answer: FilmAnswer): void {
    const index = slot.jobs.findIndex(({ task }) => task.id === id);
    const [job] = index < 0 ? [] : slot.jobs.splice(index, 1);
    this.#watch(slot);
    job?.resolve(answer);
    this.#wake();
  }

  #replace(slot: Slot, rejection: Rejection): void {
    const jobs = slot.jobs.splice(0);
    const broken = slot.worker;
    slot.ready = false;
    slot.worker = this.#startWorker();
    this.#listen(slot);
    void broken.terminate();
    const [blamed, ...others] = jobs;
    for (const job of others) this.#assign(slot, job);
    this.#watch(slot);
    blamed?.resolve({ rejection });
    this.#wake();
  }

  #fail(failure: Error): void {
    this.#failure = failure;
    for (const slot of this.#slots) {
      for (const job of slot.jobs.splice(0)) job.reject(failure);
      this.#watch(slot);
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** In a build the worker is a file beside the running module; in the sources it is TypeScript. */
function workerEntry(): URL {
  const here = import.meta.url;
  const candidates = here.endsWith(".ts")
    ? ["../dicom/decode-worker.ts"]
    : ["./decode-worker.js", "../decode-worker.js"];
  for (const candidate of candidates) {
    const url = new URL(candidate, here);
    if (existsSync(fileURLToPath(url))) return url;
  }
  throw new Error("The decode worker's program is missing from this installation.");
}

import { memoryUsage } from "node:process";
import { Worker } from "node:worker_threads";
import { faulty, targets } from "./targets.ts";
import type { FuzzMessage, FuzzTask } from "./worker.ts";

export interface FuzzFailure {
  readonly target: string;
  readonly number: number;
  readonly kind: "crash" | "hang" | "death" | "memory";
  readonly detail: string;
}

export interface FuzzReport {
  readonly inputs: number;
  /** Inputs that were refused in words; the others were read. */
  readonly refused: number;
  readonly failures: readonly FuzzFailure[];
  readonly targets: readonly {
    readonly name: string;
    readonly inputs: number;
    readonly refused: number;
  }[];
  readonly peakMebibytes: number;
  readonly seconds: number;
}

export interface FuzzOptions {
  readonly inputs: number;
  /** Number of the first input: other numbers are other inputs. */
  readonly first: number;
  readonly secondsForInput: number;
  readonly mostMebibytes: number;
  /** Only readers of this name. */
  readonly only?: string | undefined;
  readonly onFailure?: (failure: FuzzFailure) => void;
  readonly onTarget?: (name: string, inputs: number, refused: number) => void;
}

const chunk = 500;

/**
 * Feeds mutated inputs to every reader in a thread of its own, which is watched: an input over
 * which it hangs, dies or takes too much memory is a failure like one that it throws over.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const started = performance.now();
  const known = [...(await targets()), ...faulty].filter((target) =>
    options.only === undefined ? !faulty.includes(target) : target.name === options.only,
  );
  const whole = known.reduce((sum, { weight }) => sum + weight, 0);
  const failures: FuzzFailure[] = [];
  const note = (failure: FuzzFailure) => {
    failures.push(failure);
    options.onFailure?.(failure);
  };
  const done: { name: string; inputs: number; refused: number }[] = [];
  let peakMebibytes = 0;
  let thread: Thread | null = null;
  for (const { name, weight } of known) {
    const inputs = Math.ceil((options.inputs * weight) / whole);
    const of = { name, inputs, refused: 0 };
    for (let next = options.first; next < options.first + inputs;) {
      const to = Math.min(next + chunk, options.first + inputs);
      thread ??= await startThread();
      const ended = await watch(thread, { target: name, from: next, to }, options, note);
      peakMebibytes = Math.max(peakMebibytes, ended.mebibytes);
      of.refused += ended.refused;
      if (ended.broken) {
        await thread.worker.terminate();
        thread = null;
      }
      next = ended.next;
    }
    done.push(of);
    options.onTarget?.(name, inputs, of.refused);
  }
  await thread?.worker.terminate();
  return {
    inputs: done.reduce((sum, { inputs }) => sum + inputs, 0),
    refused: done.reduce((sum, { refused }) => sum + refused, 0),
    failures,
    targets: done,
    peakMebibytes,
    seconds: (performance.now() - started) / 1000,
  };
}

interface Thread {
  readonly worker: Worker;
  readonly current: Int32Array;
}

async function startThread(): Promise<Thread> {
  const current = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: { current },
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  return { worker, current };
}

interface Ended {
  readonly next: number;
  readonly refused: number;
  readonly broken: boolean;
  readonly mebibytes: number;
}

function watch(
  { worker, current }: Thread,
  task: FuzzTask,
  options: FuzzOptions,
  note: (failure: FuzzFailure) => void,
): Promise<Ended> {
  return new Promise((resolve) => {
    let refused = 0;
    let mebibytes = 0;
    let last = -1;
    let since = performance.now();
    const end = (next: number, broken: boolean) => {
      clearInterval(timer);
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      resolve({ next, refused, broken, mebibytes });
    };
    const fail = (kind: FuzzFailure["kind"], detail: string) => {
      const number = Atomics.load(current, 0);
      note({ target: task.target, number, kind, detail });
      end(number + 1, true);
    };
    const timer = setInterval(() => {
      const number = Atomics.load(current, 0);
      if (number !== last) since = performance.now();
      last = number;
      mebibytes = Math.max(mebibytes, memoryUsage().rss / 1024 ** 2);
      if (mebibytes > options.mostMebibytes) {
        fail("memory", `${Math.round(mebibytes)} MiB`);
      } else if (performance.now() - since > options.secondsForInput * 1000) {
        fail("hang", `longer than ${options.secondsForInput} s`);
      }
    }, 100);
    const onMessage = (message: FuzzMessage) => {
      if (message.kind === "progress") refused += message.refused;
      else if (message.kind === "done") end(task.to, false);
      else if (message.kind === "crash") {
        const { number, error } = message;
        note({ target: task.target, number, kind: "crash", detail: error });
      }
    };
    const onError = (error: unknown) => fail("death", String(error));
    const onExit = (code: number) => fail("death", `the thread ended with ${code}`);
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(task);
  });
}

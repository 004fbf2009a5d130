import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { NoiseShape } from "../privacy/noise.ts";
import type { NoiseSource } from "./noise-source.ts";
import { workerFile } from "./worker-file.ts";

/** What a noise thread is started with. */
export interface NoiseThreadData {
  readonly shape: NoiseShape;
  /** This thread's part of the array that all of them fill; shared memory. */
  readonly part: Float64Array;
}

/** Below this a thread costs more than it saves. */
const fewestNumbersForAThread = 250_000;

/** A quarter of the cores, since the engine needs the rest; at most four. */
function threadsFor(length: number): number {
  const useful = Math.ceil(length / fewestNumbersForAThread);
  return Math.max(1, Math.min(4, useful, Math.floor(availableParallelism() / 4)));
}

/**
 * Draws noise in threads of its own, while the engine works on the same step. Each thread keys its
 * own cipher stream from the operating system: no key passes between threads.
 *
 * @param noise [parameters], in shared memory: what the threads fill
 */
export function openNoiseThreads(shape: NoiseShape, noise: Float64Array): NoiseSource {
  if (!(noise.buffer instanceof SharedArrayBuffer))
    throw new Error("threads cannot fill what is not shared with them");
  const { length } = noise;
  const count = threadsFor(length);
  const bounds = Array.from({ length: count + 1 }, (_, i) => Math.round((i * length) / count));
  const threads = Array.from({ length: count }, (_, i) =>
    openThread({ shape, part: noise.subarray(bounds[i], bounds[i + 1]) }),
  );
  return {
    shape,
    draw: async () => {
      await Promise.all(threads.map((thread) => thread.draw()));
      return noise;
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface NoiseThread {
  draw(): Promise<void>;
  close(): Promise<void>;
}

function openThread(workerData: NoiseThreadData): NoiseThread {
  const worker = new Worker(workerFile("noise-worker"), { workerData });
  let failure: Error | null = null;
  let waiting: PromiseWithResolvers<void> | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
    waiting?.reject(failure);
  };
  worker.on("message", () => {
    waiting?.resolve();
    waiting = null;
  });
  worker.on("error", fail);
  worker.on("exit", () => {
    fail(new Error("The thread that draws the noise ended."));
  });
  return {
    draw: () => {
      if (failure !== null) return Promise.reject(failure);
      if (waiting !== null) return Promise.reject(new Error("Two draws of noise overlap."));
      waiting = Promise.withResolvers();
      worker.postMessage("draw");
      return waiting.promise;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { UserError, userErrorKinds } from "../../shared/errors.ts";
import type { ErrorDescription } from "../../shared/messages.ts";
import type { ImageMakerOptions, ImageOrder } from "./image-maker.ts";
import { workerFile } from "./worker-file.ts";

/** What an image thread is asked for. */
export interface ImageRequest {
  readonly id: number;
  readonly orders: readonly ImageOrder[];
  /** Shared memory for the images, [orders.length, 1, pixels, pixels]. */
  readonly target: Float32Array;
}

export interface ImageReply {
  readonly id: number;
  readonly error: ErrorDescription | null;
  /** How long the thread worked. */
  readonly milliseconds: number;
}

/** Where a run's images are made. */
export interface ImageSource {
  /**
   * Images [orders.length, 1, pixels, pixels] in [0, 1]. Calls may overlap; they are served in order.
   *
   * Rejects with UserError "resource" where a frame is missing or damaged.
   */
  make(orders: readonly ImageOrder[]): Promise<Float32Array>;
  /** How long the threads have worked so far, together. */
  busyMilliseconds(): number;
  close(): Promise<void>;
}

/** A quarter of the cores, since the engine needs the rest; at most four. */
function threadCount(): number {
  return Math.max(1, Math.min(4, Math.floor(availableParallelism() / 4)));
}

/**
 * Makes images in threads of their own, while the engine keeps the thread that asks busy: a batch is
 * read ahead and augmented without the engine ever waiting for its turn.
 */
export function openImageThreads(
  options: ImageMakerOptions,
  count: number = threadCount(),
): ImageSource {
  const area = options.resolutionPixels ** 2;
  const threads = Array.from({ length: count }, () => openThread(options));
  return {
    make: async (orders) => {
      const bytes = orders.length * area * Float32Array.BYTES_PER_ELEMENT;
      const images = new Float32Array(new SharedArrayBuffer(bytes));
      const share = Math.ceil(orders.length / count);
      await Promise.all(
        threads.map((thread, index) => {
          const some = orders.slice(index * share, (index + 1) * share);
          if (some.length === 0) return Promise.resolve();
          const from = index * share * area;
          return thread.make(some, images.subarray(from, from + some.length * area));
        }),
      );
      return images;
    },
    busyMilliseconds: () => threads.reduce((total, thread) => total + thread.busyMilliseconds(), 0),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface ImageThread {
  make(orders: readonly ImageOrder[], target: Float32Array): Promise<void>;
  busyMilliseconds(): number;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function openThread(workerData: ImageMakerOptions): ImageThread {
  const worker = new Worker(workerFile("image-worker"), { workerData });
  const waiting = new Map<number, Waiting>();
  let failure: Error | null = null;
  let busy = 0;
  let last = 0;
  const fail = (error: Error): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on("message", ({ id, error, milliseconds }: ImageReply) => {
    busy += milliseconds;
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === null) one?.resolve();
    else one?.reject(asError(error));
  });
  worker.on("error", fail);
  worker.on("exit", () => {
    fail(new Error("The thread that makes the images ended."));
  });
  return {
    make: (orders, target) => {
      if (failure !== null) return Promise.reject(failure);
      last += 1;
      const request: ImageRequest = { id: last, orders, target };
      return new Promise((resolve, reject) => {
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request);
      });
    },
    busyMilliseconds: () => busy,
    close: async () => {
      await worker.terminate();
    },
  };
}

/** What a thread threw, as it was thrown there. */
function asError({ kind, message }: ErrorDescription): Error {
  const known = userErrorKinds.find((one) => one === kind);
  return known === undefined ? new Error(message) : new UserError(known, message);
}

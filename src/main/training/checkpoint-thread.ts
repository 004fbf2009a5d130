import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { checkpointOf, type CheckedFile } from "./checkpoint.ts";
import type { TrainingState } from "./step.ts";
import { workerFile } from "./worker-file.ts";

/** What the thread is asked for: a file that is there whole or not at all. */
export interface WriteRequest {
  readonly path: string;
  /** One behind the other; those in shared memory are read where they are. */
  readonly parts: readonly Uint8Array[];
}

export type WriteReply =
  /** Nothing is read any more of what is to be written. */
  | { readonly kind: "read" }
  | { readonly kind: "written"; readonly sha256: string }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Writes a run's checkpoints beside its steps, one after the other, straight from the run's memory:
 * an engine reads the weights for as long as a step takes, and nothing changes them before its end.
 */
export interface CheckpointWriter {
  /**
   * Begins to write the state, once the one before is on the disk; nothing may change it until
   * `released`. Rejects where the one before could not be written.
   */
  save(state: TrainingState, canaryScores: Float64Array | null): Promise<void>;
  /** Resolves once nothing of the state is being read any more. */
  released(): Promise<void>;
  /** @throws Error where a checkpoint could not be written. */
  check(): void;
  /** Resolves once all are on the disk and told of; rejects where one could not be written. */
  finish(): Promise<void>;
  /** Ends the thread once what it was given is written. */
  close(): Promise<void>;
}

interface UnderWay {
  readonly step: number;
  readonly file: string;
  readonly read: PromiseWithResolvers<void>;
  readonly over: PromiseWithResolvers<void>;
}

/** @param written told of each checkpoint that is whole on the disk */
export function openCheckpointWriter(
  runFolder: string,
  written: (step: number, checkpoint: CheckedFile) => void,
): CheckpointWriter {
  const worker = new Worker(workerFile("checkpoint-worker"));
  let failure: Error | null = null;
  let underWay: UnderWay | null = null;
  const end = (): void => {
    underWay?.read.resolve();
    underWay?.over.resolve();
    underWay = null;
  };
  const fail = (error: Error): void => {
    failure ??= error;
    end();
  };
  const check = (): void => {
    if (failure !== null) throw failure;
  };
  worker.on("message", (reply: WriteReply) => {
    if (reply.kind === "read") {
      underWay?.read.resolve();
    } else if (reply.kind === "failed") {
      fail(new Error(`A checkpoint could not be written: ${reply.reason}`));
    } else {
      if (underWay !== null) written(underWay.step, { file: underWay.file, sha256: reply.sha256 });
      end();
    }
  });
  worker.on("error", fail);
  worker.on("exit", () => {
    fail(new Error("The thread that writes the checkpoints ended."));
  });
  return {
    save: async (state, canaryScores) => {
      await underWay?.over.promise;
      check();
      const { file, parts } = checkpointOf(state, canaryScores);
      const { step } = state;
      underWay = { step, file, read: Promise.withResolvers(), over: Promise.withResolvers() };
      const request: WriteRequest = { path: join(runFolder, file), parts };
      worker.postMessage(request);
    },
    released: async () => {
      await underWay?.read.promise;
    },
    check,
    finish: async () => {
      await underWay?.over.promise;
      check();
    },
    close: async () => {
      await underWay?.over.promise;
      await worker.terminate();
    },
  };
}

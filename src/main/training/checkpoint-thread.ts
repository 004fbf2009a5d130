import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { checkpointOf, type CheckedFile } from "./checkpoint.ts";
import type { TrainingState } from "./step.ts";
import { workerFile } from "./worker-file.ts";

/** What the thread is asked for: a file that is there whole or not at all. */
export interface WriteRequest {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type WriteReply = { readonly sha256: string } | { readonly failure: string };

/** Writes a run's checkpoints beside its steps, one after the other. */
export interface CheckpointWriter {
  /**
   * Copies the state as it is at the call's end and has the copy written; waits only for the one
   * before. Rejects where that one could not be written.
   */
  save(state: TrainingState, canaryScores: Float64Array | null): Promise<void>;
  /** @throws Error where a checkpoint could not be written. */
  check(): void;
  /** Resolves once all are on the disk and told of; rejects where one could not be written. */
  finish(): Promise<void>;
  /** Ends the thread once what it was given is written. */
  close(): Promise<void>;
}

/** @param written told of each checkpoint that is whole on the disk */
export function openCheckpointWriter(
  runFolder: string,
  written: (step: number, checkpoint: CheckedFile) => void,
): CheckpointWriter {
  const worker = new Worker(workerFile("checkpoint-worker"));
  let failure: Error | null = null;
  let waiting: PromiseWithResolvers<void> | null = null;
  let underWay: { readonly step: number; readonly file: string } | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
    waiting?.resolve();
    waiting = null;
  };
  const check = (): void => {
    if (failure !== null) throw failure;
  };
  worker.on("message", (reply: WriteReply) => {
    if ("failure" in reply) {
      fail(new Error(`A checkpoint could not be written: ${reply.failure}`));
      return;
    }
    if (underWay !== null) written(underWay.step, { file: underWay.file, sha256: reply.sha256 });
    waiting?.resolve();
    waiting = null;
  });
  worker.on("error", fail);
  worker.on("exit", () => {
    fail(new Error("The thread that writes the checkpoints ended."));
  });
  return {
    save: async (state, canaryScores) => {
      await waiting?.promise;
      check();
      const { file, bytes } = checkpointOf(state, canaryScores);
      waiting = Promise.withResolvers();
      underWay = { step: state.step, file };
      const request: WriteRequest = { path: join(runFolder, file), bytes };
      worker.postMessage(request, [bytes.buffer]);
    },
    check,
    finish: async () => {
      await waiting?.promise;
      check();
    },
    close: async () => {
      await waiting?.promise;
      await worker.terminate();
    },
  };
}

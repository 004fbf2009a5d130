import { parentPort, workerData } from "node:worker_threads";

import { messageOf } from "../../shared/errors.ts";
import { prepareEncoders } from "./encode.ts";
import type { LabelRow } from "./labels-table.ts";
import { createProducer } from "./produce.ts";
import type { ProductionOptions } from "./produce.ts";

/** From the generator: patients to produce. */
export interface WorkerRequest {
  indices: number[];
}

/** To the generator: their lines of the label table, or why it stopped. */
export type WorkerReply =
  | { kind: "ready" }
  | { kind: "done"; patients: { index: number; rows: LabelRow[] }[] }
  | { kind: "failed"; message: string; code: string | undefined };

const port = parentPort;
if (!port) throw new Error("This module runs as a worker thread.");
const reply = (message: WorkerReply): void => {
  port.postMessage(message);
};
const fail = (error: unknown): void => {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  reply({ kind: "failed", message: messageOf(error), code });
};

try {
  const options = workerData as ProductionOptions;
  await prepareEncoders(options.transferSyntaxes);
  const produce = createProducer(options);
  port.on("message", ({ indices }: WorkerRequest) => {
    try {
      const patients = indices.map((index) => ({ index, rows: produce(index) }));
      reply({ kind: "done", patients });
    } catch (error) {
      fail(error);
    }
  });
  reply({ kind: "ready" });
} catch (error) {
  fail(error);
}

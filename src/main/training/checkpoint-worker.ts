import { parentPort } from "node:worker_threads";
import { messageOf } from "../../shared/errors.ts";
import { writeAtomically } from "../store/whole-file.ts";
import type { WriteReply, WriteRequest } from "./checkpoint-thread.ts";

/** A thread that writes one checkpoint after the other. */
const port = parentPort;
if (port === null) throw new Error("A checkpoint thread is started by a trainer.");
const reply = (said: WriteReply): void => {
  port.postMessage(said);
};
port.on("message", ({ path, parts }: WriteRequest) => {
  try {
    const sha256 = writeAtomically(path, parts, () => {
      reply({ kind: "read" });
    });
    reply({ kind: "written", sha256 });
  } catch (error) {
    reply({ kind: "failed", reason: messageOf(error) });
  }
});

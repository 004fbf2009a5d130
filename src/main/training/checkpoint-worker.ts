import { parentPort } from "node:worker_threads";
import { messageOf } from "../../shared/errors.ts";
import { writeAtomically } from "../store/whole-file.ts";
import type { WriteReply, WriteRequest } from "./checkpoint-thread.ts";

/** A thread that writes one checkpoint after the other. */
const port = parentPort;
if (port === null) throw new Error("A checkpoint thread is started by a trainer.");
port.on("message", ({ path, bytes }: WriteRequest) => {
  let reply: WriteReply;
  try {
    reply = { sha256: writeAtomically(path, bytes) };
  } catch (error) {
    reply = { failure: messageOf(error) };
  }
  port.postMessage(reply);
});

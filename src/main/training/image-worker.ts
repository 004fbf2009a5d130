import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../../shared/messages.ts";
import { ImageMaker, type ImageMakerOptions } from "./image-maker.ts";
import type { ImageReply, ImageRequest } from "./image-threads.ts";

/** A thread that makes the images it is asked for, one request after the other. */
const port = parentPort;
if (port === null) throw new Error("An image thread is started by a trainer.");
const maker = new ImageMaker(workerData as ImageMakerOptions);
port.on("message", ({ id, orders, target }: ImageRequest) => {
  const start = performance.now();
  let reply: ImageReply;
  try {
    maker.make(orders, target);
    reply = { id, error: null, milliseconds: performance.now() - start };
  } catch (error) {
    reply = { id, error: describeError(error), milliseconds: performance.now() - start };
  }
  port.postMessage(reply);
});

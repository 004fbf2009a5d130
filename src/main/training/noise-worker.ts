import { parentPort, workerData } from "node:worker_threads";
import { createNoiseFiller } from "../privacy/noise.ts";
import { openRandomStreams } from "../privacy/random.ts";
import type { NoiseThreadData } from "./noise-threads.ts";

/** A thread that fills its part of the noise each time it is asked to. */
const port = parentPort;
if (port === null) throw new Error("A noise thread is started by a trainer.");
const { shape, part } = workerData as NoiseThreadData;
const fill = createNoiseFiller(shape);
const { noise } = openRandomStreams();
port.on("message", () => {
  fill(noise, part);
  port.postMessage("drawn");
});

import { parentPort } from "node:worker_threads";
import { FileBuffer } from "./file-buffer.ts";
import { readFilm, type FilmTask, type WorkerMessage } from "./read-film.ts";

/** A decode worker: films in, frames out, one after the other. */
const port = parentPort;
if (port === null) throw new Error("The decode worker runs in a worker thread only.");

const buffer = new FileBuffer();
let last = Promise.resolve();

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

port.on("message", ({ id, ...task }: FilmTask) => {
  last = last.then(async () => {
    const answer = await readFilm(task, buffer);
    send({ kind: "answer", id, answer }, "film" in answer ? [answer.film.frame.buffer] : []);
  });
});
send({ kind: "ready" });

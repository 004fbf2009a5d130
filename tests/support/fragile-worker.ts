import { basename } from "node:path";
import { parentPort } from "node:worker_threads";
import { FileBuffer } from "../../src/main/dicom/file-buffer.ts";
import { readFilm, type FilmTask } from "../../src/main/dicom/read-film.ts";

/** A decode worker that breaks down over files named "crash" and hangs over "hang". */
const buffer = new FileBuffer();
parentPort?.on("message", ({ id, ...task }: FilmTask) => {
  if (basename(task.path) === "crash") throw new Error("A decoder broke down.");
  if (basename(task.path) === "hang") for (;;);
  void readFilm(task, buffer).then((answer) => {
    parentPort?.postMessage({ kind: "answer", id, answer });
  });
});
parentPort?.postMessage({ kind: "ready" });

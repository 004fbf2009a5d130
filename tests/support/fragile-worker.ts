import { basename } from "node:path";
import { parentPort } from "node:worker_threads";
import { FileBuffer } from "../../src/main/dicom/file-buffer.ts";
import { readFilm, type FilmTask } from "../../src/main/dicom/read-film.ts";

/** A decode worker that breaks down over files named "crash" and hangs over "hang". */
const buffer = new FileBuffer();
parentPort?.on("message", ({ id, path, framePixels }: FilmTask) => {
  if (basename(path) === "crash") throw new Error("A decoder broke down.");
  if (basename(path) === "hang") for (;;);
  void readFilm(path, framePixels, buffer).then((answer) => {
    parentPort?.postMessage({ kind: "answer", id, answer });
  });
});
parentPort?.postMessage({ kind: "ready" });

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { importPaths } from "../src/main/intake/intake.ts";
import { openDatabase } from "../src/main/store/database.ts";
import { importLarge } from "./intake-large.ts";
import { addCohort } from "../tests/support/store.ts";
import { writeDicom } from "../tests/support/dicom-writer.ts";
import { filmElements, pixelElements, seeded, type PixelForm } from "../tests/support/films.ts";

/**
 * Films per second and peak memory of an import from uncompressed films, everything included from
 * starting the workers to the last committed row. Beside it, over the same files: threads that do
 * nothing but read them, as a bound; and as many processes with pydicom and numpy, started before the
 * clock, that make the same frames and keep nothing. The files were written just before, so all of
 * them are read from the page cache where memory holds them.
 *
 * The peers are two: pydicom with numpy written for speed, and written the short way, with the mean over
 * blocks; each with as many processes as there are workers, and with one.
 *
 *     node bench/intake.ts [--films 200] [--size 2048] [--workers 2] [--frame 512] [--window] [--alone]
 *
 * With `--many 200000` it imports so many small films and 5,000 paths to large ones instead, kills the
 * import half-way and resumes it, and prints the peak memory (intake-large.ts). The system's folder for
 * temporary files needs 5 GB.
 *
 *     node bench/intake.ts --many 200000 [--large 5000] [--workers 2]
 */
const { values: args } = parseArgs({
  options: {
    films: { type: "string", default: "200" },
    size: { type: "string", default: "2048" },
    workers: { type: "string", default: "2" },
    frame: { type: "string", default: "512" },
    window: { type: "boolean", default: false },
    many: { type: "string" },
    large: { type: "string", default: "5000" },
    alone: { type: "boolean", default: false },
  },
});
const films = Number(args.films);
const size = Number(args.size);
const framePixels = Number(args.frame);

const folder = mkdtempSync(join(tmpdir(), "silhouette-bench-"));
try {
  if (args.many === undefined) await measureSpeed();
  else await importLarge(folder, Number(args.many), Number(args.large), Number(args.workers));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureSpeed(): Promise<void> {
  const source = join(folder, "films");
  mkdirSync(source);
  writeFilms(source);
  // What is still to be written to the disk must not compete with the import.
  spawnSync("sync");
  const dataFolder = join(folder, "data");
  const database = openDatabase(join(dataFolder, "silhouette.sqlite"));
  const cohortId = addCohort(database, framePixels);
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 20);
  const options = {
    database,
    dataFolder,
    cohortId,
    paths: [source],
    workers: Number(args.workers),
  };
  const result = await importPaths(options);
  const again = await importPaths(options);
  clearInterval(watch);
  database.close();
  console.log(
    JSON.stringify({
      films,
      sizePixels: size,
      framePixels,
      workers: Number(args.workers),
      imported: result.imported,
      seconds: round(result.seconds),
      filmsPerSecond: round(result.imported / result.seconds),
      againSeconds: round(again.seconds),
      peakMebibytes: round(peakBytes / 1024 / 1024),
    }),
  );
  if (!args.alone) {
    const readOnly = await readAll(source);
    console.log(JSON.stringify({ readOnlyFilmsPerSecond: round(readOnly) }));
    for (const way of ["fast", "short"]) {
      for (const processes of [args.workers, "1"]) {
        const peer = pydicom(source, way, processes);
        const ratio =
          "pydicomFilmsPerSecond" in peer
            ? { ratio: round(result.imported / result.seconds / peer.pydicomFilmsPerSecond) }
            : {};
        console.log(JSON.stringify({ way, processes: Number(processes), ...peer, ...ratio }));
      }
    }
  }
}

/** Films that differ in a few pixels only, so that writing them takes no time. */
function writeFilms(target: string): void {
  const form: PixelForm = {
    rows: size,
    columns: size,
    bitsAllocated: 16,
    bitsStored: 12,
    signed: false,
  };
  const random = seeded(1);
  const pixels = new Uint16Array(size * size);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = Math.floor((i / pixels.length) * 3000 + random() * 800);
  }
  const window = args.window ? { "00281050": "2000", "00281051": "3600" } : {};
  for (let film = 0; film < films; film++) {
    pixels[film] = 4095;
    const bytes = writeDicom(
      { ...filmElements(film, film), ...pixelElements(form), ...window },
      { pixels: new Uint8Array(pixels.buffer) },
    );
    writeFileSync(join(target, `${film}.dcm`), bytes);
  }
}

/** Films a second that as many threads as there are workers read into one buffer each. */
async function readAll(source: string): Promise<number> {
  const program = `
    const { openSync, readSync, closeSync, fstatSync, readdirSync } = require("node:fs");
    const { parentPort, workerData } = require("node:worker_threads");
    const { source, first, step } = workerData;
    let buffer = Buffer.alloc(16 * 1024 * 1024);
    const names = readdirSync(source);
    parentPort.once("message", () => {
      for (let i = first; i < names.length; i += step) {
        const file = openSync(source + "/" + names[i], "r");
        const size = fstatSync(file).size;
        if (size > buffer.length) buffer = Buffer.alloc(size);
        for (let at = 0; at < size; ) at += readSync(file, buffer, at, size - at, at);
        closeSync(file);
      }
      parentPort.postMessage("done");
    });
    parentPort.postMessage("ready");`;
  const step = Number(args.workers);
  const threads = Array.from(
    { length: step },
    (_, first) => new Worker(program, { eval: true, workerData: { source, first, step } }),
  );
  const next = (thread: Worker) => new Promise((resolve) => thread.once("message", resolve));
  await Promise.all(threads.map(next));
  const started = performance.now();
  await Promise.all(
    threads.map((thread) => {
      const done = next(thread);
      thread.postMessage("go");
      return done;
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(threads.map((thread) => thread.terminate()));
  return films / seconds;
}

function pydicom(
  source: string,
  way: string,
  processes: string,
): { pydicomFilmsPerSecond: number; versions: string } | { pydicom: string } {
  // Debian's Python has Debian's packages, whatever stands first on the path.
  const pythons = ["/usr/bin/python3", "python3"];
  const python = pythons.find(
    (name) => spawnSync(name, ["-c", "import pydicom, numpy"]).status === 0,
  );
  if (python === undefined) return { pydicom: "skipped: no Python here has pydicom and numpy" };
  const program = fileURLToPath(new URL("peers/pydicom_intake.py", import.meta.url));
  const run = spawnSync(python, [program, source, String(framePixels), processes, way], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  if (run.status !== 0) return { pydicom: `failed: ${run.stderr.trim().slice(-300)}` };
  const peer = JSON.parse(run.stdout) as {
    films: number;
    seconds: number;
    pydicom: string;
    numpy: string;
  };
  return {
    pydicomFilmsPerSecond: round(peer.films / peer.seconds),
    versions: `pydicom ${peer.pydicom}, numpy ${peer.numpy}`,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

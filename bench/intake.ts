import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { importPaths } from "../src/main/intake/intake.ts";
import { openDatabase } from "../src/main/store/database.ts";
import { addCohort } from "../tests/support/store.ts";
import { writeDicom } from "../tests/support/dicom-writer.ts";
import { filmElements, pixelElements, seeded, type PixelForm } from "../tests/support/films.ts";

/**
 * Films per second and peak memory of an import from uncompressed films.
 *
 *     node bench/intake.ts [--films 200] [--size 2048] [--workers 2] [--frame 512] [--window]
 */
const { values: args } = parseArgs({
  options: {
    films: { type: "string", default: "200" },
    size: { type: "string", default: "2048" },
    workers: { type: "string", default: "2" },
    frame: { type: "string", default: "512" },
    window: { type: "boolean", default: false },
  },
});
const films = Number(args.films);
const size = Number(args.size);
const framePixels = Number(args.frame);

const folder = mkdtempSync(join(tmpdir(), "silhouette-bench-"));
try {
  const source = join(folder, "films");
  mkdirSync(source);
  writeFilms(source);
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
} finally {
  rmSync(folder, { recursive: true, force: true });
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

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

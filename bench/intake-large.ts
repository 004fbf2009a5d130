import { spawn } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../src/main/store/database.ts";
import { addCohort } from "../tests/support/store.ts";
import { writeDicom } from "../tests/support/dicom-writer.ts";
import { filmElements, pixelElements, seeded, type PixelForm } from "../tests/support/films.ts";

const framePixels = 64;
const smallSide = 64;
const largeSide = 2048;
/** Large films that differ; the others are links to these. */
const differentLarge = 20;
/** Of the small films every so manieth is cut off, or the one before it again. */
const cutEvery = 97;
const againEvery = 89;

/**
 * A cohort of the size that intake is for, imported by a process that is killed half-way and by a second
 * one that takes up the rest: `films` small films, half of them in one folder and half in folders of a
 * thousand, and behind them `large` paths to large ones. Prints for each process its peak memory, and
 * what the second did not have to read again.
 */
export async function importLarge(
  folder: string,
  films: number,
  large: number,
  workers: number,
): Promise<void> {
  const source = join(folder, "films");
  let started = performance.now();
  writeMany(source, films, large);
  console.log(
    JSON.stringify({ films, large, secondsToWrite: seconds(performance.now() - started) }),
  );
  const dataFolder = join(folder, "data");
  const file = join(dataFolder, "silhouette.sqlite");
  const database = openDatabase(file);
  const cohort = addCohort(database, framePixels);
  const count = (sql: string) => database.prepare(sql).pluck().get() as number;
  const run = (killAt: number | null) =>
    importer([dataFolder, String(cohort), source, String(workers)], killAt);
  started = performance.now();
  const killed = await run(Math.floor(films / 2));
  const killedAfter = seconds(performance.now() - started);
  const files = count("SELECT count(*) FROM source_file");
  console.log(
    JSON.stringify({
      killedAfterSeconds: killedAfter,
      filesCommitted: files,
      imagesCommitted: count("SELECT count(*) FROM image"),
      framesWithoutRow: framesOnDisk(dataFolder) - count("SELECT count(*) FROM image"),
      peakMebibytes: killed.peakMebibytes,
    }),
  );
  const before = count("SELECT max(id) FROM source_file");
  const resumed = await run(null);
  console.log(
    JSON.stringify({
      resumed: JSON.parse(resumed.lastLine) as unknown,
      filesRecordedBeforeAndAfter: [
        count(`SELECT count(*) FROM source_file WHERE id <= ${before}`),
        count(`SELECT count(*) FROM source_file WHERE id > ${before}`),
      ],
      images: count("SELECT count(*) FROM image"),
      framesWithoutRow: framesOnDisk(dataFolder) - count("SELECT count(*) FROM image"),
    }),
  );
  const again = await run(null);
  console.log(JSON.stringify({ again: JSON.parse(again.lastLine) as unknown }));
  database.close();
}

/** Runs an import; kills it once so many files are done. Memory is looked at until the end. */
function importer(
  args: readonly string[],
  killAt: number | null,
): Promise<{ readonly lastLine: string; readonly peakMebibytes: number | null }> {
  const program = fileURLToPath(new URL("intake-process.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let lastLine = "";
    let peakMebibytes: number | null = null;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      lastLine = text.trim().split("\n").at(-1) ?? "";
      const done = Number(/^done (\d+)$/.exec(lastLine)?.[1] ?? 0);
      if (killAt === null || done < killAt) return;
      peakMebibytes ??= peakOf(child.pid);
      child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", () => resolve({ lastLine, peakMebibytes }));
  });
}

/** The highest memory that a living process had; null where the system does not tell. */
function peakOf(pid: number | undefined): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kibibytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
    return kibibytes === undefined ? null : Math.round(Number(kibibytes) / 1024);
  } catch {
    return null;
  }
}

function framesOnDisk(dataFolder: string): number {
  const images = join(dataFolder, "images");
  const bytes = readdirSync(images).reduce(
    (sum, name) => sum + statSync(join(images, name)).size,
    0,
  );
  return bytes / framePixels ** 2;
}

function writeMany(source: string, films: number, large: number): void {
  const random = seeded(1);
  const film = (number: number, side: number, pixels: Uint16Array): Buffer => {
    const form: PixelForm = {
      rows: side,
      columns: side,
      bitsAllocated: 16,
      bitsStored: 12,
      signed: false,
    };
    return Buffer.from(
      writeDicom(
        { ...filmElements(number, Math.floor(number / 3)), ...pixelElements(form) },
        { pixels: new Uint8Array(pixels.buffer) },
      ),
    );
  };
  const pixels = Uint16Array.from({ length: smallSide ** 2 }, () => random() * 4095);
  let last: Uint8Array = Buffer.alloc(0);
  for (let i = 0; i < films; i++) {
    const inside = i < films / 2 ? "flat" : `folder-${Math.floor(i / 1000)}`;
    if (i === 0 || (i >= films / 2 && i % 1000 === 0) || i === Math.ceil(films / 2)) {
      mkdirSync(join(source, inside), { recursive: true });
    }
    // Two pixels hold the number, so that no two films are the same.
    pixels[0] = i & 0xfff;
    pixels[1] = (i >> 12) & 0xfff;
    const bytes = i % againEvery === againEvery - 1 ? last : film(i, smallSide, pixels);
    const whole = i % cutEvery !== cutEvery - 1;
    writeFileSync(join(source, inside, `${i}.dcm`), whole ? bytes : bytes.subarray(0, 4000));
    last = bytes;
  }
  if (large === 0) return;
  const originals = join(source, "..", "large");
  mkdirSync(originals);
  mkdirSync(join(source, "large"));
  const big = Uint16Array.from({ length: largeSide ** 2 }, () => random() * 4095);
  for (let i = 0; i < Math.min(large, differentLarge); i++) {
    big[0] = i;
    writeFileSync(join(originals, `${i}.dcm`), film(films + i, largeSide, big));
  }
  for (let i = 0; i < large; i++) {
    symlinkSync(join(originals, `${i % differentLarge}.dcm`), join(source, "large", `${i}.dcm`));
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}

import { access } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { ImportResult } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { digestOf } from "../dicom/content-hash.ts";
import { remedies } from "../dicom/errors.ts";
import { preparationOf } from "../dicom/pipeline.ts";
import type { FilmAnswer } from "../dicom/read-film.ts";
import { openSiteIdentity } from "../store/identity.ts";
import { FrameWriter } from "../store/image-cache.ts";
import {
  firstContentHash,
  frameFormatOf,
  imageRepository,
  issuersCount,
  type KnownFile,
} from "../store/images.ts";
import { batcher, type Batcher } from "./batcher.ts";
import { DecodePool } from "./decode-pool.ts";
import { identify, pictureWithoutTable, type FilmTable } from "./film-table.ts";
import type { ImportOptions } from "./options.ts";
import { patiently } from "./patience.ts";
import { progressReporter } from "./progress.ts";
import { recorder, type Recorded } from "./recorder.ts";
import { walk, type WalkEntry } from "./walk.ts";

const mostWorkers = 8;
const defaultTimeoutMilliseconds = 120_000;

/**
 * Imports films into a cohort. Every file ends as imported, duplicate or quarantined with a plain
 * reason. What is finished is committed in batches, frames before rows, so that killing the
 * process at any moment loses no committed film and leaves nothing half-done. Cancelling keeps what
 * was answered by then and waits for no file. A file whose size
 * and date are those of an earlier import is not read again.
 *
 * @throws UserError "not-found" where a path does not exist, "input" where there is nothing to
 * import, "conflict" where the cohort's frames come from another pixel pipeline, "resource" where the disk is full or a folder is no longer reachable; what was finished
 * before stays imported.
 */
export async function importPaths(options: ImportOptions): Promise<ImportResult> {
  const started = performance.now();
  const { database, dataFolder, cohortId, signal } = options;
  const roots = [...new Set(options.paths.map((path) => resolve(path)))];
  await requireRoots(roots);
  const { framePixels, pixelPipeline } = frameFormatOf(database, cohortId);
  const preparation = preparationOf(pixelPipeline);
  const identity = openSiteIdentity(dataFolder, database);
  const repository = imageRepository(database, cohortId);
  const frames = new FrameWriter(dataFolder, framePixels);
  const tally = newTally();
  const progress = progressReporter(tally, options);
  const batches = batcher({
    recorder: recorder({
      database,
      repository,
      identity,
      frames,
      issuers: issuersCount(database, cohortId),
    }),
    onRecorded: (recorded) => count(tally, recorded),
  });
  const table = options.table ?? null;
  const timeoutMilliseconds = options.fileTimeoutMilliseconds ?? defaultTimeoutMilliseconds;
  let lastForeign = 0;
  const pool = new DecodePool({
    workers: options.workers ?? Math.min(mostWorkers, availableParallelism()),
    framePixels,
    preparation,
    patientFromTable: table !== null,
    contentDigest: digestOf(firstContentHash(database, cohortId)),
    timeoutMilliseconds,
  });
  let foreign = 0;
  // A film that is being read is left behind, and comes with the next import.
  const cancel = (): void => {
    batches.drop();
    pool.stop();
  };
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    progress.start(roots);
    const entries = walk(roots, {
      ...(signal === undefined ? {} : { signal }),
      onForeign: () => {
        foreign++;
        lastForeign = performance.now();
      },
    });
    for await (const entry of patiently(entries, {
      timeoutMilliseconds,
      ...(signal === undefined ? {} : { signal }),
      lastSign: () => lastForeign,
      tooLong: () => noAnswer(roots, timeoutMilliseconds),
    })) {
      await resumedOrCancelled(options);
      if (isAborted(signal)) break;
      tally.found++;
      const pathKey = identity.pseudonym("path", entry.path);
      const known = repository.knownFile(pathKey);
      if (known !== null && isUnchanged(entry, known, options)) {
        count(tally, alreadyKnown(entry.path, known));
        continue;
      }
      await batches.room();
      await pool.room();
      if (isAborted(signal)) break;
      batches.add(describe(entry, pathKey), checkRoots(read(entry, pool, table), roots));
    }
    await batches.finish();
  } finally {
    signal?.removeEventListener("abort", cancel);
    progress.stop();
    await batches.settle();
    await Promise.all([pool.close(), frames.close()]);
  }
  const cancelled = isAborted(signal);
  if (tally.found === 0 && !cancelled) throw nothingFound(roots, foreign);
  return {
    found: tally.found,
    imported: tally.imported,
    duplicates: tally.duplicates,
    setAside: tally.setAside,
    quarantined: tally.quarantined,
    passedOver: foreign,
    seconds: (performance.now() - started) / 1000,
    cancelled,
  };
}

/** Asked anew each time: it may have changed while something was awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** What an import has done so far. */
export interface Tally {
  found: number;
  done: number;
  imported: number;
  duplicates: number;
  setAside: number;
  readonly quarantined: { readonly path: string; readonly reason: string }[];
}

function newTally(): Tally {
  return { found: 0, done: 0, imported: 0, duplicates: 0, setAside: 0, quarantined: [] };
}

function count(tally: Tally, { path, outcome, reason, setAside }: Recorded): void {
  tally.done++;
  if (outcome === "imported") tally.imported++;
  else if (outcome === "duplicate") tally.duplicates++;
  else tally.quarantined.push({ path, reason: reason ?? "" });
  if (setAside) tally.setAside++;
}

async function resumedOrCancelled({ pause, signal }: ImportOptions): Promise<void> {
  if (pause?.paused !== true || signal?.aborted === true) return;
  const cancelled = new Promise<void>((resolve) => {
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([pause.resumed(), cancelled]);
}

async function requireRoots(roots: readonly string[]): Promise<void> {
  for (const root of roots) {
    if (!(await isReachable(root))) {
      throw new UserError("not-found", `There is no file or folder ${root}. Check the path.`);
    }
  }
}

async function isReachable(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function isUnchanged(entry: WalkEntry, known: KnownFile, options: ImportOptions): boolean {
  if (entry.kind !== "file") return false;
  if (known.outcome === "quarantined" && options.retryQuarantined === true) return false;
  // With a table there is a patient for what had none before.
  const lackedPatient = known.reasonCode === "no-table" || known.reasonCode === "no-patient-id";
  if (options.table != null && lackedPatient) return false;
  return (
    known.sizeBytes === entry.sizeBytes && known.modifiedMilliseconds === entry.modifiedMilliseconds
  );
}

/** A film that is there already counts as a duplicate, a quarantined file stays so. */
function alreadyKnown(path: string, known: KnownFile): Recorded {
  return known.outcome === "quarantined"
    ? { path, outcome: "quarantined", setAside: false, reason: known.reason }
    : { path, outcome: "duplicate", setAside: false, reason: null };
}

function describe(entry: WalkEntry, pathKey: string): Parameters<Batcher["add"]>[0] {
  const file = entry.kind === "file";
  return {
    path: entry.path,
    pathKey,
    sizeBytes: file ? entry.sizeBytes : 0,
    modifiedMilliseconds: file ? entry.modifiedMilliseconds : 0,
  };
}

/** A picture is not decoded where nothing can say whose it is. */
async function read(
  entry: WalkEntry,
  pool: DecodePool,
  table: FilmTable | null,
): Promise<FilmAnswer> {
  if (entry.kind !== "file") return { rejection: { code: entry.code, found: entry.found } };
  if (entry.picture && table === null) return { rejection: pictureWithoutTable };
  return identify(await pool.run(entry.path, entry.inArchive), entry.path, table);
}

/** One vanished file is a file's matter; with its whole folder gone, the import has to stop. */
async function checkRoots(
  reading: Promise<FilmAnswer>,
  roots: readonly string[],
): Promise<FilmAnswer> {
  const answer = await reading;
  if (!("rejection" in answer)) return answer;
  if (answer.rejection.code !== "vanished" && answer.rejection.code !== "unreadable") {
    return answer;
  }
  for (const root of roots) {
    if (await isReachable(root)) continue;
    throw new UserError(
      "resource",
      `${root} is no longer reachable. ${remedies.vanished} Films that were imported already stay.`,
    );
  }
  return answer;
}

function noAnswer(roots: readonly string[], timeoutMilliseconds: number): UserError {
  return new UserError(
    "resource",
    `${roots.join(", ")}: no answer for ${Math.round(timeoutMilliseconds / 1000)} seconds. Check the ` +
      `network drive or the cable, then import again: films that were imported already stay.`,
  );
}

function nothingFound(roots: readonly string[], foreign: number): UserError {
  const places = roots.join(", ");
  const others =
    foreign === 0 ? "" : ` ${foreign} other ${foreign === 1 ? "file is" : "files are"} no films.`;
  return new UserError(
    "input",
    `There are no films in ${places}.${others} Choose a folder that holds films.`,
  );
}

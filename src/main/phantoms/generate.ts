import { existsSync } from "node:fs";
import { access, constants, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { messageOf, UserError } from "../../shared/errors.ts";
import { formatLabels } from "./labels-table.ts";
import type { LabelRow } from "./labels-table.ts";
import type { PhantomStyle } from "./population.ts";
import { samplePatient } from "./population.ts";
import type { ProductionOptions } from "./produce.ts";
import { transferSyntaxesOf } from "./transfer-syntax.ts";
import type { WorkerReply, WorkerRequest } from "./worker.ts";

export interface PhantomOptions {
  /** An empty folder, or one to be made. */
  folder: string;
  patients: number;
  /** A whole number; the same seed gives the same bytes. */
  seed: number;
  /** The longer side of every image, 64 to 4096. */
  sizePixels: number;
  /** A UID, a short name, or "mixed"; explicit little endian by default. */
  transferSyntax?: string;
  /** "a" by default; "b" is another population of machines, for a public pretraining set. */
  style?: PhantomStyle;
  /** Worker threads, 2 by default. The files do not depend on it. */
  workers?: number;
  onProgress?: (progress: PhantomProgress) => void;
  signal?: AbortSignal;
}

export interface PhantomProgress {
  patientsDone: number;
  patients: number;
  imagesDone: number;
  elapsedMilliseconds: number;
}

export interface PhantomResult {
  folder: string;
  patients: number;
  images: number;
  labelsFile: string;
  elapsedMilliseconds: number;
}

/** Patients that a worker is given at a time. */
const BATCH = 6;

/**
 * Writes a cohort of synthetic chest radiographs as DICOM files, one folder for each patient, and
 * labels.csv beside them. Stopped or failed, it removes what it wrote.
 *
 * Throws UserError for options that make no sense, a folder that cannot be written or that holds
 * files, and a full disk; the signal's reason when it is aborted.
 */
export async function generatePhantoms(options: PhantomOptions): Promise<PhantomResult> {
  const production = checkOptions(options);
  options.signal?.throwIfAborted();
  const made = await claimFolder(options.folder);
  const started = performance.now();
  try {
    const rows = await produceAll(options, production, started);
    const labelsFile = join(options.folder, "labels.csv");
    await writeFile(labelsFile, formatLabels(rows), { flag: "wx" });
    return {
      folder: options.folder,
      patients: options.patients,
      images: rows.length,
      labelsFile,
      elapsedMilliseconds: performance.now() - started,
    };
  } catch (error) {
    await removeWritten(options, production.style, made);
    throw error;
  }
}

function checkOptions(options: PhantomOptions): ProductionOptions {
  const { patients, seed, sizePixels, folder } = options;
  if (!Number.isInteger(patients) || patients < 1 || patients > 999_999) {
    throw new UserError(
      "input",
      `A phantom cohort needs between 1 and 999,999 patients, not ${patients}.`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new UserError("input", `The seed of the phantoms must be a whole number, not ${seed}.`);
  }
  if (!Number.isInteger(sizePixels) || sizePixels < 64 || sizePixels > 4096) {
    throw new UserError(
      "input",
      `Phantoms can be 64 to 4096 pixels large, not ${sizePixels}. Choose a whole number in between.`,
    );
  }
  return {
    folder,
    seed,
    sizePixels,
    style: options.style ?? "a",
    transferSyntaxes: transferSyntaxesOf(options.transferSyntax),
  };
}

/** Makes the folder where it is missing; returns whether it did. */
async function claimFolder(folder: string): Promise<boolean> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") {
      throw new UserError("input", `${folder} is a file. Choose a folder for the phantoms.`);
    }
    if (codeOf(error) !== "ENOENT") throw unwritable(folder, error);
    try {
      await mkdir(folder, { recursive: true });
    } catch (mkdirError) {
      throw unwritable(folder, mkdirError);
    }
    return true;
  }
  if (entries.length > 0) {
    throw new UserError(
      "conflict",
      `The folder ${folder} already holds files. Choose an empty or a new folder for the phantoms.`,
    );
  }
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw unwritable(folder, error);
  }
  return false;
}

function unwritable(folder: string, error: unknown): UserError {
  return new UserError(
    "resource",
    `The folder ${folder} cannot be written (${messageOf(error)}). Choose another folder, or change its permissions.`,
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Runs the workers until every patient is written; rows in the order of the patients. */
async function produceAll(
  options: PhantomOptions,
  production: ProductionOptions,
  started: number,
): Promise<LabelRow[]> {
  const { patients, signal, onProgress } = options;
  const rowsOf: LabelRow[][] = Array.from({ length: patients }, () => []);
  const count = Math.max(1, Math.min(options.workers ?? 2, Math.ceil(patients / BATCH)));
  const workers: Worker[] = [];
  let next = 0;
  let patientsDone = 0;
  let imagesDone = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const give = (worker: Worker): void => {
        if (next >= patients) return;
        const last = Math.min(patients, next + BATCH);
        const request: WorkerRequest = { indices: [] };
        while (next < last) request.indices.push(next++);
        worker.postMessage(request);
      };
      for (let index = 0; index < count; index++) {
        const worker = startWorker(production);
        workers.push(worker);
        worker.on("error", reject);
        worker.on("exit", (code) => {
          if (code !== 0) reject(new Error(`A phantom worker ended with code ${code}.`));
        });
        worker.on("message", (message: WorkerReply) => {
          if (message.kind === "failed") {
            reject(writeFailure(options.folder, message));
            return;
          }
          if (message.kind === "done") {
            for (const { index: patient, rows } of message.patients) {
              rowsOf[patient] = rows;
              patientsDone++;
              imagesDone += rows.length;
            }
            const elapsedMilliseconds = performance.now() - started;
            onProgress?.({ patientsDone, patients, imagesDone, elapsedMilliseconds });
            if (patientsDone === patients) {
              signal?.removeEventListener("abort", abort);
              resolve();
              return;
            }
          }
          give(worker);
        });
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return rowsOf.flat();
}

/** The worker's module: from source under Node's type stripping, or beside the bundle's chunks. */
function workerEntry(): URL {
  const candidates = import.meta.url.endsWith(".ts")
    ? ["./worker.ts"]
    : ["./phantom-worker.js", "../phantom-worker.js"];
  const found = candidates
    .map((candidate) => new URL(candidate, import.meta.url))
    .find((url) => existsSync(url));
  if (!found) throw new Error("The phantom worker is missing from the build.");
  return found;
}

function startWorker(production: ProductionOptions): Worker {
  const worker = new Worker(workerEntry(), {
    workerData: production,
    stdout: true,
  });
  // the codecs print on standard output, which belongs to the command's result
  worker.stdout.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  return worker;
}

function writeFailure(
  folder: string,
  failure: { message: string; code: string | undefined },
): Error {
  if (failure.code === "ENOSPC") {
    return new UserError(
      "resource",
      `The disk of ${folder} is full. Free some space, or ask for fewer or smaller phantoms.`,
    );
  }
  if (failure.code !== undefined && ["EACCES", "EPERM", "EROFS"].includes(failure.code)) {
    return unwritable(folder, new Error(failure.message));
  }
  return new Error(`Phantoms could not be written: ${failure.message}`);
}

async function removeWritten(
  options: PhantomOptions,
  style: PhantomStyle,
  made: boolean,
): Promise<void> {
  const force = { recursive: true, force: true } as const;
  if (made) {
    await rm(options.folder, force);
    return;
  }
  for (let index = 0; index < options.patients; index++) {
    const { patientId } = samplePatient(options.seed, index, style);
    await rm(join(options.folder, patientId), force);
  }
  await rm(join(options.folder, "labels.csv"), force);
}

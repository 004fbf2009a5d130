import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../network/safetensors.ts";
import type { TrainingState } from "./step.ts";

/** Where a file of the run lies and what it must hash to. */
export interface CheckedFile {
  /** Name inside the run's folder. */
  readonly file: string;
  readonly sha256: string;
}

/**
 * Writes a file so that it is there whole or not at all, also after a power cut: to a temporary
 * name, synchronised, renamed, and the folder synchronised.
 *
 * @returns the SHA-256 of `bytes` in hexadecimal
 */
export function writeAtomically(file: string, bytes: Uint8Array): string {
  const temporary = `${file}.part`;
  const handle = openSync(temporary, "w", 0o600);
  try {
    for (let written = 0; written < bytes.length;) {
      written += writeSync(handle, bytes, written);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  synchroniseFolder(dirname(file));
  return createHash("sha256").update(bytes).digest("hex");
}

function synchroniseFolder(folder: string): void {
  // Windows has no handle for a folder; its renames are journaled.
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Saves all that training changes, as safetensors, under the step's name in the run's folder. */
export function saveCheckpoint(runFolder: string, state: TrainingState): CheckedFile {
  const file = `checkpoint-${state.step}.safetensors`;
  const tensor = (data: Float32Array): NamedTensor => ({ shape: [data.length], data });
  const bytes = writeSafetensors(
    new Map([
      ["weights", tensor(state.weights)],
      ["average", tensor(state.average)],
      ["firstMoment", tensor(state.optimiser.firstMoment)],
      ["secondMoment", tensor(state.optimiser.secondMoment)],
    ]),
    {
      step: String(state.step),
      optimiserSteps: String(state.optimiser.steps),
      momentumProduct: String(state.optimiser.momentumProduct),
    },
  );
  return { file, sha256: writeAtomically(join(runFolder, file), bytes) };
}

/**
 * Reads a checkpoint back.
 *
 * @throws UserError "input" where the file is missing, damaged or of another network.
 */
export function loadCheckpoint(
  runFolder: string,
  checkpoint: CheckedFile,
  parameterCount: number,
): TrainingState {
  const path = join(runFolder, checkpoint.file);
  const bytes = readChecked(path, checkpoint.sha256);
  const { tensors, metadata } = readSafetensors(bytes, path);
  const values = (name: string): Float32Array => {
    const data = tensors.get(name)?.data;
    if (data?.length !== parameterCount) {
      throw new UserError("input", `The checkpoint ${path} does not fit this run's network.`);
    }
    return data;
  };
  return {
    step: Number(metadata["step"]),
    weights: values("weights"),
    average: values("average"),
    optimiser: {
      firstMoment: values("firstMoment"),
      secondMoment: values("secondMoment"),
      momentumProduct: Number(metadata["momentumProduct"]),
      steps: Number(metadata["optimiserSteps"]),
    },
  };
}

function readChecked(path: string, sha256: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError("input", `The checkpoint ${path} cannot be read.`, { cause: error });
  }
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new UserError("input", `The checkpoint ${path} is damaged: its checksum differs.`);
  }
  return bytes;
}

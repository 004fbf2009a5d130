import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { readSafetensors, safetensorsParts, type NamedTensor } from "../network/safetensors.ts";
import type { WeightsMemory } from "./kernel/kernel.ts";
import type { TrainingState } from "./step.ts";

/** Where a file of the run lies and what it must hash to. */
export interface CheckedFile {
  /** Name inside the run's folder. */
  readonly file: string;
  readonly sha256: string;
}

/** A checkpoint before it is on the disk. */
export interface UnsavedCheckpoint {
  /** Name inside the run's folder. */
  readonly file: string;
  /** What it holds, one behind the other. */
  readonly parts: readonly Uint8Array[];
}

/**
 * All that training changes, as safetensors, under the step's name; of an audited run also what its
 * canaries have scored so far. The arrays of the memory are parts of it as they stand there: nothing
 * may change them before they are written.
 */
export function checkpointOf(
  { step, memory, optimiser }: TrainingState,
  canaryScores: Float64Array | null = null,
): UnsavedCheckpoint {
  const tensor = (data: Float32Array): NamedTensor => ({ shape: [data.length], data });
  const parts = safetensorsParts(
    new Map([
      ["weights", tensor(memory.weights)],
      ["average", tensor(memory.average)],
      ["firstMoment", tensor(memory.firstMoment)],
      ["secondMoment", tensor(memory.secondMoment)],
      ...(canaryScores === null
        ? []
        : ([["canaryScores", tensor(Float32Array.from(canaryScores))]] as const)),
    ]),
    {
      step: String(step),
      optimiserSteps: String(optimiser.steps),
      momentumProduct: String(optimiser.momentumProduct),
    },
  );
  return { file: `checkpoint-${step}.safetensors`, parts };
}

/**
 * Reads the newest checkpoint that is whole into the memory: of two generations one survives
 * whatever happened to the other.
 *
 * @param onDamaged told of each that could not be read
 * @throws UserError "resource" where there are some and none can be read.
 */
export function loadNewestCheckpoint(
  runFolder: string,
  checkpoints: readonly CheckedFile[],
  memory: WeightsMemory,
  onDamaged: (reason: string) => void,
): { readonly checkpoint: CheckedFile; readonly state: TrainingState } | null {
  for (const checkpoint of checkpoints) {
    try {
      return { checkpoint, state: loadCheckpoint(runFolder, checkpoint, memory) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      onDamaged(error.message);
    }
  }
  if (checkpoints.length === 0) return null;
  throw new UserError(
    "resource",
    `None of the checkpoints in ${runFolder} can be read, so there is nothing to go on from. ` +
      "Restore the data folder from a backup, or train again.",
  );
}

/**
 * Reads a checkpoint back into the memory, which stays as it is where that fails.
 *
 * @throws UserError "input" where the file is missing, damaged or of another network.
 */
export function loadCheckpoint(
  runFolder: string,
  checkpoint: CheckedFile,
  memory: WeightsMemory,
): TrainingState {
  const path = join(runFolder, checkpoint.file);
  const bytes = readChecked(path, checkpoint.sha256);
  const { tensors, metadata } = readSafetensors(bytes, path);
  const values = (name: string): Float32Array => {
    const data = tensors.get(name)?.data;
    if (data?.length !== memory.parameterCount) {
      throw new UserError("input", `The checkpoint ${path} does not fit this run's network.`);
    }
    return data;
  };
  const places = ["weights", "average", "firstMoment", "secondMoment"] as const;
  const read = places.map((name) => [memory[name], values(name)] as const);
  for (const [place, data] of read) place.set(data);
  return {
    step: Number(metadata["step"]),
    memory,
    optimiser: {
      momentumProduct: Number(metadata["momentumProduct"]),
      steps: Number(metadata["optimiserSteps"]),
    },
  };
}

/** What the canaries had scored by a checkpoint; null where it keeps none. */
export function loadCanaryScores(runFolder: string, checkpoint: CheckedFile): Float64Array | null {
  const path = join(runFolder, checkpoint.file);
  const { tensors } = readSafetensors(readChecked(path, checkpoint.sha256), path);
  const scores = tensors.get("canaryScores")?.data;
  return scores === undefined ? null : Float64Array.from(scores);
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

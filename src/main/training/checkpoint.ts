import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../network/safetensors.ts";
import { writeAtomically } from "../store/whole-file.ts";
import type { TrainingState } from "./step.ts";

/** Where a file of the run lies and what it must hash to. */
export interface CheckedFile {
  /** Name inside the run's folder. */
  readonly file: string;
  readonly sha256: string;
}

/**
 * Saves all that training changes, as safetensors, under the step's name in the run's folder; of
 * an audited run also what its canaries have scored so far.
 */
export function saveCheckpoint(
  runFolder: string,
  state: TrainingState,
  canaryScores: Float64Array | null = null,
): CheckedFile {
  const file = `checkpoint-${state.step}.safetensors`;
  const tensor = (data: Float32Array): NamedTensor => ({ shape: [data.length], data });
  const bytes = writeSafetensors(
    new Map([
      ["weights", tensor(state.weights)],
      ["average", tensor(state.average)],
      ["firstMoment", tensor(state.optimiser.firstMoment)],
      ["secondMoment", tensor(state.optimiser.secondMoment)],
      ...(canaryScores === null
        ? []
        : ([["canaryScores", tensor(Float32Array.from(canaryScores))]] as const)),
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
 * Reads the newest checkpoint that is whole: of two generations one survives whatever happened to
 * the other.
 *
 * @param onDamaged told of each that could not be read
 * @throws UserError "resource" where there are some and none can be read.
 */
export function loadNewestCheckpoint(
  runFolder: string,
  checkpoints: readonly CheckedFile[],
  parameterCount: number,
  onDamaged: (reason: string) => void,
): { readonly checkpoint: CheckedFile; readonly state: TrainingState } | null {
  for (const checkpoint of checkpoints) {
    try {
      return { checkpoint, state: loadCheckpoint(runFolder, checkpoint, parameterCount) };
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

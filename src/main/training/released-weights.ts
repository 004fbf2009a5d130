import { keysOf } from "../../shared/findings.ts";
import { schemeOf } from "../../shared/plan.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { networkOf } from "../network/networks.ts";
import { readSafetensors } from "../network/safetensors.ts";
import { loadWeights } from "../network/weights.ts";
import type { NetworkDescription } from "../network/description.ts";
import type { RunRecord } from "../store/runs.ts";

/** What a run has released. */
export interface ReleasedWeights {
  readonly network: NetworkDescription;
  /** Flat, in the order of the network's parameters. */
  readonly weights: Float32Array;
}

/**
 * Reads the weights of a run that is over, checked against the checksum in its row.
 *
 * @throws UserError "conflict" where the run has none or is under way, "resource" where the file
 *   is missing or damaged.
 */
export function readReleasedWeights(dataFolder: string, run: RunRecord): ReleasedWeights {
  if (run.state === "queued" || run.state === "running") {
    throw new UserError(
      "conflict",
      `Run ${run.id} is ${run.state === "queued" ? "waiting" : "under way"}. Wait until it is over, or stop it.`,
    );
  }
  if (run.weightsFile === null) {
    throw new UserError(
      "conflict",
      `Run ${run.id} is ${run.state} and has no weights. Resume it, or train again.`,
    );
  }
  const file = join(dataFolder, run.weightsFile);
  const bytes = readWeightsFile(file);
  if (createHash("sha256").update(bytes).digest("hex") !== run.weightsSha256) {
    throw new UserError(
      "resource",
      `The weights of run ${run.id} in ${file} are damaged: their checksum differs. Restore the ` +
        "data folder from a backup, or train again.",
    );
  }
  const network = networkOf(run.plan.recipe, keysOf(schemeOf(run.plan)).length);
  const { weights, report } = loadWeights(network, readSafetensors(bytes, file).tensors);
  if (report.missing.length + report.mismatched.length > 0) {
    throw new UserError(
      "resource",
      `The weights in ${file} do not fit the network ${network.name}.`,
    );
  }
  return { network, weights };
}

function readWeightsFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(
      "resource",
      `The weights file ${file} cannot be read. Restore the data folder from a backup.`,
      { cause: error },
    );
  }
}

import { readFileSync } from "node:fs";
import { UserError } from "../../shared/errors.ts";
import type { NetworkDescription } from "../network/description.ts";
import { initialise } from "../network/initialise.ts";
import { readSafetensors } from "../network/safetensors.ts";
import { loadWeights } from "../network/weights.ts";
import { reproducibleRandomStreams } from "../privacy/random.ts";

/**
 * The weights that a run starts from. They are public: fresh ones come from a seed that is
 * recorded, so that a private run and its reference run start alike. A file's weights take the
 * place of the fresh ones under the same names.
 *
 * @throws UserError "input" where the file cannot be read or fits nothing of the network.
 */
export function initialWeights(
  network: NetworkDescription,
  file: string | null,
  seed: string,
): Float32Array {
  const { views } = reproducibleRandomStreams(seed);
  const fresh = initialise(network, () => views.uniform());
  if (file === null) return fresh;
  const { weights, report } = loadWeights(
    network,
    readSafetensors(readFile(file), file).tensors,
    fresh,
  );
  if (report.matched.length === 0) {
    throw new UserError(
      "input",
      `None of the weights in ${file} fits the network ${network.name}. ` +
        "Choose weights of the same network.",
    );
  }
  return weights;
}

function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError("input", `The weights file ${file} cannot be read.`, { cause: error });
  }
}

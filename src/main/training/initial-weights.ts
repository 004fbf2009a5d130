import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { StartingWeights } from "../../shared/starting-weights.ts";
import type { NetworkDescription } from "../network/description.ts";
import { initialise } from "../network/initialise.ts";
import { readSafetensors, type SafetensorsFile } from "../network/safetensors.ts";
import { loadWeights, type WeightsReport } from "../network/weights.ts";
import { reproducibleRandomStreams } from "../privacy/random.ts";

/**
 * The weights that a run starts from. They are public: fresh ones come from a seed that is
 * recorded, so that a private run and its reference run start alike. A file's weights take the
 * place of the fresh ones under the same names.
 *
 * @param labels the keys of the run's labels, in the order of the network's outputs
 * @throws UserError "input" where the file cannot be read or fits nothing of the network.
 */
export function initialWeights(
  network: NetworkDescription,
  file: string | null,
  seed: string,
  labels: readonly string[],
): Float32Array {
  const { views } = reproducibleRandomStreams(seed);
  const fresh = initialise(network, () => views.uniform());
  if (file === null) return fresh;
  const { tensors } = withoutForeignHead(network, readWeights(file).content, labels);
  const { weights, report } = loadWeights(network, tensors, fresh);
  requireMatch(network, file, report);
  return weights;
}

/**
 * What of a weights file a network would take, for a person to see before a run starts and for the
 * run's row.
 *
 * @param labels the keys of the run's labels, in the order of the network's outputs
 * @throws UserError "input" as `initialWeights`.
 */
export function matchWeights(
  network: NetworkDescription,
  file: string,
  labels: readonly string[],
): StartingWeights {
  const { content, sha256 } = readWeights(file);
  const { tensors, foreignHead } = withoutForeignHead(network, content, labels);
  const { report } = loadWeights(network, tensors);
  requireMatch(network, file, report);
  const matched = new Set(report.matched);
  const taken = network.parameters.filter(({ name }) => matched.has(name));
  return {
    file: basename(file),
    sha256,
    values: taken.reduce((sum, { size }) => sum + size, 0),
    parameterCount: network.parameterCount,
    matched: report.matched.length,
    folded: report.folded,
    missing: report.missing.filter((name) => !foreignHead.includes(name)),
    ...(foreignHead.length === 0 ? {} : { foreignHead }),
    unused: report.unused,
    mismatched: report.mismatched,
    privacy: content.metadata["privacy"] ?? null,
  };
}

/**
 * The file's tensors without its head, where the file names other labels than the run's: a head of
 * the same size would otherwise be taken for labels that it was not trained on.
 */
function withoutForeignHead(
  network: NetworkDescription,
  { tensors, metadata }: SafetensorsFile,
  labels: readonly string[],
): { readonly tensors: SafetensorsFile["tensors"]; readonly foreignHead: readonly string[] } {
  const stated = metadata["labels"];
  if (stated === undefined || stated === JSON.stringify(labels)) {
    return { tensors, foreignHead: [] };
  }
  const layer = network.parameters.at(-1)?.name.replace(/\.[^.]+$/, "") ?? "";
  const head = network.parameters
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${layer}.`));
  const isHead = (name: string): boolean =>
    head.some((own) => name === own || name.endsWith(`.${own}`));
  return {
    tensors: new Map([...tensors].filter(([name]) => !isHead(name))),
    foreignHead: head,
  };
}

function requireMatch(network: NetworkDescription, file: string, report: WeightsReport): void {
  if (report.matched.length > 0) return;
  throw new UserError(
    "input",
    `None of the weights in ${file} fits the network ${network.name}. ` +
      "Choose weights of the same network.",
  );
}

function readWeights(file: string): { readonly content: SafetensorsFile; readonly sha256: string } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError("input", `The weights file ${file} cannot be read.`, { cause: error });
  }
  refuseTorchFile(bytes, file);
  return {
    content: readSafetensors(bytes, file),
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/** PyTorch's files are pickles, bare or in a zip: reading one can run whatever is in it. */
function refuseTorchFile(bytes: Uint8Array, file: string): void {
  const zip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04;
  // Protocol 2 to 5 of pickle; as a safetensors header's length it would be odd and huge.
  const pickle = bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5;
  if (!zip && !(pickle && /\.(pth?|bin|ckpt)$/i.test(file))) return;
  throw new UserError(
    "input",
    `${file} is a PyTorch file, which is not read here because it can contain programs. Convert ` +
      'it where you trust it: python -c "import torch, safetensors.torch as s; ' +
      "s.save_file(torch.load('weights.pth', weights_only=True), 'weights.safetensors')\"",
  );
}

import type { NetworkDescription, Parameter } from "./description.ts";
import type { NamedTensor } from "./safetensors.ts";

/** What became of each tensor of a weights file. */
export interface WeightsReport {
  /** Parameters taken from the file. */
  readonly matched: readonly string[];
  /** Parameters whose three colour channels were summed into one grey channel. */
  readonly folded: readonly string[];
  /** Parameters of the network that the file does not hold. */
  readonly missing: readonly string[];
  /** Tensors of the file that the network has no place for. */
  readonly unused: readonly string[];
  /** Same name, other shape: not taken. */
  readonly mismatched: readonly {
    readonly name: string;
    readonly expected: readonly number[];
    readonly found: readonly number[];
  }[];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** True where `found` is [O, 3, k, k] for an expected [O, 1, k, k]. */
function isColourVersion(expected: readonly number[], found: readonly number[]): boolean {
  return (
    expected.length === 4 &&
    found.length === 4 &&
    expected[1] === 1 &&
    found[1] === 3 &&
    expected[0] === found[0] &&
    expected[2] === found[2] &&
    expected[3] === found[3]
  );
}

/**
 * Sums the three input channels: a grey image repeated on three channels gives the same output
 * as the grey image under the summed weights.
 */
function foldToGrey(parameter: Parameter, data: Float32Array, target: Float32Array): void {
  const [outputs = 0, , height = 0, width = 0] = parameter.shape;
  const area = height * width;
  for (let output = 0; output < outputs; output += 1) {
    for (let i = 0; i < area; i += 1) {
      const at = output * 3 * area + i;
      target[output * area + i] =
        (data[at] ?? NaN) + (data[at + area] ?? NaN) + (data[at + 2 * area] ?? NaN);
    }
  }
}

/**
 * Puts tensors under their names into the flat vector. A prefix such as `module.` or `model.`
 * that all tensors share is dropped. Parameters that the file lacks, or holds in another shape,
 * keep their value in `start` (zeros where there is none); the report names them.
 *
 * Returns weights [parameterCount] and the report; never throws for a poor match, since it is
 * for the caller to say how much must match.
 */
export function loadWeights(
  network: NetworkDescription,
  tensors: ReadonlyMap<string, NamedTensor>,
  start?: Float32Array,
): { weights: Float32Array; report: WeightsReport } {
  if (start !== undefined && start.length !== network.parameterCount)
    throw new Error(`${start.length} starting weights for ${network.parameterCount} parameters`);
  const weights = start === undefined ? new Float32Array(network.parameterCount) : start.slice();
  const unused = new Map(withoutSharedPrefix(tensors));
  const matched: string[] = [];
  const folded: string[] = [];
  const missing: string[] = [];
  const mismatched: { name: string; expected: readonly number[]; found: readonly number[] }[] = [];
  for (const parameter of network.parameters) {
    const tensor = unused.get(parameter.name);
    if (tensor === undefined) {
      missing.push(parameter.name);
      continue;
    }
    unused.delete(parameter.name);
    const target = weights.subarray(parameter.offset, parameter.offset + parameter.size);
    if (sameShape(parameter.shape, tensor.shape)) {
      target.set(tensor.data);
      matched.push(parameter.name);
    } else if (isColourVersion(parameter.shape, tensor.shape)) {
      foldToGrey(parameter, tensor.data, target);
      matched.push(parameter.name);
      folded.push(parameter.name);
    } else {
      mismatched.push({ name: parameter.name, expected: parameter.shape, found: tensor.shape });
    }
  }
  return { weights, report: { matched, folded, missing, unused: [...unused.keys()], mismatched } };
}

function withoutSharedPrefix(
  tensors: ReadonlyMap<string, NamedTensor>,
): ReadonlyMap<string, NamedTensor> {
  const names = [...tensors.keys()];
  for (const prefix of ["module.", "model.", "backbone.", "_module."]) {
    if (names.length > 0 && names.every((name) => name.startsWith(prefix)))
      return new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
  return tensors;
}

/** The flat vector as named tensors, for writing to a file; views, not copies. */
export function namedTensors(
  network: NetworkDescription,
  flat: Float32Array,
): Map<string, NamedTensor> {
  if (flat.length !== network.parameterCount)
    throw new Error(`${flat.length} values for ${network.parameterCount} parameters`);
  return new Map(
    network.parameters.map(({ name, shape, offset, size }) => [
      name,
      { shape, data: flat.subarray(offset, offset + size) },
    ]),
  );
}

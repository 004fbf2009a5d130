import { UserError } from "../../shared/errors.ts";

/** A tensor by name; values as float32 whatever the file's type was. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** The free text pairs of the header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The header's own limit in the reference implementation: 100 MB. */
const headerLimitBytes = 100_000_000;

const bytesOf: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decode(view: DataView, entry: Entry): Float32Array {
  const size = bytesOf[entry.dtype] ?? 1;
  const count = (entry.end - entry.begin) / size;
  const data = new Float32Array(count);
  const at = (i: number): number => entry.begin + i * size;
  const bits = new Uint32Array(1);
  const asFloat = new Float32Array(bits.buffer);
  const read: Readonly<Record<string, (i: number) => number>> = {
    F64: (i) => view.getFloat64(at(i), true),
    F32: (i) => view.getFloat32(at(i), true),
    F16: (i) => float16(view.getUint16(at(i), true)),
    BF16: (i) => {
      bits[0] = view.getUint16(at(i), true) << 16;
      return asFloat[0] ?? NaN;
    },
    I64: (i) => Number(view.getBigInt64(at(i), true)),
    I32: (i) => view.getInt32(at(i), true),
    I16: (i) => view.getInt16(at(i), true),
    I8: (i) => view.getInt8(at(i)),
    U8: (i) => view.getUint8(at(i)),
    BOOL: (i) => view.getUint8(at(i)),
  };
  const value = read[entry.dtype];
  if (value === undefined) throw new Error(`unknown type ${entry.dtype}`);
  for (let i = 0; i < count; i += 1) data[i] = value(i);
  return data;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWholeNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function entryOf(name: string, value: unknown, dataBytes: number): Entry {
  if (!isRecord(value)) throw new Error(`tensor ${name} has no description`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || bytesOf[dtype] === undefined)
    throw new Error(`tensor ${name} has the unknown type ${String(dtype)}`);
  if (!isWholeNumbers(shape)) throw new Error(`tensor ${name} has no valid shape`);
  if (!isWholeNumbers(offsets) || offsets.length !== 2)
    throw new Error(`tensor ${name} has no valid position`);
  const [begin = 0, end = 0] = offsets;
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (end < begin || end > dataBytes || end - begin !== count * (bytesOf[dtype] ?? 1))
    throw new Error(`tensor ${name} does not fit its place in the file (truncated?)`);
  return { dtype, shape, begin, end };
}

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors, "Format"). Integers and
 * half floats are widened to float32.
 *
 * `source` names the file in the message. Throws UserError ("input") where the bytes are not a
 * whole safetensors file.
 */
export function readSafetensors(bytes: Uint8Array, source = "the weights file"): SafetensorsFile {
  const refuse = (reason: string): UserError =>
    new UserError("input", `${source} is not a usable safetensors file: ${reason}.`);
  if (bytes.byteLength < 8) throw refuse("it is shorter than a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > headerLimitBytes || 8 + headerBytes > bytes.byteLength)
    throw refuse("its header is longer than the file");

  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  } catch (error) {
    throw new UserError("input", refuse("its header is not JSON").message, { cause: error });
  }
  if (!isRecord(header)) throw refuse("its header is not an object");

  const dataStart = 8 + headerBytes;
  const dataBytes = bytes.byteLength - dataStart;
  const dataView = new DataView(bytes.buffer, bytes.byteOffset + dataStart, dataBytes);
  const tensors = new Map<string, NamedTensor>();
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(value)) throw refuse("its metadata is not an object");
      for (const [key, text] of Object.entries(value)) metadata[key] = String(text);
      continue;
    }
    let entry: Entry;
    try {
      entry = entryOf(name, value, dataBytes);
    } catch (error) {
      throw refuse(error instanceof Error ? error.message : String(error));
    }
    tensors.set(name, { shape: entry.shape, data: decode(dataView, entry) });
  }
  return { tensors, metadata };
}

/**
 * Float32 tensors as a safetensors file in parts, to be written one behind the other: a header, names
 * sorted as given, data aligned to 8 bytes, and then the tensors' own bytes, not copied.
 * Throws an Error where a shape does not fit its data: a programming error.
 */
export function safetensorsParts(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header["__metadata__"] = metadata;
  let position = 0;
  for (const [name, { shape, data }] of tensors) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (count !== data.length)
      throw new Error(`${name}: ${data.length} values for shape [${shape.join(", ")}]`);
    const end = position + data.byteLength;
    header[name] = { dtype: "F32", shape, data_offsets: [position, end] };
    position = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.byteLength / 8) * 8;
  const head = new Uint8Array(8 + headerBytes).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(text, 8);
  // The format is little endian, and so is every machine that Node runs on.
  const bytesOfTensor = ({ data }: NamedTensor): Uint8Array =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [head, ...Array.from(tensors.values(), bytesOfTensor)];
}

/** The same as one array. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

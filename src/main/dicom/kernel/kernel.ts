import { kernelModule } from "./kernel.wasm.ts";

/** Values that count as no image; in unsigned order (see `signFlip`). */
export interface Padding {
  readonly low: number;
  readonly high: number;
}

/** What a pixel counts as in a sum; all values in unsigned order. */
export interface Clamp {
  readonly low: number;
  readonly high: number;
  readonly padding: Padding | null;
  /** What padding counts as. */
  readonly black: number;
}

/** Pixels inside a kernel's memory. */
export interface Resident {
  readonly kernel: PixelKernel;
  /** Byte offset of the first value. */
  readonly at: number;
  readonly count: number;
  /** 0x8000 for signed values, 0 for unsigned ones: value xor flip is in unsigned order. */
  readonly flip: number;
}

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  foreignBits(from: number, count: number, unused: number): number;
  range(from: number, count: number, flip: number, low: number, high: number): number;
  addRows(
    from: number,
    columns: number,
    rows: number,
    weight: number,
    flip: number,
    low: number,
    high: number,
    paddingLow: number,
    paddingHigh: number,
    black: number,
    sums: number,
  ): void;
  averageRow(
    sums: number,
    cells: number,
    count: number,
    full: number,
    start: number,
    scale: number,
    total: number,
    out: number,
  ): void;
  lookUp(from: number, count: number, flip: number, table: number): void;
}

const tableAt = 64;
const tableBytes = 65536 * 2;
const sumsAt = tableAt + tableBytes;
/** DICOM's rows and columns are 16-bit numbers. */
const mostColumns = 65535;
const cellsAt = sumsAt + Math.ceil((mostColumns * 4) / 64) * 64;
/** The widest row of averages. */
export const mostCells = 4096;
const averagesAt = cellsAt + mostCells * 16;
const pixelsAt = averagesAt + mostCells * 2;
const pageBytes = 65536;
/** A low end above the high end matches nothing. */
const noPadding: Padding = { low: 1, high: 0 };

const kernels = new WeakMap<ArrayBufferLike, PixelKernel>();
let compiled: WebAssembly.Module | null = null;

/**
 * The loops over every pixel of a film, in WebAssembly with 128-bit vectors (kernel.wat). Each
 * kernel owns one memory: a small table and sums at its beginning, then pixels. Growing it makes
 * every earlier view of it invalid.
 */
export class PixelKernel {
  readonly #exports: KernelExports;

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelModule, "base64"));
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as KernelExports;
  }

  /** Memory for at least `bytes` bytes of pixels, with whatever it held before. */
  pixelBytes(bytes: number): Buffer {
    const { memory } = this.#exports;
    const missing = pixelsAt + bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    kernels.set(memory.buffer, this);
    return Buffer.from(memory.buffer, pixelsAt);
  }

  /** Bits set in any value; for signed values those that differ from the sign in the upper ones. */
  foreignBits({ at, count }: Resident, unusedBits: number, signed: boolean): number {
    return this.#exports.foreignBits(at, count, signed ? unusedBits : 0);
  }

  /** Smallest and largest value outside the padding, in unsigned order; null where there is none. */
  range({ at, count, flip }: Resident, padding: Padding | null) {
    const { low, high } = padding ?? noPadding;
    const both = this.#exports.range(at, count, flip, low, high);
    const range = { low: both & 0xffff, high: both >>> 16 };
    return range.low > range.high ? null : range;
  }

  /** Sums of columns for `addRows`. Valid until the memory grows. */
  sums(columns: number): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, sumsAt, columns);
  }

  /**
   * The place for one row of averages, made from the sums by `averageRow` as `cells` says: for each
   * cell its first and last column and their weights. Valid until the memory grows.
   *
   * @throws RangeError above `mostCells`.
   */
  averages(cells: Int32Array): Uint16Array {
    const count = cells.length / 4;
    if (count > mostCells) throw new RangeError(`Rows of ${count} cells are too wide.`);
    const { buffer } = this.#exports.memory;
    new Int32Array(buffer, cellsAt, cells.length).set(cells);
    return new Uint16Array(buffer, averagesAt, count);
  }

  /** Fills `averages` with start + weighted sum * scale / total, rounded, between 0 and 65535. */
  averageRow(
    averages: Uint16Array,
    fullWeight: number,
    line: { readonly start: number; readonly scale: number; readonly total: number },
  ): void {
    const { start, scale, total } = line;
    this.#exports.averageRow(
      sumsAt,
      cellsAt,
      averages.length,
      fullWeight,
      start,
      scale,
      total,
      averages.byteOffset,
    );
  }

  /**
   * Adds weight times the clamped pixels of `rows` rows to the sums of their columns. The caller
   * sees to it that no sum exceeds 32 bits.
   */
  addRows(
    { at, flip }: Resident,
    rows: { readonly first: number; readonly count: number; readonly columns: number },
    weight: number,
    { low, high, padding, black }: Clamp,
  ): void {
    const { first, count, columns } = rows;
    const from = at + first * columns * 2;
    const { low: paddingLow, high: paddingHigh } = padding ?? noPadding;
    this.#exports.addRows(
      from,
      columns,
      count,
      weight,
      flip,
      low,
      high,
      paddingLow,
      paddingHigh,
      black,
      sumsAt,
    );
  }

  /** Replaces every value by its entry in `table` (65536 entries, in unsigned order). */
  lookUp({ at, count, flip }: Resident, table: Uint16Array): void {
    new Uint16Array(this.#exports.memory.buffer, tableAt, 65536).set(table);
    this.#exports.lookUp(at, count, flip, tableAt);
  }
}

/** Bits by which 16-bit values are brought into unsigned order. */
export function signFlip(signed: boolean): number {
  return signed ? 0x8000 : 0;
}

let scratch: PixelKernel | null = null;

/**
 * 16-bit values where a kernel can reach them: where they lie, if that is inside a kernel's memory,
 * else as a copy that is valid until the next one is made.
 */
export function resident(values: Uint16Array | Int16Array): Resident {
  const kernel = kernels.get(values.buffer);
  const flip = signFlip(values instanceof Int16Array);
  if (kernel === undefined) return residentCopy(values);
  return { kernel, at: values.byteOffset, count: values.length, flip };
}

/** A copy that may be changed, valid until the next one is made. 8-bit values are widened. */
export function residentCopy(values: Uint8Array | Int8Array | Uint16Array | Int16Array): Resident {
  scratch ??= new PixelKernel();
  const memory = scratch.pixelBytes(values.length * 2);
  const signed = values instanceof Int16Array || values instanceof Int8Array;
  const { buffer, byteOffset } = memory;
  const target = signed
    ? new Int16Array(buffer, byteOffset, values.length)
    : new Uint16Array(buffer, byteOffset, values.length);
  target.set(values);
  return { kernel: scratch, at: byteOffset, count: values.length, flip: signFlip(signed) };
}

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

/** How the samples of an axis lie under the cells of a grid. */
export interface Cells {
  /** For each cell its first and last sample, and how much of each lies under it. */
  readonly cells: Int32Array;
  /** Weight of a sample that lies under the cell wholly. */
  readonly fullWeight: number;
  /** Sum of the weights of a cell. */
  readonly total: number;
}

/** What one pass over 16-bit values tells. */
export interface Survey {
  /** Bits set in any value; for signed values those that differ from the sign in the unused ones. */
  readonly foreignBits: number;
  /** Smallest and largest value, in unsigned order. */
  readonly range: { readonly low: number; readonly high: number };
  /** As by `digest`. */
  readonly digest: Uint8Array;
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
  averageArea(
    from: number,
    columns: number,
    flip: number,
    low: number,
    high: number,
    paddingLow: number,
    paddingHigh: number,
    black: number,
    down: number,
    height: number,
    downFull: number,
    across: number,
    width: number,
    acrossFull: number,
    start: number,
    scale: number,
    total: number,
    sums: number,
    row: number,
    out: number,
  ): void;
  eightBits(shades: number, count: number, skip: number, histogram: number): void;
  survey(
    from: number,
    count: number,
    flip: number,
    unused: number,
    room: number,
    out: number,
  ): void;
  digest(from: number, bytes: number, room: number, out: number): void;
  evenRange(row: number, columns: number, flip: number): number;
  steepColumns(row: number, columns: number, flip: number, rise: number, out: number): number;
  lookUp(from: number, count: number, flip: number, table: number): void;
}

const tableAt = 64;
const tableBytes = 65536 * 2;
const sumsAt = tableAt + tableBytes;
/** DICOM's rows and columns are 16-bit numbers. */
const mostColumns = 65535;
const downAt = sumsAt + Math.ceil((mostColumns * 4) / 64) * 64;
/** The longest side of a grid of averages. */
export const mostCells = 4096;
const acrossAt = downAt + mostCells * 16;
const rowAt = acrossAt + mostCells * 16;
const histogramAt = rowAt + mostCells * 8;
const shadesAt = histogramAt + 65536 * 4;
/** Memory that nothing was written to yet costs nothing, so there is room for the largest grid. */
const pixelsAt = shadesAt + mostCells * mostCells * 2 + 64;
const pageBytes = 65536;
const digestBytes = 128;
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

  /** A view of pixels in this memory. Valid until it grows. */
  values({ at, count, flip }: Resident): Uint16Array | Int16Array {
    const { buffer } = this.#exports.memory;
    return flip === 0 ? new Uint16Array(buffer, at, count) : new Int16Array(buffer, at, count);
  }

  /** What is to be known of a film's values, of which `unusedBits` are not stored, in one pass. */
  survey({ at, count, flip }: Resident, unusedBits: number): Survey {
    this.#exports.survey(at, count, flip, flip === 0 ? 0 : unusedBits, rowAt, sumsAt);
    const { buffer } = this.#exports.memory;
    const [foreignBits = 0, both = 0] = new Uint32Array(buffer, sumsAt + digestBytes, 2);
    return {
      foreignBits,
      range: { low: both & 0xffff, high: both >>> 16 },
      digest: new Uint8Array(buffer, sumsAt, digestBytes).slice(),
    };
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
   * Averages an image of `columns` columns by area into a grid, each average as start + sum *
   * scale / (the weights' total), rounded, between 0 and 65535.
   *
   * @returns the averages row by row, where they stay until the next call or growth.
   * @throws RangeError above `mostCells`.
   */
  averageArea(
    { at, flip }: Resident,
    columns: number,
    { low, high, padding, black }: Clamp,
    axes: { readonly down: Cells; readonly across: Cells },
    line: { readonly start: number; readonly scale: number },
  ): Uint16Array {
    const { down, across } = axes;
    const height = down.cells.length / 4;
    const width = across.cells.length / 4;
    if (Math.max(height, width) > mostCells) {
      throw new RangeError(`A grid of ${width} x ${height} cells is too large.`);
    }
    const { buffer } = this.#exports.memory;
    new Int32Array(buffer, downAt, down.cells.length).set(down.cells);
    new Int32Array(buffer, acrossAt, across.cells.length).set(across.cells);
    const { low: paddingLow, high: paddingHigh } = padding ?? noPadding;
    this.#exports.averageArea(
      at,
      columns,
      flip,
      low,
      high,
      paddingLow,
      paddingHigh,
      black,
      downAt,
      height,
      down.fullWeight,
      acrossAt,
      width,
      across.fullWeight,
      line.start,
      line.scale,
      across.total * down.total,
      sumsAt,
      rowAt,
      shadesAt,
    );
    return new Uint16Array(buffer, shadesAt, width * height);
  }

  /**
   * Stretches the averages that were made last over 8 bits, without the `skip` darkest and brightest
   * of them; one shade everywhere becomes its upper 8 bits. Valid until the next call or growth.
   */
  eightBits(averages: Uint16Array, skip: number): Uint8Array {
    this.#exports.eightBits(averages.byteOffset, averages.length, skip, histogramAt);
    return new Uint8Array(averages.buffer, averages.byteOffset, averages.length);
  }

  /**
   * 1024 bits that tell the bytes of all values from others, but not against somebody who means them
   * to be equal. Valid until the next call.
   */
  digest({ at, bytes }: { readonly at: number; readonly bytes: number }): Uint8Array {
    this.#exports.digest(at, bytes, rowAt, sumsAt);
    return new Uint8Array(this.#exports.memory.buffer, sumsAt, digestBytes);
  }

  /** Smallest and largest of every second value of a row, in unsigned order. */
  evenRange({ at, flip }: Resident, row: number, columns: number): Padding {
    const both = this.#exports.evenRange(at + row * columns * 2, columns, flip);
    return { low: both & 0xffff, high: both >>> 16 };
  }

  /**
   * The columns of a row, ascending from the third, whose value differs by `rise` (1 to 65535) or more
   * from the one before or the one two columns before. Valid until the next call.
   */
  steepColumns({ at, flip }: Resident, row: number, columns: number, rise: number): Uint16Array {
    const from = at + row * columns * 2;
    const found = this.#exports.steepColumns(from, columns, flip, rise, sumsAt);
    return new Uint16Array(this.#exports.memory.buffer, sumsAt, found);
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

/** Any bytes where a kernel can reach them: where they lie, or as a copy until the next one is made. */
export function residentBytes({ buffer, byteOffset, byteLength }: Uint8Array) {
  const present = kernels.get(buffer);
  if (present !== undefined) return { kernel: present, at: byteOffset, bytes: byteLength };
  scratch ??= new PixelKernel();
  const memory = scratch.pixelBytes(byteLength);
  memory.set(new Uint8Array(buffer, byteOffset, byteLength));
  return { kernel: scratch, at: memory.byteOffset, bytes: byteLength };
}

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

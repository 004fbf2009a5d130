/**
 * Averages an image into a smaller or larger grid by area, exactly: along each axis the source of
 * n samples and the target of m cells are laid on a common grid of n x m, so that every overlap is
 * a whole number and the sum of a cell is a whole number below 2^53.
 */
interface Axis {
  /** First and last source sample under each cell, and how much of each lies under it. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly firstWeight: Int32Array;
  readonly lastWeight: Int32Array;
  /** Weight of a sample that lies under the cell wholly. */
  readonly fullWeight: number;
}

function axis(samples: number, cells: number): Axis {
  const first = new Int32Array(cells);
  const last = new Int32Array(cells);
  const firstWeight = new Int32Array(cells);
  const lastWeight = new Int32Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    const from = cell * samples;
    const to = from + samples;
    const begin = Math.floor(from / cells);
    const end = Math.ceil(to / cells) - 1;
    first[cell] = begin;
    last[cell] = end;
    firstWeight[cell] = Math.min((begin + 1) * cells, to) - from;
    lastWeight[cell] = end > begin ? to - end * cells : 0;
  }
  return { first, last, firstWeight, lastWeight, fullWeight: cells };
}

/**
 * @param indices the image, row by row; each value is an index into `table`.
 * @param table what is averaged: whole numbers of at most 16 bits.
 * @returns width x height averages, rounded half up.
 */
export function areaAverage(
  indices: Uint8Array | Uint16Array,
  columns: number,
  rows: number,
  table: Uint16Array,
  width: number,
  height: number,
): Uint16Array {
  const across = axis(columns, width);
  const down = axis(rows, height);
  const sums = new Float64Array(width * height);
  const line = new Float64Array(width);
  let cell = 0;
  for (let row = 0; row < rows; row++) {
    sumLine(indices, row * columns, table, across, line);
    // The cell under which the row ends may share it with the cells after it.
    while (cell < height) {
      const last = down.last[cell] ?? 0;
      const first = down.first[cell] ?? 0;
      const weight =
        row === first
          ? (down.firstWeight[cell] ?? 0)
          : row === last
            ? (down.lastWeight[cell] ?? 0)
            : down.fullWeight;
      const offset = cell * width;
      for (let i = 0; i < width; i++)
        sums[offset + i] = (sums[offset + i] ?? 0) + (line[i] ?? 0) * weight;
      if (last > row) break;
      cell++;
      if (cell < height && (down.first[cell] ?? 0) > row) break;
    }
  }
  const total = columns * rows;
  const averages = new Uint16Array(width * height);
  for (let i = 0; i < averages.length; i++) {
    averages[i] = Math.floor(((sums[i] ?? 0) * 2 + total) / (2 * total));
  }
  return averages;
}

function sumLine(
  indices: Uint8Array | Uint16Array,
  offset: number,
  table: Uint16Array,
  { first, last, firstWeight, lastWeight, fullWeight }: Axis,
  line: Float64Array,
): void {
  for (let i = 0; i < line.length; i++) {
    const begin = offset + (first[i] ?? 0);
    const end = offset + (last[i] ?? 0);
    let whole = 0;
    for (let j = begin + 1; j < end; j++) whole += table[indices[j] ?? 0] ?? 0;
    let sum = whole * fullWeight + (table[indices[begin] ?? 0] ?? 0) * (firstWeight[i] ?? 0);
    if (end > begin) sum += (table[indices[end] ?? 0] ?? 0) * (lastWeight[i] ?? 0);
    line[i] = sum;
  }
}

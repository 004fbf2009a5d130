/**
 * Averages an image into a smaller or larger grid by area, exactly. Along each axis the n source
 * samples and the m cells are laid on a common grid, so that every overlap is a whole number; all
 * sums are whole numbers far below 2^53, so every machine gets the same.
 */
interface Axis {
  /** First and last source sample under each cell, and how much of each lies under it. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly firstWeight: Int32Array;
  readonly lastWeight: Int32Array;
  /** Weight of a sample that lies under the cell wholly. */
  readonly fullWeight: number;
  /** Sum of the weights of a cell. */
  readonly total: number;
}

function axis(sourceSamples: number, cellCount: number): Axis {
  const common = greatestCommonDivisor(sourceSamples, cellCount);
  const samples = sourceSamples / common;
  const cells = cellCount / common;
  const first = new Int32Array(cellCount);
  const last = new Int32Array(cellCount);
  const firstWeight = new Int32Array(cellCount);
  const lastWeight = new Int32Array(cellCount);
  for (let cell = 0; cell < cellCount; cell++) {
    const from = cell * samples;
    const to = from + samples;
    const begin = Math.floor(from / cells);
    const end = Math.ceil(to / cells) - 1;
    first[cell] = begin;
    last[cell] = end;
    firstWeight[cell] = Math.min((begin + 1) * cells, to) - from;
    lastWeight[cell] = end > begin ? to - end * cells : 0;
  }
  return { first, last, firstWeight, lastWeight, fullWeight: cells, total: samples };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
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
  const averages = new Uint16Array(width * height);
  // Rows first: the many source rows of a cell are only added up, and weighted once.
  // The bits of a sum of up to 65,535 values of 16 bits; read back as unsigned.
  const whole = new Int32Array(columns);
  const sums = new Float64Array(columns);
  const total = across.total * down.total;
  for (let cell = 0; cell < height; cell++) {
    const first = down.first[cell] ?? 0;
    const last = down.last[cell] ?? 0;
    const firstWeight = down.firstWeight[cell] ?? 0;
    const lastWeight = down.lastWeight[cell] ?? 0;
    // A row that lies under the cell wholly belongs to the plain sum, also at the ends.
    const from = firstWeight === down.fullWeight ? first : first + 1;
    const wholeLast = last === first ? from === first : lastWeight === down.fullWeight;
    const to = wholeLast ? last + 1 : last;
    whole.fill(0);
    let row = from;
    for (; row + 4 <= to; row += 4) addFourRows(indices, row * columns, table, whole);
    for (; row < to; row++) addRow(indices, row * columns, table, whole);
    const full = down.fullWeight;
    if (from === first && wholeLast) {
      averageWholeAcross(whole, full, across, total, averages, cell * width);
      continue;
    }
    for (let i = 0; i < columns; i++) sums[i] = ((whole[i] ?? 0) >>> 0) * full;
    if (from > first) addWeighted(indices, first * columns, table, firstWeight, sums);
    if (!wholeLast && last > first) {
      addWeighted(indices, last * columns, table, lastWeight, sums);
    }
    averageAcross(sums, across, total, averages, cell * width);
  }
  return averages;
}

function addRow(
  indices: Uint8Array | Uint16Array,
  offset: number,
  table: Uint16Array,
  sums: Int32Array,
): void {
  for (let i = 0; i < sums.length; i++) {
    sums[i] = ((sums[i] ?? 0) + (table[indices[offset + i] ?? 0] ?? 0)) | 0;
  }
}

/** Four rows at a time: one load and store of the sum for four pixels, in 32-bit arithmetic. */
function addFourRows(
  indices: Uint8Array | Uint16Array,
  offset: number,
  table: Uint16Array,
  sums: Int32Array,
): void {
  const second = offset + sums.length;
  const third = second + sums.length;
  const fourth = third + sums.length;
  for (let i = 0; i < sums.length; i++) {
    sums[i] =
      ((sums[i] ?? 0) +
        (table[indices[offset + i] ?? 0] ?? 0) +
        (table[indices[second + i] ?? 0] ?? 0) +
        (table[indices[third + i] ?? 0] ?? 0) +
        (table[indices[fourth + i] ?? 0] ?? 0)) |
      0;
  }
}

function addWeighted(
  indices: Uint8Array | Uint16Array,
  offset: number,
  table: Uint16Array,
  weight: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < sums.length; i++) {
    sums[i] = (sums[i] ?? 0) + (table[indices[offset + i] ?? 0] ?? 0) * weight;
  }
}

/** The same as `averageAcross` for sums of whole rows, all of weight `rowWeight`. */
function averageWholeAcross(
  sums: Int32Array,
  rowWeight: number,
  { first, last, firstWeight, lastWeight, fullWeight }: Axis,
  total: number,
  averages: Uint16Array,
  offset: number,
): void {
  for (let cell = 0; cell < first.length; cell++) {
    const begin = first[cell] ?? 0;
    const end = last[cell] ?? 0;
    let whole = 0;
    for (let i = begin + 1; i < end; i++) whole += (sums[i] ?? 0) >>> 0;
    let sum = whole * fullWeight + ((sums[begin] ?? 0) >>> 0) * (firstWeight[cell] ?? 0);
    if (end > begin) sum += ((sums[end] ?? 0) >>> 0) * (lastWeight[cell] ?? 0);
    averages[offset + cell] = Math.floor((sum * rowWeight * 2 + total) / (2 * total));
  }
}

function averageAcross(
  sums: Float64Array,
  { first, last, firstWeight, lastWeight, fullWeight }: Axis,
  total: number,
  averages: Uint16Array,
  offset: number,
): void {
  for (let cell = 0; cell < first.length; cell++) {
    const begin = first[cell] ?? 0;
    const end = last[cell] ?? 0;
    let whole = 0;
    for (let i = begin + 1; i < end; i++) whole += sums[i] ?? 0;
    let sum = whole * fullWeight + (sums[begin] ?? 0) * (firstWeight[cell] ?? 0);
    if (end > begin) sum += (sums[end] ?? 0) * (lastWeight[cell] ?? 0);
    averages[offset + cell] = Math.floor((sum * 2 + total) / (2 * total));
  }
}

import type { GraphBuilder } from "./builder.ts";
import { prefersGhostNorm } from "./cost.ts";
import { sizeOf, type Tensor } from "./ir.ts";

/**
 * The gradient of one parameter, not yet computed: what a step needs of it is its squared norm
 * for each unit, and its sum over units with a weight for each.
 */
export interface UnitGradients {
  /** Parts [units, parts, 1] of each unit's squared L2 norm: their sum is the whole. */
  squaredParts(): Tensor;
  /**
   * Sum over units of scale times gradient, in whatever shape; `scale` is [units, 1], null for ones.
   */
  weightedSum(scale: Tensor | null): Tensor;
  /** Each unit's gradient [units, 1, values], where it stands there and is short. */
  readonly short?: Tensor;
}

function unitsOf(tensor: Tensor): number {
  return tensor.shape[0] ?? 0;
}

/** Squares that are summed one after the other at most, where their number can be divided. */
const longestSum = 2048;

/** The divisor of a number that is nearest to its square root, from below. */
function middleDivisor(count: number): number {
  let divisor = Math.floor(Math.sqrt(count));
  while (count % divisor !== 0) divisor -= 1;
  return divisor;
}

/** Of more parts than these of one parameter the sum is taken at once. */
const mostParts = 256;

/** [units, rows, 1] as it is, or summed where it is long. */
function fewParts(builder: GraphBuilder, parts: Tensor): Tensor {
  return (parts.shape[1] ?? 0) > mostParts ? builder.reduce("sum", parts, 1) : parts;
}

/**
 * Parts [units, parts, 1] of the squared norms of [units, rows, columns], in stages: one float32 sum
 * of 2.4 million squares was found to be off by 7e-4, more than the clipping margin.
 */
export function squaredPartsOf(builder: GraphBuilder, x: Tensor): Tensor {
  const [units = 0, rows = 0, columns = 0] = x.shape;
  const pieces = columns > longestSum ? middleDivisor(columns) : 1;
  const split = builder.reshape(x, [units, rows * pieces, columns / pieces]);
  const squares = builder.reduce("sumOfSquares", split, 2);
  if (pieces === 1) return fewParts(builder, squares);
  const ofRows = builder.reduce("sum", builder.reshape(squares, [units, rows, pieces]), 2);
  return fewParts(builder, ofRows);
}

/** Squared norms [units, 1] from all their parts, again by sums that are not long. */
export function squaredNormsFrom(builder: GraphBuilder, all: readonly Tensor[]): Tensor {
  const rows: { parts: Tensor[]; count: number }[] = [];
  for (const part of all) {
    const count = part.shape[1] ?? 0;
    const row = rows.at(-1);
    if (row === undefined || row.count + count > longestSum) rows.push({ parts: [part], count });
    else {
      row.parts.push(part);
      row.count += count;
    }
  }
  const sums = rows.map(({ parts }) => builder.reduce("sum", builder.concatenate(parts, 1), 1));
  const total = builder.reduce("sum", builder.concatenate(sums, 1), 1);
  return builder.reshape(total, [unitsOf(total), 1]);
}

/** Gradients that stand there for each unit: `gradients` is [units, rows, columns]. */
export function standing(builder: GraphBuilder, gradients: Tensor): UnitGradients {
  const units = unitsOf(gradients);
  const values = sizeOf(gradients.shape) / units;
  return {
    squaredParts: () => squaredPartsOf(builder, gradients),
    ...(values <= longestSum ? { short: builder.reshape(gradients, [units, 1, values]) } : {}),
    weightedSum: (scale) => {
      if (units === 1 && scale === null) return gradients;
      const flat = builder.reshape(gradients, [units, values]);
      return scale === null
        ? builder.reduce("sum", flat, 0)
        : builder.matrixProduct(builder.reshape(scale, [1, units]), flat);
    },
  };
}

/** Gradients of some of the units, from one on. */
export interface PieceGradients {
  readonly from: number;
  readonly to: number;
  readonly gradients: UnitGradients;
}

/** Gradients of one parameter of all units, from those of pieces of them, in order. */
export function ofPieces(builder: GraphBuilder, pieces: readonly PieceGradients[]): UnitGradients {
  const short = pieces.flatMap(({ gradients }) => gradients.short ?? []);
  if (short.length === pieces.length) return standing(builder, builder.concatenate(short, 0));
  const parts = pieces.map(({ gradients }) => gradients.squaredParts());
  return {
    squaredParts: () => builder.concatenate(parts, 0),
    weightedSum: (scale) => {
      const sums = pieces.map(({ from, to, gradients }) => {
        const rows = Int32Array.from({ length: to - from }, (_, at) => from + at);
        const own = scale === null ? null : builder.gatherRows(scale, rows);
        const sum = gradients.weightedSum(own);
        return builder.reshape(sum, [sizeOf(sum.shape)]);
      });
      return total(builder, sums);
    },
  };
}

/** Short gradients side by side: a network has many, and each costs an engine several calls. */
export interface JoinedGradients<T> {
  readonly members: readonly { readonly of: T; readonly first: number }[];
  readonly gradients: UnitGradients;
}

/**
 * Joins what is short into rows of at most `longestSum` values, in order. `shortOf` gives the
 * gradients [units, 1, values] of one that may be joined, null for another, which is left out.
 */
export function joined<T>(
  builder: GraphBuilder,
  all: readonly T[],
  shortOf: (one: T) => Tensor | null,
): JoinedGradients<T>[] {
  const rows: { members: { of: T; first: number }[]; parts: Tensor[]; values: number }[] = [];
  for (const of of all) {
    const part = shortOf(of);
    if (part === null) continue;
    const values = part.shape[2] ?? 0;
    let row = rows.at(-1);
    if (row === undefined || row.values + values > longestSum) {
      row = { members: [], parts: [], values: 0 };
      rows.push(row);
    }
    row.members.push({ of, first: row.values });
    row.parts.push(part);
    row.values += values;
  }
  return rows.map(({ members, parts }) => ({
    members,
    gradients: standing(builder, builder.concatenate(parts, 2)),
  }));
}

/**
 * The sum over units of scale times the gradient of a matrix, in one product over all units. See
 * `ofMatrix` for the shapes; `scale` is [units, 1], null for ones.
 */
function sumOverUnits(
  builder: GraphBuilder,
  gradient: Tensor,
  columns: Tensor,
  scale: Tensor | null,
): Tensor {
  const [units = 0, rows = 0, outputs = 0] = gradient.shape;
  const inputs = columns.shape[2] ?? 0;
  const weighted =
    scale === null ? gradient : builder.multiply(gradient, builder.reshape(scale, [units, 1, 1]));
  return builder.matrixProduct(
    builder.reshape(weighted, [units * rows, outputs]),
    builder.reshape(columns, [units * rows, inputs]),
    { first: true },
  );
}

/** Rows of every unit to which a matrix was applied, and the gradient that came back for them. */
export interface MatrixRows {
  /** [units, rows, outputs] */
  readonly gradient: Tensor;
  /** [units, rows, inputs] */
  readonly columns: Tensor;
}

/** The sum of tensors of one shape. */
export function total(builder: GraphBuilder, parts: readonly Tensor[]): Tensor {
  const [first, ...others] = parts;
  if (first === undefined) throw new Error("nothing to add");
  return others.reduce((sum, part) => builder.add(sum, part), first);
}

/** Gradients of a matrix that stand there for each unit, [units, outputs, inputs]. */
export interface MaterialisedGradients extends UnitGradients {
  perUnit(): Tensor;
}

/**
 * As `ofMatrix`, always with each unit's gradient written out, as the sum over strips of rows. All
 * that can be is built at once, so that an engine which keeps the order can free the columns early;
 * what is not needed falls out of the graph when it is finished.
 */
export function materialisedOfMatrix(
  builder: GraphBuilder,
  strips: readonly MatrixRows[],
): MaterialisedGradients {
  const products = strips.map(({ gradient, columns }) =>
    builder.matrixProduct(gradient, columns, { first: true }),
  );
  const perUnit = total(builder, products);
  const writtenOut = standing(builder, perUnit);
  const parts = writtenOut.squaredParts();
  const sums = strips.map(({ gradient, columns }) =>
    sumOverUnits(builder, gradient, columns, null),
  );
  const plain = total(builder, sums);
  return {
    perUnit: () => perUnit,
    squaredParts: () => parts,
    weightedSum: (scale) => (scale === null ? plain : writtenOut.weightedSum(scale)),
  };
}

/**
 * As `ofMatrix`, always with norms from Gram matrices and no unit's gradient written out. The weighted
 * sum needs the columns long after the norms do; `later` gives them then, the same ones if left out.
 */
export function ghostOfMatrix(
  builder: GraphBuilder,
  { gradient, columns }: MatrixRows,
  later: () => Tensor = () => columns,
): UnitGradients {
  const [, rows = 0] = gradient.shape;
  const gram = (x: Tensor): Tensor => builder.matrixProduct(x, x, { second: true });
  const whole = (x: Tensor): Tensor => builder.reduce("sum", squaredPartsOf(builder, x), 1);
  const parts =
    rows > 1
      ? fewParts(builder, builder.reduce("sum", builder.multiply(gram(gradient), gram(columns)), 2))
      : builder.multiply(whole(gradient), whole(columns));
  const plain = sumOverUnits(builder, gradient, columns, null);
  return {
    squaredParts: () => parts,
    weightedSum: (scale) =>
      scale === null ? plain : sumOverUnits(builder, gradient, later(), scale),
  };
}

/**
 * Gradients of a matrix [outputs, inputs] that was applied to `columns` [units, rows, inputs]
 * and got `gradient` [units, rows, outputs] back: for each unit the product of the second,
 * transposed, with the first. A unit's views and pixels all lie in `rows`, so its mean over
 * views costs nothing. Of the two ways to the norms the one that the cost model finds cheaper; see
 * `ghostOfMatrix` for `later`. Rows in several strips have their gradients written out.
 */
export function ofMatrix(
  builder: GraphBuilder,
  strips: readonly MatrixRows[],
  later?: () => Tensor,
): UnitGradients {
  const [first] = strips;
  if (first === undefined) throw new Error("a matrix without rows");
  const [, contracted = 0, outputs = 0] = first.gradient.shape;
  const inputs = first.columns.shape[2] ?? 0;
  return strips.length === 1 && prefersGhostNorm({ contracted, outputs, inputs })
    ? ghostOfMatrix(builder, first, later)
    : materialisedOfMatrix(builder, strips);
}

import type { GraphBuilder } from "./builder.ts";
import { prefersGhostNorm } from "./cost.ts";
import { sizeOf, type Tensor } from "./ir.ts";

/**
 * The gradient of one parameter, not yet computed: what a step needs of it is its squared norm
 * for each unit, and its sum over units with a weight for each.
 */
export interface UnitGradients {
  /** Squared L2 norm of each unit's gradient, [units, 1]. */
  squaredNorms(): Tensor;
  /** Sum over units of scale times gradient; `scale` is [units, 1], null for ones. */
  weightedSum(scale: Tensor | null): Tensor;
  /** Each unit's gradient [units, values], where it stands there and is short. */
  readonly short?: Tensor;
}

function unitsOf(tensor: Tensor): number {
  return tensor.shape[0] ?? 0;
}

/** [units, ...] to [units, 1] by sums over one axis at a time, so that no float sum is long. */
export function sumPerUnit(builder: GraphBuilder, x: Tensor): Tensor {
  let sum = x;
  for (let axis = x.shape.length - 1; axis > 0; axis -= 1) sum = builder.reduce("sum", sum, axis);
  return builder.reshape(sum, [unitsOf(x), 1]);
}

/** Squares that are summed one after the other at most, where their number can be divided. */
const longestSum = 2048;

/** The divisor of a number that is nearest to its square root, from below. */
function middleDivisor(count: number): number {
  let divisor = Math.floor(Math.sqrt(count));
  while (count % divisor !== 0) divisor -= 1;
  return divisor;
}

/**
 * Squared norms [units, 1] of [units, rows, columns], in stages: one float32 sum of 2.4 million
 * squares was found to be off by 7e-4, more than the clipping margin.
 */
export function squaredNormsOf(builder: GraphBuilder, x: Tensor): Tensor {
  const columns = x.shape.at(-1) ?? 1;
  const parts = columns > longestSum ? middleDivisor(columns) : 1;
  const split = builder.reshape(x, [...x.shape.slice(0, -1), parts, columns / parts]);
  return sumPerUnit(builder, builder.reduce("sumOfSquares", split, split.shape.length - 1));
}

/** Gradients that stand there for each unit: `gradients` is [units, rows, columns]. */
export function standing(
  builder: GraphBuilder,
  gradients: Tensor,
  shape: readonly number[],
): UnitGradients {
  const units = unitsOf(gradients);
  const values = sizeOf(shape);
  return {
    squaredNorms: () => squaredNormsOf(builder, gradients),
    ...(values <= longestSum ? { short: builder.reshape(gradients, [units, values]) } : {}),
    weightedSum: (scale) => {
      if (units === 1 && scale === null) return builder.reshape(gradients, shape);
      const flat = builder.reshape(gradients, [units, sizeOf(shape)]);
      const sum =
        scale === null
          ? builder.reduce("sum", flat, 0)
          : builder.matrixProduct(builder.reshape(scale, [1, units]), flat);
      return builder.reshape(sum, shape);
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
 * gradients [units, values] of one that may be joined, null for another, which is left out.
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
    const values = part.shape[1] ?? 0;
    let row = rows.at(-1);
    if (row === undefined || row.values + values > longestSum) {
      row = { members: [], parts: [], values: 0 };
      rows.push(row);
    }
    row.members.push({ of, first: row.values });
    row.parts.push(part);
    row.values += values;
  }
  return rows.map(({ members, parts, values }) => ({
    members,
    gradients: standing(builder, builder.concatenate(parts, 1), [1, values]),
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

/** Gradients of a matrix that stand there for each unit, [units, outputs, inputs]. */
export interface MaterialisedGradients extends UnitGradients {
  perUnit(): Tensor;
}

/** As `ofMatrix`, always with each unit's gradient written out. */
export function materialisedOfMatrix(
  builder: GraphBuilder,
  gradient: Tensor,
  columns: Tensor,
): MaterialisedGradients {
  const shape = [gradient.shape[2] ?? 0, columns.shape[2] ?? 0];
  let product: Tensor | null = null;
  const perUnit = (): Tensor => {
    product ??= builder.matrixProduct(gradient, columns, { first: true });
    return product;
  };
  return {
    perUnit,
    squaredNorms: () => standing(builder, perUnit(), shape).squaredNorms(),
    weightedSum: (scale) =>
      scale === null
        ? sumOverUnits(builder, gradient, columns, null)
        : standing(builder, perUnit(), shape).weightedSum(scale),
  };
}

/** As `ofMatrix`, always with norms from Gram matrices and no unit's gradient written out. */
export function ghostOfMatrix(
  builder: GraphBuilder,
  gradient: Tensor,
  columns: Tensor,
): UnitGradients {
  const [, rows = 0] = gradient.shape;
  const gram = (x: Tensor): Tensor => builder.matrixProduct(x, x, { second: true });
  return {
    squaredNorms: () =>
      rows === 1
        ? builder.multiply(squaredNormsOf(builder, gradient), squaredNormsOf(builder, columns))
        : sumPerUnit(builder, builder.multiply(gram(gradient), gram(columns))),
    weightedSum: (scale) => sumOverUnits(builder, gradient, columns, scale),
  };
}

/**
 * Gradients of a matrix [outputs, inputs] that was applied to `columns` [units, rows, inputs]
 * and got `gradient` [units, rows, outputs] back: for each unit the product of the second,
 * transposed, with the first. A unit's views and pixels all lie in `rows`, so its mean over
 * views costs nothing. Of the two ways to the norms the one that the cost model finds cheaper.
 */
export function ofMatrix(builder: GraphBuilder, gradient: Tensor, columns: Tensor): UnitGradients {
  const [, contracted = 0, outputs = 0] = gradient.shape;
  const inputs = columns.shape[2] ?? 0;
  return prefersGhostNorm({ contracted, outputs, inputs })
    ? ghostOfMatrix(builder, gradient, columns)
    : materialisedOfMatrix(builder, gradient, columns);
}

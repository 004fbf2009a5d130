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
}

function unitsOf(tensor: Tensor): number {
  return tensor.shape[0] ?? 0;
}

/** [units, ...] to [units, 1] by sums over one axis at a time, so that no float sum is long. */
function sumPerUnit(builder: GraphBuilder, x: Tensor): Tensor {
  let sum = x;
  for (let axis = x.shape.length - 1; axis > 0; axis -= 1) sum = builder.reduce("sum", sum, axis);
  return builder.reshape(sum, [unitsOf(x), 1]);
}

/** Squared norms of [units, rows, columns]; two stages, since one sum of millions is inexact. */
function squaredNormsOf(builder: GraphBuilder, x: Tensor): Tensor {
  return sumPerUnit(builder, builder.reduce("sumOfSquares", x, x.shape.length - 1));
}

/** Gradients that stand there for each unit: `gradients` is [units, rows, columns]. */
export function standing(
  builder: GraphBuilder,
  gradients: Tensor,
  shape: readonly number[],
): UnitGradients {
  const units = unitsOf(gradients);
  return {
    squaredNorms: () => squaredNormsOf(builder, gradients),
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

/**
 * Gradients of a matrix [outputs, inputs] that was applied to `columns` [units, rows, inputs]
 * and got `gradient` [units, rows, outputs] back: for each unit the product of the second,
 * transposed, with the first. A unit's views and pixels all lie in `rows`, so its mean over
 * views costs nothing.
 */
export function ofMatrix(builder: GraphBuilder, gradient: Tensor, columns: Tensor): UnitGradients {
  const [units = 0, rows = 0, outputs = 0] = gradient.shape;
  const inputs = columns.shape[2] ?? 0;
  const shape = [outputs, inputs];
  const overAllUnits = (scale: Tensor | null): Tensor => {
    const weighted =
      scale === null ? gradient : builder.multiply(gradient, builder.reshape(scale, [units, 1, 1]));
    return builder.matrixProduct(
      builder.reshape(weighted, [units * rows, outputs]),
      builder.reshape(columns, [units * rows, inputs]),
      { first: true },
    );
  };

  if (prefersGhostNorm({ contracted: rows, outputs, inputs })) {
    const ghost = (): Tensor => {
      if (rows === 1)
        return builder.multiply(
          squaredNormsOf(builder, gradient),
          squaredNormsOf(builder, columns),
        );
      const gram = (x: Tensor): Tensor => builder.matrixProduct(x, x, { second: true });
      return sumPerUnit(builder, builder.multiply(gram(gradient), gram(columns)));
    };
    return { squaredNorms: ghost, weightedSum: overAllUnits };
  }

  let standingGradients: UnitGradients | null = null;
  const materialised = (): UnitGradients => {
    standingGradients ??= standing(
      builder,
      builder.matrixProduct(gradient, columns, { first: true }),
      shape,
    );
    return standingGradients;
  };
  return {
    squaredNorms: () => materialised().squaredNorms(),
    weightedSum: (scale) =>
      scale === null ? overAllUnits(null) : materialised().weightedSum(scale),
  };
}

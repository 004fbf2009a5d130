/** One layer's matrix product, seen from one privacy unit. */
export interface MatrixGradientShape {
  /** Rows that are contracted: views times output pixels. */
  readonly contracted: number;
  readonly outputs: number;
  /** Taps times input channels. */
  readonly inputs: number;
}

/**
 * What the two ways to a unit's norm cost, in multiply-adds, on a machine where writing or
 * reading one value costs as much as `memoryCost` multiply-adds.
 *
 * - Materialised: the unit's gradient is written once and read twice, for the norm and for the
 *   weighted sum.
 * - Ghost norm (Goodfellow 2015, arXiv 1510.01799; Bu et al. 2022, arXiv 2205.10683): two Gram
 *   matrices of the contracted rows; the sum is then one product over all units. The product
 *   itself is the same number of multiply-adds in both and is left out.
 */
export function costs(
  shape: MatrixGradientShape,
  memoryCost = 30,
): { materialised: number; ghost: number } {
  const { contracted, outputs, inputs } = shape;
  return {
    materialised: 3 * memoryCost * outputs * inputs,
    ghost: contracted * contracted * (inputs + outputs + 2 * memoryCost),
  };
}

/** True where the ghost norm is the cheaper way. */
export function prefersGhostNorm(shape: MatrixGradientShape): boolean {
  const { materialised, ghost } = costs(shape);
  return ghost < materialised;
}

import type { NoiseKind } from "../../shared/plan.ts";
import { createDiscreteGaussian } from "./discrete-gaussian.ts";
import { clippingNormOnGrid, noiseScaleOnGrid } from "./grid.ts";
import { fillGaussian, type RandomStream } from "./random.ts";

/** What is added to each coordinate of a step's sum; plain data, so that threads can pass it on. */
export type NoiseShape =
  | {
      readonly kind: "gaussian";
      /** sigma C. */
      readonly standardDeviation: number;
    }
  | {
      readonly kind: "discrete-gaussian";
      /** s of the discrete Gaussian, in grid steps. */
      readonly scale: number;
      /** C / 2^26: the length of a grid step in units of the gradient. */
      readonly gridStep: number;
    };

/** The noise of one step: standard deviation `noiseMultiplier` x `clippingNorm` on the sum. */
export function noiseShape(
  kind: NoiseKind,
  noiseMultiplier: number,
  clippingNorm: number,
): NoiseShape {
  return kind === "gaussian"
    ? { kind, standardDeviation: noiseMultiplier * clippingNorm }
    : {
        kind,
        scale: noiseScaleOnGrid(noiseMultiplier),
        gridStep: clippingNorm / clippingNormOnGrid,
      };
}

/** What one number of the noise is worth in units of the gradient. */
export function unitOfNoise(shape: NoiseShape): number {
  return shape.kind === "gaussian" ? 1 : shape.gridStep;
}

/** A function that fills an array with noise of a shape. */
export function createNoiseFiller(
  shape: NoiseShape,
): (stream: RandomStream, into: Float64Array) => void {
  if (shape.kind === "discrete-gaussian") return createDiscreteGaussian(shape.scale).fill;
  return (stream, into) => {
    fillGaussian(stream, into, shape.standardDeviation);
  };
}

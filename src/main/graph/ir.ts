import type { WindowGeometry } from "./windows.ts";

/**
 * A computation as data: float32 tensors of fixed shape and the operations between them, in an
 * order in which they can be run. Engines translate it; nothing in it names an engine.
 */

export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
}

export type UnaryName =
  | "absolute"
  | "erf"
  | "exponential"
  | "hyperbolicTangent"
  | "negate"
  | "relu"
  | "sigmoid"
  | "softplus"
  | "squareRoot"
  /** x * sigmoid(x) */
  | "swish";

export type BinaryName =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "minimum"
  | "maximum"
  /** 1 where equal, 0 elsewhere (NaN equals nothing). */
  | "equal"
  /** 1 where the first is greater, 0 elsewhere. */
  | "greater";

export type ReductionName = "sum" | "sumOfSquares" | "maximum";

export type Operation =
  | { readonly kind: "input"; readonly output: Tensor; readonly name: string }
  | { readonly kind: "constant"; readonly output: Tensor; readonly data: Float32Array }
  | {
      readonly kind: "unary";
      readonly output: Tensor;
      readonly function: UnaryName;
      readonly inputs: readonly [Tensor];
    }
  | {
      readonly kind: "binary";
      readonly output: Tensor;
      readonly function: BinaryName;
      /** Shapes of equal rank; an extent of 1 is repeated. */
      readonly inputs: readonly [Tensor, Tensor];
    }
  | {
      readonly kind: "reduce";
      readonly output: Tensor;
      readonly function: ReductionName;
      readonly inputs: readonly [Tensor];
      /** One axis; it stays, with extent 1. */
      readonly axis: number;
    }
  | {
      readonly kind: "matrixProduct";
      readonly output: Tensor;
      /**
       * Both of rank 2, both of rank 3 with the same first extent, or a stack of rank 3 times one
       * matrix of rank 2, the stack's never transposed.
       */
      readonly inputs: readonly [Tensor, Tensor];
      readonly transposeFirst: boolean;
      readonly transposeSecond: boolean;
    }
  | {
      readonly kind: "convolution";
      /** [images, output pixels, outputs] */
      readonly output: Tensor;
      /** Maps [images, pixels, channels], and weights [outputs, taps * channels]. */
      readonly inputs: readonly [Tensor, Tensor];
      /** The weights stand as [taps * channels, outputs]. */
      readonly transposeWeights: boolean;
      readonly geometry: WindowGeometry;
    }
  | { readonly kind: "reshape"; readonly output: Tensor; readonly inputs: readonly [Tensor] }
  | {
      readonly kind: "transpose";
      readonly output: Tensor;
      readonly inputs: readonly [Tensor];
      /** The input's axis for each axis of the output. */
      readonly order: readonly number[];
    }
  | {
      readonly kind: "gatherRows";
      readonly output: Tensor;
      /** [rows, columns] */
      readonly inputs: readonly [Tensor];
      /** The row for each row of the output; -1 for a row filled with `fill`. */
      readonly rows: Int32Array;
      readonly fill: number;
    }
  | {
      readonly kind: "concatenate";
      readonly output: Tensor;
      readonly inputs: readonly Tensor[];
      readonly axis: number;
    };

export interface Graph {
  readonly operations: readonly Operation[];
  /** Results by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Inputs of an operation, none for inputs and constants. */
export function operandsOf(operation: Operation): readonly Tensor[] {
  return "inputs" in operation ? operation.inputs : [];
}

import type * as TensorFlowCore from "@tensorflow/tfjs-core";
import { axisWindows } from "../../network/description.ts";
import type { BinaryName, Operation, ReductionName, UnaryName } from "../../graph/ir.ts";

/** The library, whichever package it comes from. */
export type TensorFlow = typeof TensorFlowCore;
export type TfTensor = TensorFlowCore.Tensor;

const unary: Readonly<Record<UnaryName, (tf: TensorFlow, x: TfTensor) => TfTensor>> = {
  absolute: (tf, x) => tf.abs(x),
  erf: (tf, x) => tf.erf(x),
  exponential: (tf, x) => tf.exp(x),
  hyperbolicTangent: (tf, x) => tf.tanh(x),
  negate: (tf, x) => tf.neg(x),
  relu: (tf, x) => tf.relu(x),
  sigmoid: (tf, x) => tf.sigmoid(x),
  softplus: (tf, x) => tf.softplus(x),
  squareRoot: (tf, x) => tf.sqrt(x),
  swish: (tf, x) => tf.mul(x, tf.sigmoid(x)),
};

const binary: Readonly<Record<BinaryName, (tf: TensorFlow, a: TfTensor, b: TfTensor) => TfTensor>> =
  {
    add: (tf, a, b) => tf.add(a, b),
    subtract: (tf, a, b) => tf.sub(a, b),
    multiply: (tf, a, b) => tf.mul(a, b),
    divide: (tf, a, b) => tf.div(a, b),
    minimum: (tf, a, b) => tf.minimum(a, b),
    maximum: (tf, a, b) => tf.maximum(a, b),
    equal: (tf, a, b) => tf.cast(tf.equal(a, b), "float32"),
    greater: (tf, a, b) => tf.cast(tf.greater(a, b), "float32"),
  };

const reduction: Readonly<
  Record<ReductionName, (tf: TensorFlow, x: TfTensor, axis: number) => TfTensor>
> = {
  sum: (tf, x, axis) => tf.sum(x, axis, true),
  sumOfSquares: (tf, x, axis) => tf.sum(tf.square(x), axis, true),
  maximum: (tf, x, axis) => tf.max(x, axis, true),
};

/**
 * Tensors that an operation needs beside its operands and that never change: constants, and the
 * rows of a gather.
 */
export function fixedTensors(tf: TensorFlow, operation: Operation): TfTensor[] {
  switch (operation.kind) {
    case "constant":
      return [tf.tensor(operation.data, [...operation.output.shape], "float32")];
    case "gatherRows": {
      const { rows } = operation;
      const [count = 0, columns = 0] = operation.inputs[0].shape;
      const inside = rows.map((row) => (row === -1 ? count : row));
      const indices = tf.tensor1d(inside, "int32");
      return rows.includes(-1) ? [indices, tf.fill([1, columns], operation.fill)] : [indices];
    }
    case "input":
    case "unary":
    case "binary":
    case "reduce":
    case "matrixProduct":
    case "convolution":
    case "reshape":
    case "transpose":
    case "concatenate":
      return [];
  }
}

/** One operation of the graph with the library's own; intermediate tensors are the caller's. */
export function execute(
  tf: TensorFlow,
  operation: Exclude<Operation, { kind: "input" | "constant" }>,
  operands: readonly TfTensor[],
  fixed: readonly TfTensor[],
): TfTensor {
  const operand = (at: number): TfTensor => {
    const tensor = operands[at];
    if (tensor === undefined) throw new Error(`${operation.kind} lacks operand ${at}`);
    return tensor;
  };
  switch (operation.kind) {
    case "unary":
      return unary[operation.function](tf, operand(0));
    case "binary":
      return binary[operation.function](tf, operand(0), operand(1));
    case "reduce":
      return reduction[operation.function](tf, operand(0), operation.axis);
    case "matrixProduct": {
      const { inputs, output, transposeFirst, transposeSecond } = operation;
      const [a, b] = inputs;
      if (a.shape.length === b.shape.length)
        return tf.matMul(operand(0), operand(1), transposeFirst, transposeSecond);
      const [stack = 0, rows = 0, inner = 0] = a.shape;
      const flat = tf.reshape(operand(0), [stack * rows, inner]);
      return tf.reshape(tf.matMul(flat, operand(1), false, transposeSecond), [...output.shape]);
    }
    case "convolution": {
      const { geometry, inputs, output, transposeWeights } = operation;
      const { height, width } = axisWindows(geometry);
      const channels = inputs[0].shape[2] ?? 0;
      const outputs = output.shape[2] ?? 0;
      const weights = transposeWeights ? operand(1) : tf.transpose(operand(1), [1, 0]);
      const maps = tf.conv2d(
        tf.reshape<TensorFlowCore.Rank.R4>(operand(0), [
          geometry.images,
          geometry.height,
          geometry.width,
          channels,
        ]),
        tf.reshape<TensorFlowCore.Rank.R4>(weights, [
          height.kernel,
          width.kernel,
          channels,
          outputs,
        ]),
        [height.stride, width.stride],
        [
          [0, 0],
          [height.padding, height.padding],
          [width.padding, width.padding],
          [0, 0],
        ],
      );
      return tf.reshape(maps, [...output.shape]);
    }
    case "reshape":
      return tf.reshape(operand(0), [...operation.output.shape]);
    case "transpose":
      return tf.transpose(operand(0), [...operation.order]);
    case "gatherRows": {
      const [indices, fill] = fixed;
      if (indices === undefined) throw new Error("a gather lacks its rows");
      const source = fill === undefined ? operand(0) : tf.concat([operand(0), fill], 0);
      return tf.gather(source, indices, 0);
    }
    case "concatenate":
      return tf.concat([...operands], operation.axis);
  }
}

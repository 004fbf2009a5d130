import { axisWindows } from "../../network/description.ts";
import type {
  BinaryName,
  Graph,
  Operation,
  ReductionName,
  Tensor,
  UnaryName,
} from "../../graph/ir.ts";
import { operandsOf } from "../../graph/ir.ts";
import type { AttributeValue, OnnxConstant, OnnxModel, OnnxNode, OnnxValue } from "./model.ts";

/** Which operators beyond ONNX's own the target knows. */
export interface LoweringOptions {
  /** onnxruntime's CPU kernels: FusedMatMul, QuickGelu. */
  readonly fusedOperators: boolean;
  /** Channels in a block of the CPU's kernels (see blocks.ts); null where there are none. */
  readonly channelBlock?: number | null;
}

const unaryOperator: Readonly<Record<Exclude<UnaryName, "swish">, string>> = {
  absolute: "Abs",
  erf: "Erf",
  exponential: "Exp",
  hyperbolicTangent: "Tanh",
  negate: "Neg",
  relu: "Relu",
  sigmoid: "Sigmoid",
  softplus: "Softplus",
  squareRoot: "Sqrt",
};

const binaryOperator: Readonly<Record<BinaryName, string>> = {
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
  minimum: "Min",
  maximum: "Max",
  equal: "Equal",
  greater: "Greater",
};

const reductionOperator: Readonly<Record<ReductionName, string>> = {
  sum: "ReduceSum",
  sumOfSquares: "ReduceSumSquare",
  maximum: "ReduceMax",
};

const float32Element = 1;

function int64(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, (value) => BigInt(value));
}

/**
 * The graph as an ONNX model. Inputs keep their names and shapes; outputs have the graph's
 * output names.
 */
export function lower(graph: Graph, name: string, options: LoweringOptions): OnnxModel {
  const nodes: OnnxNode[] = [];
  const constants: OnnxConstant[] = [];
  const inputs: OnnxValue[] = [];
  const names = new Map<number, string>();
  const shared = new Map<string, string>();
  const sharedRows = new Map<Int32Array, string>();

  const nameOf = (tensor: Tensor): string => {
    const known = names.get(tensor.id);
    if (known === undefined) throw new Error(`tensor ${tensor.id} is used before it is made`);
    return known;
  };
  const node = (
    operator: string,
    from: readonly string[],
    to: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = "",
  ): void => {
    nodes.push({ operator, domain, inputs: from, outputs: [to], attributes });
  };
  const whole = (values: readonly number[]): string => {
    const key = `whole.${values.join(".")}`;
    if (!shared.has(key)) {
      shared.set(key, key);
      constants.push({ name: key, type: "int64", shape: [values.length], data: int64(values) });
    }
    return key;
  };

  const matrixProduct = (
    operation: Extract<Operation, { kind: "matrixProduct" }>,
    output: string,
  ): void => {
    const [a, b] = operation.inputs;
    const { transposeFirst, transposeSecond } = operation;
    if (!transposeFirst && !transposeSecond) {
      node("MatMul", [nameOf(a), nameOf(b)], output);
    } else if (a.shape.length === 2) {
      node("Gemm", [nameOf(a), nameOf(b)], output, {
        transA: { int: transposeFirst ? 1 : 0 },
        transB: { int: transposeSecond ? 1 : 0 },
      });
    } else if (options.fusedOperators) {
      node(
        "FusedMatMul",
        [nameOf(a), nameOf(b)],
        output,
        {
          transA: { int: transposeFirst ? 1 : 0 },
          transB: { int: transposeSecond ? 1 : 0 },
        },
        "com.microsoft",
      );
    } else {
      const turned = (tensor: Tensor, wanted: boolean, suffix: string): string => {
        if (!wanted) return nameOf(tensor);
        const to = `${output}.${suffix}`;
        const perm = tensor.shape.length === 2 ? [1, 0] : [0, 2, 1];
        node("Transpose", [nameOf(tensor)], to, { perm: { ints: perm } });
        return to;
      };
      node(
        "MatMul",
        [turned(a, transposeFirst, "first"), turned(b, transposeSecond, "second")],
        output,
      );
    }
  };

  const convolution = (
    operation: Extract<Operation, { kind: "convolution" }>,
    output: string,
  ): void => {
    const { geometry, transposeWeights } = operation;
    const { height, width } = axisWindows(geometry);
    const { images } = geometry;
    const [maps, weights] = operation.inputs;
    const taps = height.kernel * width.kernel;
    const channels = maps.shape[2] ?? 0;
    const outputs = operation.output.shape[2] ?? 0;
    const block = options.channelBlock ?? 1;
    const blocked = block > 1 && channels % block === 0 && outputs % block === 0;
    const into = (part: string): string => `${output}.${part}`;
    const attributes = {
      kernel_shape: { ints: [height.kernel, width.kernel] },
      strides: { ints: [height.stride, width.stride] },
      pads: { ints: [height.padding, width.padding, height.padding, width.padding] },
      dilations: { ints: [1, 1] },
      group: { int: 1 },
    };
    const shaped = (from: string, shape: readonly number[], part: string): string => {
      node("Reshape", [from, whole(shape)], into(part));
      return into(part);
    };
    const turned = (from: string, perm: readonly number[], part: string): string => {
      node("Transpose", [from], into(part), { perm: { ints: perm } });
      return into(part);
    };
    const pixels = shaped(
      nameOf(maps),
      [images, geometry.height, geometry.width, channels],
      "pixels",
    );
    const inBlocks = blocked ? block : 1;
    const [outer, inner] = [outputs / inBlocks, channels / inBlocks];
    // Weights [outputs, inputs, taps], or in blocks [outer, inner, taps, input, output].
    const axes = transposeWeights
      ? [taps, inner, inBlocks, outer, inBlocks]
      : [outer, inBlocks, taps, inner, inBlocks];
    const order = transposeWeights ? [3, 1, 0, 2, 4] : [0, 3, 2, 4, 1];
    const inOrder = turned(shaped(nameOf(weights), axes, "axes"), order, "order");
    const kernel = [outputs, channels, height.kernel, width.kernel];
    const filters = shaped(inOrder, kernel, "filters");
    if (blocked) {
      const domain = "com.microsoft.nchwc";
      const last = { channels_last: { int: 1 } };
      node("ReorderInput", [pixels], into("blocks"), last, domain);
      node("Conv", [into("blocks"), filters], into("convolved"), attributes, domain);
      node(
        "ReorderOutput",
        [into("convolved")],
        into("maps"),
        { ...last, channels: { int: outputs } },
        domain,
      );
    } else {
      const first = turned(pixels, [0, 3, 1, 2], "first");
      node("Conv", [first, filters], into("convolved"), attributes);
      turned(into("convolved"), [0, 2, 3, 1], "maps");
    }
    node("Reshape", [into("maps"), whole(operation.output.shape)], output);
  };

  const gatherRows = (
    operation: Extract<Operation, { kind: "gatherRows" }>,
    output: string,
  ): void => {
    const [source] = operation.inputs;
    const [count = 0, columns = 0] = source.shape;
    let from = nameOf(source);
    let rows = operation.rows;
    if (rows.includes(-1)) {
      const fill = `${output}.fill`;
      const data = new Float32Array(columns).fill(operation.fill);
      constants.push({ name: fill, type: "float32", shape: [1, columns], data });
      const extended = `${output}.extended`;
      node("Concat", [from, fill], extended, { axis: { int: 0 } });
      from = extended;
      rows = rows.map((row) => (row === -1 ? count : row));
    }
    let indices = sharedRows.get(operation.rows);
    if (indices === undefined) {
      indices = `${output}.rows`;
      sharedRows.set(operation.rows, indices);
      constants.push({ name: indices, type: "int32", shape: [rows.length], data: rows });
    }
    node("Gather", [from, indices], output, { axis: { int: 0 } });
  };

  for (const operation of graph.operations) {
    const output = operation.kind === "input" ? operation.name : `t${operation.output.id}`;
    names.set(operation.output.id, output);
    const from = operandsOf(operation).map(nameOf);
    switch (operation.kind) {
      case "input":
        inputs.push({ name: output, type: "float32", shape: operation.output.shape });
        break;
      case "constant":
        constants.push({
          name: output,
          type: "float32",
          shape: operation.output.shape,
          data: operation.data,
        });
        break;
      case "unary":
        if (operation.function !== "swish") node(unaryOperator[operation.function], from, output);
        else if (options.fusedOperators)
          node("QuickGelu", from, output, { alpha: { float: 1 } }, "com.microsoft");
        else {
          node("Sigmoid", from, `${output}.sigmoid`);
          node("Mul", [...from, `${output}.sigmoid`], output);
        }
        break;
      case "binary":
        if (operation.function === "equal" || operation.function === "greater") {
          node(binaryOperator[operation.function], from, `${output}.is`);
          node("Cast", [`${output}.is`], output, { to: { int: float32Element } });
        } else node(binaryOperator[operation.function], from, output);
        break;
      case "reduce":
        // Only ReduceSum takes its axes as an input in this operator set.
        if (operation.function === "sum")
          node("ReduceSum", [...from, whole([operation.axis])], output, { keepdims: { int: 1 } });
        else if (operation.function === "sumOfSquares" && options.fusedOperators) {
          // The CPU's ReduceSumSquare adds value by value and takes up to twice as long as these two.
          node("Mul", [...from, ...from], `${output}.squares`);
          node("ReduceSum", [`${output}.squares`, whole([operation.axis])], output, {
            keepdims: { int: 1 },
          });
        } else
          node(reductionOperator[operation.function], from, output, {
            axes: { ints: [operation.axis] },
            keepdims: { int: 1 },
          });
        break;
      case "reshape":
        node("Reshape", [...from, whole(operation.output.shape)], output);
        break;
      case "transpose":
        node("Transpose", from, output, { perm: { ints: operation.order } });
        break;
      case "matrixProduct":
        matrixProduct(operation, output);
        break;
      case "convolution":
        convolution(operation, output);
        break;
      case "gatherRows":
        gatherRows(operation, output);
        break;
      case "concatenate":
        node("Concat", from, output, { axis: { int: operation.axis } });
        break;
    }
  }

  const outputs = [...graph.outputs].map(([outputName, tensor]): OnnxValue => {
    node("Identity", [nameOf(tensor)], outputName);
    return { name: outputName, type: "float32", shape: tensor.shape };
  });
  return { name, nodes, constants, inputs, outputs };
}

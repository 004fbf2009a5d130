import {
  operandsOf,
  sizeOf,
  type BinaryName,
  type Graph,
  type Operation,
  type ReductionName,
  type Tensor,
  type UnaryName,
} from "./ir.ts";
import { outputSize, type WindowGeometry } from "./windows.ts";
import { tapsOf } from "../network/description.ts";

function extentAt(tensor: Tensor, axis: number): number {
  const extent = tensor.shape[axis];
  if (extent === undefined)
    throw new Error(`no axis ${axis} in a tensor of shape [${tensor.shape.join(", ")}]`);
  return extent;
}

function broadcastShape(a: Tensor, b: Tensor): number[] {
  if (a.shape.length !== b.shape.length)
    throw new Error(`ranks differ: [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`);
  return a.shape.map((extent, axis) => {
    const other = extentAt(b, axis);
    if (extent !== other && extent !== 1 && other !== 1)
      throw new Error(`shapes differ: [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`);
    return Math.max(extent, other);
  });
}

type WithoutOutput<T> = T extends { output: Tensor } ? Omit<T, "output"> : never;

/**
 * Builds a graph operation by operation, checking shapes. Shape errors are programming errors
 * and throw plain Errors.
 */
export class GraphBuilder {
  private readonly operations: Operation[] = [];
  private readonly outputs = new Map<string, Tensor>();
  private readonly scalars = new Map<string, Tensor>();
  private readonly inputs = new Map<string, Tensor>();
  private readonly reshapes = new Map<string, Tensor>();

  private push(shape: readonly number[], operation: WithoutOutput<Operation>): Tensor {
    const output: Tensor = { id: this.operations.length, shape };
    this.operations.push({ ...operation, output });
    return output;
  }

  /** A tensor fed at run time. Asking twice for one name gives the same tensor. */
  input(name: string, shape: readonly number[]): Tensor {
    const known = this.inputs.get(name);
    if (known !== undefined) return known;
    const tensor = this.push(shape, { kind: "input", name });
    this.inputs.set(name, tensor);
    return tensor;
  }

  constant(shape: readonly number[], data: Float32Array): Tensor {
    if (sizeOf(shape) !== data.length) throw new Error("a constant does not fit its shape");
    return this.push(shape, { kind: "constant", data });
  }

  /** A constant with a single value, of the given rank. */
  scalar(value: number, rank: number): Tensor {
    const key = `${value}/${rank}`;
    const known = this.scalars.get(key);
    if (known !== undefined) return known;
    const shape = new Array<number>(rank).fill(1);
    const tensor = this.constant(shape, Float32Array.of(value));
    this.scalars.set(key, tensor);
    return tensor;
  }

  unary(name: UnaryName, x: Tensor): Tensor {
    return this.push(x.shape, { kind: "unary", function: name, inputs: [x] });
  }

  binary(name: BinaryName, a: Tensor, b: Tensor): Tensor {
    return this.push(broadcastShape(a, b), { kind: "binary", function: name, inputs: [a, b] });
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.binary("add", a, b);
  }

  subtract(a: Tensor, b: Tensor): Tensor {
    return this.binary("subtract", a, b);
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    return this.binary("multiply", a, b);
  }

  divide(a: Tensor, b: Tensor): Tensor {
    return this.binary("divide", a, b);
  }

  /** x times a number. */
  scale(x: Tensor, factor: number): Tensor {
    return factor === 1 ? x : this.multiply(x, this.scalar(factor, x.shape.length));
  }

  reduce(name: ReductionName, x: Tensor, axis: number): Tensor {
    // Of one value nothing has to be reduced, and each operation costs an engine a call.
    if (extentAt(x, axis) === 1) return name === "sumOfSquares" ? this.multiply(x, x) : x;
    const shape = x.shape.map((extent, at) => (at === axis ? 1 : extent));
    return this.push(shape, { kind: "reduce", function: name, inputs: [x], axis });
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    if (sizeOf(shape) !== sizeOf(x.shape))
      throw new Error(`[${x.shape.join(", ")}] does not reshape to [${shape.join(", ")}]`);
    if (shape.length === x.shape.length && shape.every((extent, at) => extent === x.shape[at]))
      return x;
    // Of several in a row only the last counts, and each costs an engine a call.
    const made = this.operations[x.id];
    if (made?.kind === "reshape") return this.reshape(made.inputs[0], shape);
    const key = `${x.id} ${shape.join(" ")}`;
    const known = this.reshapes.get(key);
    if (known !== undefined) return known;
    const reshaped = this.push(shape, { kind: "reshape", inputs: [x] });
    this.reshapes.set(key, reshaped);
    return reshaped;
  }

  /** The axes of a tensor in another order: axis `order[i]` becomes axis i. */
  transpose(x: Tensor, order: readonly number[]): Tensor {
    if (order.toSorted((a, b) => a - b).some((axis, at) => axis !== at))
      throw new Error(`[${order.join(", ")}] is no order of axes`);
    const shape = order.map((axis) => extentAt(x, axis));
    if (shape.length !== x.shape.length) throw new Error("a transposition names every axis");
    return this.push(shape, { kind: "transpose", inputs: [x], order });
  }

  /**
   * a b, of matrices or of equally long stacks of matrices, either transposed first; or of a stack,
   * as it is, and one matrix.
   */
  matrixProduct(
    a: Tensor,
    b: Tensor,
    transposed: { readonly first?: boolean; readonly second?: boolean } = {},
  ): Tensor {
    const rank = a.shape.length;
    const otherRank = b.shape.length;
    const transposeFirst = transposed.first ?? false;
    const transposeSecond = transposed.second ?? false;
    const shared = rank === 3 && otherRank === 2 && !transposeFirst;
    if ((rank !== otherRank && !shared) || rank < 2 || rank > 3)
      throw new Error(`no matrix product of ranks ${rank} and ${otherRank}`);
    if (otherRank === 3 && a.shape[0] !== b.shape[0])
      throw new Error("no matrix product of stacks of different length");
    const [rows, inner] = transposeFirst ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
    const [otherInner, columns] = transposeSecond
      ? [otherRank - 1, otherRank - 2]
      : [otherRank - 2, otherRank - 1];
    if (extentAt(a, inner) !== extentAt(b, otherInner))
      throw new Error(`no product of [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`);
    const shape = [...a.shape.slice(0, rank - 2), extentAt(a, rows), extentAt(b, columns)];
    return this.push(shape, {
      kind: "matrixProduct",
      inputs: [a, b],
      transposeFirst,
      transposeSecond,
    });
  }

  /**
   * The windows of maps [images, pixels, channels] times weights [outputs, taps * channels], or these
   * transposed: [images, output pixels, outputs].
   */
  convolution(
    maps: Tensor,
    weights: Tensor,
    geometry: WindowGeometry,
    transposeWeights: boolean,
  ): Tensor {
    const { images, height, width } = geometry;
    const channels = extentAt(maps, 2);
    const [outputs, inner] = transposeWeights ? [1, 0] : [0, 1];
    if (extentAt(maps, 0) !== images || extentAt(maps, 1) !== height * width)
      throw new Error("maps do not fit the windows that move over them");
    if (extentAt(weights, inner) !== tapsOf(geometry) * channels)
      throw new Error(`no windows of ${channels} channels fit [${weights.shape.join(", ")}]`);
    const output = outputSize(geometry);
    return this.push([images, output.height * output.width, extentAt(weights, outputs)], {
      kind: "convolution",
      inputs: [maps, weights],
      transposeWeights,
      geometry,
    });
  }

  /** Rows of a matrix [rows, columns] in another order, repeated, or (-1) filled. */
  gatherRows(x: Tensor, rows: Int32Array, fill = 0): Tensor {
    const count = extentAt(x, 0);
    if (x.shape.length !== 2) throw new Error("rows are gathered from matrices only");
    for (const row of rows)
      if (row < -1 || row >= count) throw new Error(`row ${row} of ${count} does not exist`);
    const shape = [rows.length, extentAt(x, 1)];
    return this.push(shape, { kind: "gatherRows", inputs: [x], rows, fill });
  }

  concatenate(parts: readonly Tensor[], axis: number): Tensor {
    const [first] = parts;
    if (first === undefined) throw new Error("nothing to concatenate");
    if (parts.length === 1) return first;
    const shape = first.shape.map((extent, at) =>
      at === axis ? parts.reduce((sum, part) => sum + extentAt(part, axis), 0) : extent,
    );
    return this.push(shape, { kind: "concatenate", inputs: parts, axis });
  }

  output(name: string, tensor: Tensor): void {
    if (this.outputs.has(name)) throw new Error(`two outputs named ${name}`);
    this.outputs.set(name, tensor);
  }

  /** The graph of all that the outputs need; what nothing needs is left out. */
  finish(): Graph {
    const needed = new Set<number>([...this.outputs.values()].map((tensor) => tensor.id));
    for (const operation of this.operations.toReversed()) {
      if (!needed.has(operation.output.id)) continue;
      for (const operand of operandsOf(operation)) needed.add(operand.id);
    }
    return {
      operations: this.operations.filter((operation) => needed.has(operation.output.id)),
      outputs: new Map(this.outputs),
    };
  }
}

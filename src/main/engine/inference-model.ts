import {
  axisWindows,
  parameterNamed,
  type ActivationName,
  type GroupNormLayer,
  type LayerNormLayer,
  type Layer,
  type MovingWindow,
  type NetworkDescription,
} from "../network/description.ts";
import { standardisedWeights } from "../network/standardise.ts";
import type {
  AttributeValue,
  OnnxConstant,
  OnnxModel,
  OnnxNode,
  OnnxValue,
} from "./onnxruntime/model.ts";

export interface InferenceModelOptions {
  readonly resolutionPixels: number;
  /** Give the logits as a second output, `logits`. */
  readonly logits: boolean;
  /** What the file says of itself (metadata_props). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Names of the model's input and outputs. */
export const inferenceNames = { images: "images", scores: "scores", logits: "logits" } as const;

/**
 * A trained network as an ONNX model of its own for use elsewhere: `images` [N, 1, H, W] in [0, 1]
 * to `scores` [N, labels], the sigmoid of the logits, for any N.
 *
 * It is written straight from the network's layers with ONNX's own operators (set 17), not from
 * the graph that trains, whose shapes are fixed and which uses operators of one runtime. So it is
 * also a second account of the forward pass, and tests hold the two against each other.
 *
 * @param weights flat, in the order of the network's parameters
 */
export function inferenceModel(
  network: NetworkDescription,
  weights: Float32Array,
  options: InferenceModelOptions,
): OnnxModel {
  const writer = new ModelWriter(network, weights);
  const logits = writer.chain(network.layers, inferenceNames.images);
  if (options.logits) writer.node("Identity", [logits], {}, inferenceNames.logits);
  writer.node("Sigmoid", [logits], {}, inferenceNames.scores);
  const { resolutionPixels: side } = options;
  const output = (name: string): OnnxValue => ({
    name,
    type: "float32",
    shape: ["images", network.labels],
  });
  return {
    name: network.name,
    nodes: writer.nodes,
    constants: writer.constants,
    inputs: [{ name: inferenceNames.images, type: "float32", shape: ["images", 1, side, side] }],
    outputs: [
      output(inferenceNames.scores),
      ...(options.logits ? [output(inferenceNames.logits)] : []),
    ],
    metadata: options.metadata,
    portable: true,
  };
}

class ModelWriter {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  readonly #network: NetworkDescription;
  readonly #weights: Float32Array;
  readonly #known = new Set<string>();
  /** Values [N, features], pooled; all others are maps [N, channels, H, W]. */
  readonly #pooled = new Set<string>();
  #count = 0;

  constructor(network: NetworkDescription, weights: Float32Array) {
    this.#network = network;
    this.#weights = weights;
  }

  /** Adds a node. @returns the name of its output */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = this.#newName(),
  ): string {
    this.nodes.push({ operator, domain: "", inputs, outputs: [output], attributes });
    const [first = ""] = inputs;
    if (operator === "Flatten" || this.#pooled.has(first)) this.#pooled.add(output);
    return output;
  }

  chain(layers: readonly Layer[], input: string): string {
    return layers.reduce((from, layer) => this.#layer(layer, from), input);
  }

  #layer(layer: Layer, from: string): string {
    switch (layer.kind) {
      case "conv2d": {
        const bias = layer.bias ? [this.#parameter(`${layer.name}.bias`)] : [];
        return this.node("Conv", [from, this.#parameter(`${layer.name}.weight`), ...bias], {
          ...windowAttributes(layer),
          group: { int: layer.groups },
        });
      }
      case "standardisedConv2d": {
        const bias = layer.bias ? [this.#parameter(`${layer.name}.bias`)] : [];
        const weight = this.#constant({
          name: `${layer.name}.weight`,
          type: "float32",
          shape: parameterNamed(this.#network, `${layer.name}.weight`).shape,
          data: standardisedWeights(this.#network, this.#weights, layer),
        });
        return this.node("Conv", [from, weight, ...bias], windowAttributes(layer));
      }
      case "groupNorm":
        return this.#groupNorm(layer, from);
      case "layerNorm":
        return this.#layerNorm(layer, from);
      case "layerScale": {
        const shape = this.#pooled.has(from) ? [layer.channels] : [layer.channels, 1, 1];
        return this.node("Mul", [from, this.#parameter(layer.name, shape)]);
      }
      case "activation":
        return this.#activation(layer.function, from);
      case "maxPool":
        return this.node("MaxPool", [from], windowAttributes(layer));
      case "averagePool":
        return this.node("AveragePool", [from], {
          ...windowAttributes(layer),
          count_include_pad: { int: 1 },
        });
      case "globalAveragePool":
        return this.node("Flatten", [this.node("GlobalAveragePool", [from])], {
          axis: { int: 1 },
        });
      case "dense": {
        const bias = this.#parameter(`${layer.name}.bias`);
        if (!this.#pooled.has(from)) {
          const shape = [layer.outputFeatures, layer.inputFeatures, 1, 1];
          return this.node("Conv", [from, this.#parameter(`${layer.name}.weight`, shape), bias]);
        }
        const weight = this.#parameter(`${layer.name}.weight`);
        return this.node("Gemm", [from, weight, bias], { transB: { int: 1 } });
      }
      case "residual": {
        const main = this.chain(layer.body, from);
        const side = this.chain(layer.shortcut, from);
        return this.node("Add", [main, side]);
      }
    }
  }

  /** Each group becomes one channel of an instance normalisation; scale and shift come after. */
  #groupNorm({ name, channels, groups, epsilon }: GroupNormLayer, from: string): string {
    const shape = this.node("Shape", [from]);
    const grouped = this.node("Reshape", [from, this.#whole([0, groups, -1])]);
    const normal = this.node(
      "InstanceNormalization",
      [grouped, this.#filled(groups, 1), this.#filled(groups, 0)],
      { epsilon: { float: epsilon } },
    );
    const back = this.node("Reshape", [normal, shape]);
    const perChannel = [channels, 1, 1];
    const scaled = this.node("Mul", [back, this.#parameter(`${name}.weight`, perChannel)]);
    return this.node("Add", [scaled, this.#parameter(`${name}.bias`, perChannel)]);
  }

  /** The operator takes the last axes, so maps are turned to have their channels there. */
  #layerNorm({ name, epsilon }: LayerNormLayer, from: string): string {
    const parameters = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
    const normalised = (x: string): string =>
      this.node("LayerNormalization", [x, ...parameters], {
        axis: { int: -1 },
        epsilon: { float: epsilon },
      });
    if (this.#pooled.has(from)) return normalised(from);
    const channelsLast = this.node("Transpose", [from], { perm: { ints: [0, 2, 3, 1] } });
    return this.node("Transpose", [normalised(channelsLast)], { perm: { ints: [0, 3, 1, 2] } });
  }

  #activation(name: ActivationName, x: string): string {
    switch (name) {
      case "mish":
        return this.node("Mul", [x, this.node("Tanh", [this.node("Softplus", [x])])]);
      case "relu":
        return this.node("Relu", [x]);
      case "silu":
        return this.node("Mul", [x, this.node("Sigmoid", [x])]);
      case "gelu": {
        const inner = this.node("Mul", [x, this.#number(Math.SQRT1_2)]);
        const share = this.node("Add", [this.node("Erf", [inner]), this.#number(1)]);
        return this.node("Mul", [this.node("Mul", [x, share]), this.#number(0.5)]);
      }
    }
  }

  #parameter(name: string, shape?: readonly number[]): string {
    const parameter = parameterNamed(this.#network, name);
    const data = this.#weights.slice(parameter.offset, parameter.offset + parameter.size);
    return this.#constant({ name, type: "float32", shape: shape ?? parameter.shape, data });
  }

  #number(value: number): string {
    const data = Float32Array.of(value);
    return this.#constant({ name: `number.${value}`, type: "float32", shape: [], data });
  }

  #filled(count: number, value: number): string {
    const data = new Float32Array(count).fill(value);
    const name = `filled.${count}.${value}`;
    return this.#constant({ name, type: "float32", shape: [count], data });
  }

  #whole(values: readonly number[]): string {
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    const name = `whole.${values.join(".")}`;
    return this.#constant({ name, type: "int64", shape: [values.length], data });
  }

  #constant(constant: OnnxConstant): string {
    if (!this.#known.has(constant.name)) this.constants.push(constant);
    this.#known.add(constant.name);
    return constant.name;
  }

  #newName(): string {
    this.#count += 1;
    return `value.${this.#count}`;
  }
}

function windowAttributes(window: MovingWindow): Record<string, AttributeValue> {
  const { height, width } = axisWindows(window);
  return {
    kernel_shape: { ints: [height.kernel, width.kernel] },
    strides: { ints: [height.stride, width.stride] },
    pads: { ints: [height.padding, width.padding, height.padding, width.padding] },
  };
}

/**
 * A network as plain data: what its layers are called, what they do, and how big they are. A new
 * network is a new list of layers and needs no new code. Weights live elsewhere, in one flat
 * vector, in the order of `parameters`.
 */

export type ActivationName = "mish" | "relu" | "silu" | "gelu";

/** One number for both axes, or one for each. */
export type Extents = number | readonly [height: number, width: number];

/** A window that moves over maps, as a layer states it. */
export interface MovingWindow {
  readonly kernel: Extents;
  readonly stride: Extents;
  readonly padding: Extents;
}

/** What a window does along one axis. */
export interface AxisWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

export interface Conv2dLayer extends MovingWindow {
  readonly kind: "conv2d";
  readonly name: string;
  readonly inputChannels: number;
  readonly outputChannels: number;
  /**
   * Neighbouring channels that are convolved by themselves: 1 for all with each other,
   * inputChannels for a depthwise convolution. It divides both numbers of channels.
   */
  readonly groups: number;
  readonly bias: boolean;
  /** Standard deviation of normal starting weights, with biases of 0; He's where absent. */
  readonly initialDeviation?: number;
}

/**
 * A convolution whose weights are standardised before use, for each output over its inputs and
 * taps: (w - mean) gain / sqrt(max(fan-in variance, epsilon)), with a learned gain. Scaled weight
 * standardisation (Brock, De and Smith 2021, arXiv 2101.08692), as De et al. 2022 (arXiv
 * 2204.13650) train it privately. The statistics are those of the weights, not of any image.
 */
export interface StandardisedConv2dLayer extends MovingWindow {
  readonly kind: "standardisedConv2d";
  readonly name: string;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly bias: boolean;
  /** Floor of the fan-in times the variance; theirs is 1e-4. */
  readonly epsilon: number;
}

export interface GroupNormLayer {
  readonly kind: "groupNorm";
  readonly name: string;
  readonly channels: number;
  readonly groups: number;
  readonly epsilon: number;
}

/** Each pixel's channels, or each image's features, get mean 0 and variance 1 (ConvNeXt's). */
export interface LayerNormLayer {
  readonly kind: "layerNorm";
  readonly name: string;
  readonly channels: number;
  readonly epsilon: number;
}

/**
 * Each channel times a learned factor: the layer scale of ConvNeXt (Touvron et al. 2021, arXiv
 * 2103.17239), which starts small so that a residual block starts as the identity.
 */
export interface LayerScaleLayer {
  readonly kind: "layerScale";
  /** The name of the parameter itself, as torchvision has it: no ".weight" follows. */
  readonly name: string;
  readonly channels: number;
  readonly initial: number;
}

export interface ActivationLayer {
  readonly kind: "activation";
  readonly function: ActivationName;
}

/** The average counts padded zeros in its divisor, as torch does by default. */
export interface PoolLayer {
  readonly kind: "maxPool" | "averagePool";
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** [images, height, width, channels] to [images, channels]. */
export interface GlobalAveragePoolLayer {
  readonly kind: "globalAveragePool";
}

/** On features, or on each pixel's channels alike. */
export interface DenseLayer {
  readonly kind: "dense";
  readonly name: string;
  readonly inputFeatures: number;
  readonly outputFeatures: number;
  /** Standard deviation of normal starting weights, with biases of 0; torch's bound where absent. */
  readonly initialDeviation?: number;
}

/**
 * The sum of two paths from one input; an empty shortcut is the input itself. Scale normalisation
 * (Klause et al. 2022, arXiv 2203.00324) is a group normalisation behind it.
 */
export interface ResidualLayer {
  readonly kind: "residual";
  readonly body: readonly Layer[];
  readonly shortcut: readonly Layer[];
}

export type Layer =
  | Conv2dLayer
  | StandardisedConv2dLayer
  | GroupNormLayer
  | LayerNormLayer
  | LayerScaleLayer
  | ActivationLayer
  | PoolLayer
  | GlobalAveragePoolLayer
  | DenseLayer
  | ResidualLayer;

/** One named tensor in the flat weight vector. */
export interface Parameter {
  /** torchvision's name: "conv1.weight", "layer2.0.downsample.1.bias", "fc.bias", ... */
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first value in the flat vector. */
  readonly offset: number;
  readonly size: number;
}

export interface NetworkDescription {
  readonly name: string;
  /** Radiographs are grey: one channel. */
  readonly inputChannels: number;
  /** Number of logits. */
  readonly labels: number;
  readonly layers: readonly Layer[];
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
}

/** Every layer in the order of computation, those inside residual blocks included. */
export function* eachLayer(layers: readonly Layer[]): Generator<Layer> {
  for (const layer of layers) {
    yield layer;
    if (layer.kind === "residual") {
      yield* eachLayer(layer.body);
      yield* eachLayer(layer.shortcut);
    }
  }
}

/** Names and shapes of a layer's own parameters, torch's order and layout (OIHW). */
function parameterShapes(layer: Layer): { name: string; shape: number[] }[] {
  switch (layer.kind) {
    case "conv2d": {
      const { height, width } = axisWindows(layer);
      const perGroup = layer.inputChannels / layer.groups;
      const shape = [layer.outputChannels, perGroup, height.kernel, width.kernel];
      const weight = { name: `${layer.name}.weight`, shape };
      if (!layer.bias) return [weight];
      return [weight, { name: `${layer.name}.bias`, shape: [layer.outputChannels] }];
    }
    case "standardisedConv2d": {
      const { height, width } = axisWindows(layer);
      const weight = [layer.outputChannels, layer.inputChannels, height.kernel, width.kernel];
      return [
        { name: `${layer.name}.weight`, shape: weight },
        { name: `${layer.name}.gain`, shape: [layer.outputChannels] },
        ...(layer.bias ? [{ name: `${layer.name}.bias`, shape: [layer.outputChannels] }] : []),
      ];
    }
    case "layerScale":
      return [{ name: layer.name, shape: [layer.channels, 1, 1] }];
    case "groupNorm":
    case "layerNorm":
      return [
        { name: `${layer.name}.weight`, shape: [layer.channels] },
        { name: `${layer.name}.bias`, shape: [layer.channels] },
      ];
    case "dense":
      return [
        { name: `${layer.name}.weight`, shape: [layer.outputFeatures, layer.inputFeatures] },
        { name: `${layer.name}.bias`, shape: [layer.outputFeatures] },
      ];
    case "activation":
    case "maxPool":
    case "averagePool":
    case "globalAveragePool":
    case "residual":
      return [];
  }
}

/** Places each parameter in the flat vector, in the order of the layers. */
export function layOutParameters(layers: readonly Layer[]): Parameter[] {
  const parameters: Parameter[] = [];
  let offset = 0;
  for (const layer of eachLayer(layers)) {
    for (const { name, shape } of parameterShapes(layer)) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      parameters.push({ name, shape, offset, size });
      offset += size;
    }
  }
  return parameters;
}

/** The parameter of that name. Throws where the network has none: a programming error. */
export function parameterNamed(network: NetworkDescription, name: string): Parameter {
  const parameter = network.parameters.find((candidate) => candidate.name === name);
  if (parameter === undefined) throw new Error(`${network.name} has no parameter ${name}`);
  return parameter;
}

/** The two axes of a window. */
export function axisWindows({ kernel, stride, padding }: MovingWindow): {
  height: AxisWindow;
  width: AxisWindow;
} {
  const along = (axis: 0 | 1): AxisWindow => {
    const of = (both: Extents): number => (typeof both === "number" ? both : both[axis]);
    return { kernel: of(kernel), stride: of(stride), padding: of(padding) };
  };
  return { height: along(0), width: along(1) };
}

/** Input pixels under a window. */
export function tapsOf(window: MovingWindow): number {
  const { height, width } = axisWindows(window);
  return height.kernel * width.kernel;
}

/** Height or width after a convolution or pooling window has moved along it (floor, as torch). */
export function outputExtent(extent: number, window: AxisWindow): number {
  return Math.floor((extent + 2 * window.padding - window.kernel) / window.stride) + 1;
}

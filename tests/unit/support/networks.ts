import fc from "fast-check";
import {
  defineNetwork,
  type Extents,
  type Layer,
  type NetworkDescription,
} from "../../../src/main/network/index.ts";
import { convnext } from "../../../src/main/network/convnext.ts";

export type BodyLayer = Layer;

/** A small network around some layers, closed by pooling and a dense head. */
export function networkAround(
  layers: readonly Layer[],
  channels: number,
  labels = 2,
): NetworkDescription {
  return defineNetwork({
    name: "test",
    labels,
    layers: [
      ...layers,
      { kind: "globalAveragePool" },
      { kind: "dense", name: "fc", inputFeatures: channels, outputFeatures: labels },
    ],
  });
}

export function conv(
  name: string,
  inputChannels: number,
  outputChannels: number,
  options: Partial<Extract<Layer, { kind: "conv2d" }>> = {},
): Layer {
  return {
    kind: "conv2d",
    name,
    inputChannels,
    outputChannels,
    kernel: 3,
    stride: 1,
    padding: 1,
    groups: 1,
    bias: false,
    ...options,
  };
}

export function standardisedConv(
  name: string,
  inputChannels: number,
  outputChannels: number,
  options: Partial<Extract<Layer, { kind: "standardisedConv2d" }>> = {},
): Layer {
  return {
    kind: "standardisedConv2d",
    name,
    inputChannels,
    outputChannels,
    kernel: 3,
    stride: 1,
    padding: 1,
    bias: true,
    epsilon: 1e-4,
    ...options,
  };
}

/** ConvNeXt with one block in each stage and few channels; for 32 pixels or more. */
export function smallConvnext(labels = 2): NetworkDescription {
  const stages = [4, 6, 8, 12].map((channels) => ({ channels, blocks: 1 }));
  return defineNetwork({ name: "convnext-test", labels, layers: convnext(stages, labels) });
}

/** A small network with every kind of layer but the maximum's kinks. */
export function everyKind(labels = 2): NetworkDescription {
  return defineNetwork({
    name: "every kind",
    labels,
    layers: [
      standardisedConv("stem", 1, 6),
      { kind: "activation", function: "silu" },
      { kind: "averagePool", kernel: 3, stride: 2, padding: 1 },
      {
        kind: "residual",
        body: [
          conv("depthwise", 6, 6, { groups: 6, kernel: 5, padding: 2, bias: true }),
          { kind: "layerNorm", name: "channels", channels: 6, epsilon: 1e-6 },
          { kind: "dense", name: "up", inputFeatures: 6, outputFeatures: 12 },
          { kind: "activation", function: "gelu" },
          { kind: "dense", name: "down", inputFeatures: 12, outputFeatures: 6 },
          { kind: "layerScale", name: "scale", channels: 6, initial: 0.5 },
        ],
        shortcut: [],
      },
      { kind: "groupNorm", name: "scaleNorm", channels: 6, groups: 2, epsilon: 1e-5 },
      standardisedConv("inner", 6, 8, { stride: 2 }),
      { kind: "activation", function: "mish" },
      conv("last", 8, 32, { stride: 2, bias: true }),
      { kind: "globalAveragePool" },
      { kind: "layerNorm", name: "features", channels: 32, epsilon: 1e-6 },
      { kind: "dense", name: "fc", inputFeatures: 32, outputFeatures: labels },
    ],
  });
}

/** Rectangular windows of every kind of convolution, and groups of channels. */
export function rectangularAndGrouped(labels = 2): NetworkDescription {
  return networkAround(
    [
      conv("stem", 1, 4, { kernel: [1, 5], padding: [0, 2], stride: [1, 2], bias: true }),
      { kind: "activation", function: "mish" },
      conv("grouped", 4, 6, { groups: 2, kernel: [3, 2], padding: [2, 0], bias: true }),
      { kind: "activation", function: "silu" },
      conv("depthwise", 6, 6, { groups: 6, kernel: [3, 1], padding: [1, 0], stride: [2, 1] }),
      standardisedConv("standardised", 6, 8, { kernel: [2, 3], stride: [2, 1] }),
      { kind: "activation", function: "gelu" },
      conv("deep", 8, 16, { groups: 4, stride: [2, 1] }),
    ],
    16,
    labels,
  );
}

/** What a random network is made of. */
interface Choices {
  readonly channels: number;
  readonly kernel: Extents;
  readonly stride: Extents;
  readonly padding: Extents;
  readonly bias: boolean;
  readonly standardised: boolean;
  readonly activation: "mish" | "silu" | "gelu";
  readonly pool: { readonly kernel: number; readonly stride: number; readonly padding: number };
  readonly pools: boolean;
  readonly norm: "none" | "group" | "layer";
  readonly block:
    "none" | "identity" | "projected" | "depthwise" | "grouped" | "convnext" | "preactivated";
  readonly scaleNorm: boolean;
  readonly hidden: boolean;
  readonly labels: number;
}

function networkOf(choices: Choices): NetworkDescription {
  const { channels, kernel, stride, padding, bias, norm, block, labels } = choices;
  const activate: Layer = { kind: "activation", function: choices.activation };
  const normalise = (name: string, width: number): Layer[] => {
    if (norm === "group")
      return [{ kind: "groupNorm", name, channels: width, groups: 2, epsilon: 1e-5 }];
    // Two channels normalised to plus and minus one are as good as constant.
    if (norm === "layer" && width > 2)
      return [{ kind: "layerNorm", name, channels: width, epsilon: 1e-3 }];
    return [];
  };
  const convolution = choices.standardised ? standardisedConv : conv;
  const layers: Layer[] = [
    convolution("conv1", 1, channels, { kernel, stride, padding, bias }),
    ...normalise("bn1", channels),
    activate,
  ];
  if (choices.pools) layers.push({ kind: "averagePool", ...choices.pool });
  let width = channels;
  switch (block) {
    case "none":
      break;
    case "identity":
      layers.push(
        {
          kind: "residual",
          body: [
            convolution("block.conv1", width, width, { bias }),
            ...normalise("block.bn1", width),
            activate,
          ],
          shortcut: [],
        },
        activate,
      );
      break;
    case "preactivated":
      layers.push({
        kind: "residual",
        body: [
          activate,
          ...normalise("block.bn1", width),
          standardisedConv("block.conv1", width, width),
        ],
        shortcut: [],
      });
      break;
    case "projected":
      width = channels * 2;
      layers.push({
        kind: "residual",
        body: [convolution("block.conv1", channels, width, { stride: 2, bias }), activate],
        shortcut: [
          convolution("block.downsample.0", channels, width, {
            kernel: 1,
            stride: 2,
            padding: 0,
            bias: false,
          }),
        ],
      });
      break;
    case "depthwise":
      layers.push(conv("block.depthwise", width, width, { groups: width, bias, stride: 2 }));
      break;
    case "grouped":
      layers.push(
        conv("block.0", width, 2 * width, { groups: 2, kernel: [3, 2], padding: [1, 0], bias }),
        activate,
        conv("block.1", 2 * width, width, { groups: 2, stride: [1, 2] }),
      );
      break;
    case "convnext":
      layers.push({
        kind: "residual",
        body: [
          conv("block.0", width, width, { groups: width, kernel: 5, padding: 2, bias: true }),
          ...normalise("block.2", width),
          { kind: "dense", name: "block.3", inputFeatures: width, outputFeatures: 2 * width },
          activate,
          { kind: "dense", name: "block.5", inputFeatures: 2 * width, outputFeatures: width },
          { kind: "layerScale", name: "layer_scale", channels: width, initial: 0.5 },
        ],
        shortcut: [],
      });
      break;
  }
  if (choices.scaleNorm)
    layers.push({ kind: "groupNorm", name: "scale", channels: width, groups: 2, epsilon: 1e-3 });
  if (!choices.hidden) return networkAround(layers, width, labels);
  return defineNetwork({
    name: "test",
    labels,
    layers: [
      ...layers,
      { kind: "globalAveragePool" },
      { kind: "dense", name: "hidden", inputFeatures: width, outputFeatures: 5 },
      ...(norm === "layer" ? normalise("last", 5) : []),
      activate,
      { kind: "dense", name: "fc", inputFeatures: 5, outputFeatures: labels },
    ],
  });
}

/** Small smooth networks of random depth, widths, windows and shortcuts, for 6 to 9 pixels. */
export const smoothNetworks: fc.Arbitrary<NetworkDescription> = fc
  .record({
    channels: fc.constantFrom(2, 4),
    kernel: fc.constantFrom<Extents[]>(1, 2, 3, 5, [1, 4], [3, 2]),
    stride: fc.constantFrom<Extents[]>(1, 2, 3, [1, 2], [3, 1]),
    padding: fc.constantFrom<Extents[]>(0, 1, 2, [0, 2], [1, 0]),
    bias: fc.boolean(),
    standardised: fc.boolean(),
    activation: fc.constantFrom("mish", "silu", "gelu" as const),
    pools: fc.boolean(),
    pool: fc.constantFrom(
      { kernel: 3, stride: 2, padding: 1 },
      { kernel: 2, stride: 1, padding: 1 },
      { kernel: 2, stride: 3, padding: 1 },
    ),
    norm: fc.constantFrom("none", "group", "layer" as const),
    block: fc.constantFrom(
      "none",
      "identity",
      "projected",
      "depthwise",
      "grouped",
      "convnext",
      "preactivated" as const,
    ),
    scaleNorm: fc.boolean(),
    hidden: fc.boolean(),
    labels: fc.integer({ min: 1, max: 3 }),
  })
  // A window of one pixel holds one weight for each output, which standardises to nothing.
  .filter(({ standardised, kernel }) => !(standardised && kernel === 1))
  .map(networkOf);

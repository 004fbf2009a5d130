import fc from "fast-check";
import {
  defineNetwork,
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

/** Small smooth networks of random depth, widths, windows and shortcuts, for 6 to 9 pixels. */
export const smoothNetworks: fc.Arbitrary<NetworkDescription> = fc
  .record({
    first: fc.record({
      channels: fc.constantFrom(2, 4),
      kernel: fc.constantFrom(1, 2, 3, 5),
      stride: fc.constantFrom(1, 2),
      bias: fc.boolean(),
    }),
    activation: fc.constantFrom("mish", "silu", "gelu" as const),
    pool: fc.boolean(),
    norm: fc.boolean(),
    block: fc.constantFrom("none", "identity", "projected", "depthwise" as const),
    labels: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ first, activation, pool, norm, block, labels }) => {
    const { channels, kernel, stride, bias } = first;
    const activate: Layer = { kind: "activation", function: activation };
    const normalise = (name: string, width: number): Layer[] =>
      norm ? [{ kind: "groupNorm", name, channels: width, groups: 2, epsilon: 1e-5 }] : [];
    const layers: Layer[] = [
      conv("conv1", 1, channels, { kernel, stride, padding: Math.floor(kernel / 2), bias }),
      ...normalise("bn1", channels),
      activate,
    ];
    if (pool) layers.push({ kind: "averagePool", kernel: 3, stride: 2, padding: 1 });
    let width = channels;
    if (block === "identity")
      layers.push(
        {
          kind: "residual",
          body: [conv("block.conv1", width, width), ...normalise("block.bn1", width), activate],
          shortcut: [],
        },
        activate,
      );
    if (block === "projected") {
      width = channels * 2;
      layers.push({
        kind: "residual",
        body: [conv("block.conv1", channels, width, { stride: 2 }), activate],
        shortcut: [
          conv("block.downsample.0", channels, width, { kernel: 1, stride: 2, padding: 0 }),
        ],
      });
    }
    if (block === "depthwise")
      layers.push(conv("block.depthwise", width, width, { groups: width, bias: true, stride: 2 }));
    return networkAround(layers, width, labels);
  });

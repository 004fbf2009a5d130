import { UserError } from "../../shared/errors.ts";
import type { ActivationName, Conv2dLayer, Layer, NetworkDescription } from "./description.ts";
import { defineNetwork } from "./validate.ts";

/** The networks that can be chosen by name, the study's first. */
export const networkNames = ["resnet9", "resnet18", "resnet9-small", "resnet9-smooth"] as const;

export type NetworkName = (typeof networkNames)[number];

interface ResNetChoices {
  readonly name: NetworkName;
  readonly stem: readonly Layer[];
  /** Channels of the four stages. */
  readonly widths: readonly [number, number, number, number];
  /** Basic blocks in each stage. */
  readonly blocks: number;
  readonly normGroups: number;
  readonly activation: ActivationName;
  readonly labels: number;
}

function conv(
  name: string,
  inputChannels: number,
  outputChannels: number,
  kernel: number,
  stride: number,
): Conv2dLayer {
  return {
    kind: "conv2d",
    name,
    inputChannels,
    outputChannels,
    kernel,
    stride,
    padding: (kernel - 1) / 2,
    groups: 1,
    bias: false,
  };
}

function norm(name: string, channels: number, groups: number): Layer {
  // torch's default epsilon, which the study kept.
  return { kind: "groupNorm", name, channels, groups, epsilon: 1e-5 };
}

function activate(name: ActivationName): Layer {
  return { kind: "activation", function: name };
}

/** torchvision's BasicBlock: two 3x3 convolutions beside a shortcut, then the activation. */
function basicBlock(
  name: string,
  inputChannels: number,
  outputChannels: number,
  stride: number,
  choices: ResNetChoices,
): Layer[] {
  const { normGroups, activation } = choices;
  const reshapes = stride !== 1 || inputChannels !== outputChannels;
  return [
    {
      kind: "residual",
      body: [
        conv(`${name}.conv1`, inputChannels, outputChannels, 3, stride),
        norm(`${name}.bn1`, outputChannels, normGroups),
        activate(activation),
        conv(`${name}.conv2`, outputChannels, outputChannels, 3, 1),
        norm(`${name}.bn2`, outputChannels, normGroups),
      ],
      shortcut: reshapes
        ? [
            conv(`${name}.downsample.0`, inputChannels, outputChannels, 1, stride),
            norm(`${name}.downsample.1`, outputChannels, normGroups),
          ]
        : [],
    },
    activate(activation),
  ];
}

function resnet(choices: ResNetChoices): NetworkDescription {
  const layers: Layer[] = [...choices.stem];
  let channels = choices.widths[0];
  choices.widths.forEach((width, stage) => {
    for (let block = 0; block < choices.blocks; block += 1) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      layers.push(...basicBlock(`layer${stage + 1}.${block}`, channels, width, stride, choices));
      channels = width;
    }
  });
  layers.push(
    { kind: "globalAveragePool" },
    { kind: "dense", name: "fc", inputFeatures: channels, outputFeatures: choices.labels },
  );
  return defineNetwork({ name: choices.name, labels: choices.labels, layers });
}

/** torchvision's stem: 7x7 stride 2, normalisation, activation, 3x3 stride-2 max-pool. */
function studyStem(): Layer[] {
  return [
    conv("conv1", 1, 64, 7, 2),
    norm("bn1", 64, 32),
    activate("mish"),
    { kind: "maxPool", kernel: 3, stride: 2, padding: 1 },
  ];
}

/**
 * A network by its name, for a number of labels (the study's 8 by default).
 *
 * - `resnet9`: the study's. torchvision's ResNet with basic blocks [1,1,1,1], GroupNorm(32) for
 *   BatchNorm and Mish for ReLU; 4,903,624 parameters, the study's 4,909,896 less the 2 x 3,136
 *   weights of its two repeated input channels.
 * - `resnet18`: the same with blocks [2,2,2,2].
 * - `resnet9-small`: widths 16 to 128 and a 3x3 stride-2 stem without pooling, so that a film of
 *   64 pixels still reaches the first stage with 32. Eight groups keep the study's 2 to 16
 *   channels in a group.
 * - `resnet9-smooth`: the small one with average pooling in place of the stem's stride. It has
 *   no kinks, so its float32 gradients can be compared tightly.
 *
 * Throws UserError ("not-found") for any other name.
 */
export function networkNamed(name: string, labels = 8): NetworkDescription {
  const small = {
    widths: [16, 32, 64, 128],
    blocks: 1,
    normGroups: 8,
    activation: "mish",
    labels,
  } as const;
  const study = {
    stem: studyStem(),
    widths: [64, 128, 256, 512],
    normGroups: 32,
    activation: "mish",
    labels,
  } as const;
  switch (name) {
    case "resnet9":
      return resnet({ ...study, name, blocks: 1 });
    case "resnet18":
      return resnet({ ...study, name, blocks: 2 });
    case "resnet9-small":
      return resnet({
        ...small,
        name,
        stem: [conv("conv1", 1, 16, 3, 2), norm("bn1", 16, 8), activate("mish")],
      });
    case "resnet9-smooth":
      return resnet({
        ...small,
        name,
        stem: [
          conv("conv1", 1, 16, 3, 1),
          norm("bn1", 16, 8),
          activate("mish"),
          { kind: "averagePool", kernel: 3, stride: 2, padding: 1 },
        ],
      });
    default:
      throw new UserError(
        "not-found",
        `There is no network named ${name}. Choose one of: ${networkNames.join(", ")}.`,
      );
  }
}

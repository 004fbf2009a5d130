import type { ActivationName, Conv2dLayer, Layer } from "./description.ts";

interface ResNetChoices {
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

/** torchvision's ResNet with basic blocks and group normalisation, one input channel. */
function resnet(choices: ResNetChoices): Layer[] {
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
  return layers;
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

function study(blocks: number, labels: number): Layer[] {
  return resnet({
    stem: studyStem(),
    widths: [64, 128, 256, 512],
    blocks,
    normGroups: 32,
    activation: "mish",
    labels,
  });
}

function small(stem: readonly Layer[], labels: number): Layer[] {
  return resnet({
    stem,
    widths: [16, 32, 64, 128],
    blocks: 1,
    normGroups: 8,
    activation: "mish",
    labels,
  });
}

/**
 * The study's network: torchvision's ResNet with basic blocks [1,1,1,1], GroupNorm(32) for
 * BatchNorm and Mish for ReLU; 4,903,624 parameters with 8 labels, the study's 4,909,896 less the
 * 2 x 3,136 weights of its two repeated input channels.
 */
export function resnet9(labels: number): Layer[] {
  return study(1, labels);
}

/** The same with blocks [2,2,2,2]. */
export function resnet18(labels: number): Layer[] {
  return study(2, labels);
}

/**
 * Widths 16 to 128 and a 3x3 stride-2 stem without pooling, so that a film of 64 pixels still
 * reaches the first stage with 32. Eight groups keep the study's 2 to 16 channels in a group.
 */
export function resnet9Small(labels: number): Layer[] {
  return small([conv("conv1", 1, 16, 3, 2), norm("bn1", 16, 8), activate("mish")], labels);
}

/**
 * The small one with average pooling in place of the stem's stride. It has no kinks, so its
 * float32 gradients can be compared tightly.
 */
export function resnet9Smooth(labels: number): Layer[] {
  return small(
    [
      conv("conv1", 1, 16, 3, 1),
      norm("bn1", 16, 8),
      activate("mish"),
      { kind: "averagePool", kernel: 3, stride: 2, padding: 1 },
    ],
    labels,
  );
}

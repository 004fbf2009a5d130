import type { Layer } from "./description.ts";

/** The standard deviation of torchvision's starting weights; its truncation at 2 never bites. */
const initialDeviation = 0.02;

function conv(
  name: string,
  inputChannels: number,
  outputChannels: number,
  window: { readonly kernel: number; readonly stride: number; readonly padding: number },
  groups = 1,
): Layer {
  return {
    kind: "conv2d",
    name,
    inputChannels,
    outputChannels,
    ...window,
    groups,
    bias: true,
    initialDeviation,
  };
}

function norm(name: string, channels: number): Layer {
  return { kind: "layerNorm", name, channels, epsilon: 1e-6 };
}

function dense(name: string, inputFeatures: number, outputFeatures: number): Layer {
  return { kind: "dense", name, inputFeatures, outputFeatures, initialDeviation };
}

/** torchvision's CNBlock; the numbers skip its permutations, which have no weights. */
function block(name: string, channels: number): Layer {
  return {
    kind: "residual",
    body: [
      conv(`${name}.block.0`, channels, channels, { kernel: 7, stride: 1, padding: 3 }, channels),
      norm(`${name}.block.2`, channels),
      dense(`${name}.block.3`, channels, 4 * channels),
      { kind: "activation", function: "gelu" },
      dense(`${name}.block.5`, 4 * channels, channels),
      { kind: "layerScale", name: `${name}.layer_scale`, channels, initial: 1e-6 },
    ],
    shortcut: [],
  };
}

/** ConvNeXt (Liu et al. 2022, arXiv 2201.03545) with so many channels and blocks in each stage. */
export function convnext(
  stages: readonly { readonly channels: number; readonly blocks: number }[],
  labels: number,
): Layer[] {
  const layers: Layer[] = [];
  let inputs = 1;
  stages.forEach(({ channels, blocks }, stage) => {
    const before = `features.${2 * stage}`;
    if (stage === 0)
      layers.push(
        conv(`${before}.0`, inputs, channels, { kernel: 4, stride: 4, padding: 0 }),
        norm(`${before}.1`, channels),
      );
    else
      layers.push(
        norm(`${before}.0`, inputs),
        conv(`${before}.1`, inputs, channels, { kernel: 2, stride: 2, padding: 0 }),
      );
    for (let index = 0; index < blocks; index += 1)
      layers.push(block(`features.${2 * stage + 1}.${index}`, channels));
    inputs = channels;
  });
  layers.push(
    { kind: "globalAveragePool" },
    norm("classifier.0", inputs),
    dense("classifier.2", inputs, labels),
  );
  return layers;
}

/**
 * ConvNeXt-Tiny under torchvision's names, without the stochastic depth of its training.
 * 27,823,208 parameters with 8 labels: torchvision's 28,589,128 less two colour channels of the
 * stem and 992 of its 1000 classes.
 */
export function convnextTiny(labels: number): Layer[] {
  return convnext(
    [
      { channels: 96, blocks: 3 },
      { channels: 192, blocks: 3 },
      { channels: 384, blocks: 9 },
      { channels: 768, blocks: 3 },
    ],
    labels,
  );
}

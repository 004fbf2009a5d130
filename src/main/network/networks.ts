import { UserError } from "../../shared/errors.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";
import { convnextTiny } from "./convnext.ts";
import type { Layer, NetworkDescription } from "./description.ts";
import { resnet18, resnet9, resnet9Small, resnet9Smooth } from "./resnet.ts";
import { defineNetwork } from "./validate.ts";
import { wideResnet16x4 } from "./wide-resnet.ts";

interface NetworkChoice {
  readonly title: string;
  /** When to take it, in plain words. */
  readonly hint: string;
  readonly layers: (labels: number) => readonly Layer[];
}

/** The networks that can be chosen by name, the study's first. A new one is one more entry. */
const choices = {
  resnet9: {
    title: "ResNet-9, the study's",
    hint: "What the study trained. Take it to compare with the study, on a fast machine.",
    layers: resnet9,
  },
  resnet18: {
    title: "ResNet-18",
    hint: "The study's with twice the blocks: for weights of a torchvision ResNet-18 pretrained elsewhere.",
    layers: resnet18,
  },
  "resnet9-small": {
    title: "ResNet-9, small",
    hint: "A quarter of the study's width. The quickest, and right where there are few patients.",
    layers: resnet9Small,
  },
  "resnet9-smooth": {
    title: "ResNet-9, small and smooth",
    hint: "The small one without pooling by maximum, made for exact comparisons of gradients.",
    layers: resnet9Smooth,
  },
  "wrn16-4": {
    title: "WRN-16-4, weight-standardised",
    hint: "Known to learn well in private from nothing (De et al. 2022). It keeps the full resolution, so it is slow: 64 pixels or fewer without a GPU.",
    layers: wideResnet16x4,
  },
  "convnext-tiny": {
    title: "ConvNeXt-Tiny",
    hint: "Large: only with weights pretrained elsewhere (torchvision's fit), a GPU and many patients.",
    layers: convnextTiny,
  },
} as const satisfies Record<string, NetworkChoice>;

export type NetworkName = keyof typeof choices;

export const networkNames = Object.keys(choices) as readonly NetworkName[];

function isNetworkName(name: string): name is NetworkName {
  return Object.hasOwn(choices, name);
}

/**
 * A network by its name, for a number of labels (the study's 8 by default).
 *
 * Throws UserError ("not-found") for any other name.
 */
export function networkNamed(name: string, labels = 8): NetworkDescription {
  if (!isNetworkName(name))
    throw new UserError(
      "not-found",
      `There is no network named ${name}. Choose one of: ${networkNames.join(", ")}.`,
    );
  return defineNetwork({ name, labels, layers: choices[name].layers(labels) });
}

/**
 * The network that a recipe chose, for a number of labels.
 *
 * Throws UserError: "not-found" for a name that is none of the product's, "input" for layers that
 * are no network for that many labels, with the reason.
 */
export function networkOf(
  { network, networkLayers }: ChosenNetwork,
  labels = 8,
): NetworkDescription {
  return networkLayers === undefined
    ? networkNamed(network, labels)
    : defineNetwork({ name: network, labels, layers: networkLayers });
}

/** The networks to choose from, with their size and when to take which. */
export function networkChoices(): {
  readonly name: NetworkName;
  readonly title: string;
  readonly hint: string;
  readonly parameters: number;
}[] {
  return networkNames.map((name) => {
    const { title, hint } = choices[name];
    return { name, title, hint, parameters: networkNamed(name).parameterCount };
  });
}

import { UserError } from "../../shared/errors.ts";
import {
  layOutParameters,
  outputExtent,
  type Layer,
  type NetworkDescription,
} from "./description.ts";

/**
 * Layers that must not stand in a privately trained network, and why. The bound on one unit's
 * contribution holds only where the gradient of a unit depends on that unit alone.
 */
const mixingLayers: Readonly<Record<string, string>> = {
  batchNorm:
    "batch normalisation takes its mean and variance over the whole batch, so one patient's " +
    "images change every other patient's gradient and clipping bounds nothing; use groupNorm",
  syncBatchNorm:
    "synchronised batch normalisation takes its statistics over the whole batch, so clipping " +
    "bounds nothing; use groupNorm",
  contrastive:
    "a contrastive layer compares the examples of a batch with each other, so one unit's " +
    "gradient depends on the others; use a loss of each example by itself",
};

const knownKinds: ReadonlySet<string> = new Set<Layer["kind"]>([
  "conv2d",
  "groupNorm",
  "activation",
  "maxPool",
  "averagePool",
  "globalAveragePool",
  "dense",
  "residual",
]);

/** A layer as it may come from outside: any kind, checked by `defineNetwork`. */
export type UncheckedLayer = Layer | { readonly kind: string; readonly name?: string };

/** What flows between layers: maps of `channels`, or `features` once pooled. */
interface Flow {
  readonly spatial: boolean;
  readonly channels: number;
}

function problemOf(layer: Layer, flow: Flow): { problem: string } | { flow: Flow } {
  switch (layer.kind) {
    case "conv2d":
      if (!flow.spatial) return { problem: `${layer.name}: a convolution needs images` };
      if (flow.channels !== layer.inputChannels)
        return {
          problem: `${layer.name} expects ${layer.inputChannels} channels and gets ${flow.channels}`,
        };
      if (
        layer.groups !== 1 &&
        (layer.groups !== layer.inputChannels || layer.outputChannels !== layer.inputChannels)
      )
        return { problem: `${layer.name}: groups must be 1, or 1 for each channel (depthwise)` };
      return { flow: { spatial: true, channels: layer.outputChannels } };
    case "groupNorm":
      if (!flow.spatial) return { problem: `${layer.name}: group normalisation needs images` };
      if (flow.channels !== layer.channels)
        return {
          problem: `${layer.name} expects ${layer.channels} channels and gets ${flow.channels}`,
        };
      if (layer.channels % layer.groups !== 0)
        return { problem: `${layer.name}: ${layer.channels} channels in ${layer.groups} groups` };
      return { flow };
    case "maxPool":
    case "averagePool":
      if (!flow.spatial) return { problem: `${layer.kind} needs images` };
      if (2 * layer.padding > layer.kernel)
        return { problem: `${layer.kind}: padding ${layer.padding} exceeds half the window` };
      return { flow };
    case "globalAveragePool":
      if (!flow.spatial) return { problem: "globalAveragePool needs images" };
      return { flow: { spatial: false, channels: flow.channels } };
    case "dense":
      if (flow.spatial) return { problem: `${layer.name}: pool to features before a dense layer` };
      if (flow.channels !== layer.inputFeatures)
        return {
          problem: `${layer.name} expects ${layer.inputFeatures} features and gets ${flow.channels}`,
        };
      return { flow: { spatial: false, channels: layer.outputFeatures } };
    case "activation":
      return { flow };
    case "residual": {
      const body = follow(layer.body, flow);
      if ("problem" in body) return body;
      const shortcut = follow(layer.shortcut, flow);
      if ("problem" in shortcut) return shortcut;
      if (body.flow.channels !== shortcut.flow.channels)
        return {
          problem: `a residual block adds ${body.flow.channels} to ${shortcut.flow.channels} channels`,
        };
      return body;
    }
  }
}

function follow(layers: readonly Layer[], start: Flow): { problem: string } | { flow: Flow } {
  let flow = start;
  for (const layer of layers) {
    const next = problemOf(layer, flow);
    if ("problem" in next) return next;
    flow = next.flow;
  }
  return { flow };
}

function* eachUnchecked(layers: readonly UncheckedLayer[]): Generator<UncheckedLayer> {
  for (const layer of layers) {
    yield layer;
    if (layer.kind === "residual" && "body" in layer) {
      yield* eachUnchecked(layer.body);
      yield* eachUnchecked(layer.shortcut);
    }
  }
}

function allKnown(layers: readonly UncheckedLayer[]): layers is readonly Layer[] {
  return [...eachUnchecked(layers)].every((layer) => knownKinds.has(layer.kind));
}

/**
 * Checks a list of layers and makes a network of it.
 *
 * Throws UserError ("input") with the reason: a layer that mixes examples (batch normalisation
 * and the like), a kind this program does not know, channels that do not fit, a name used twice.
 */
export function defineNetwork(source: {
  readonly name: string;
  readonly labels: number;
  readonly layers: readonly UncheckedLayer[];
}): NetworkDescription {
  const refuse = (problem: string): UserError =>
    new UserError("input", `The network ${source.name} cannot be used: ${problem}.`);

  for (const layer of eachUnchecked(source.layers)) {
    const reason = mixingLayers[layer.kind];
    const label = "name" in layer ? `${layer.name}: ` : "";
    if (reason !== undefined) throw refuse(`${label}${reason}`);
    if (!knownKinds.has(layer.kind)) throw refuse(`${label}unknown kind of layer ${layer.kind}`);
  }
  const layers = source.layers;
  if (!allKnown(layers)) throw refuse("it holds an unknown kind of layer");

  const end = follow(layers, { spatial: true, channels: 1 });
  if ("problem" in end) throw refuse(end.problem);
  if (end.flow.spatial) throw refuse("it ends in maps, not in one logit for each label");
  if (end.flow.channels !== source.labels)
    throw refuse(`it ends in ${end.flow.channels} logits for ${source.labels} labels`);

  const parameters = layOutParameters(layers);
  const names = new Set(parameters.map((parameter) => parameter.name));
  if (names.size !== parameters.length) throw refuse("two layers have the same name");

  return {
    name: source.name,
    inputChannels: 1,
    labels: source.labels,
    layers,
    parameters,
    parameterCount: parameters.reduce((sum, parameter) => sum + parameter.size, 0),
  };
}

/**
 * Refuses a resolution at which a window no longer fits into its map.
 * Throws UserError ("input").
 */
export function checkResolution(network: NetworkDescription, resolutionPixels: number): void {
  if (!Number.isInteger(resolutionPixels) || resolutionPixels < 1)
    throw new UserError("input", `A resolution of ${resolutionPixels} pixels is not possible.`);
  let extent = resolutionPixels;
  const shrink = (layers: readonly Layer[]): void => {
    for (const layer of layers) {
      if (layer.kind === "residual") shrink(layer.body);
      else if ("kernel" in layer) extent = outputExtent(extent, layer);
      if (extent < 1)
        throw new UserError(
          "input",
          `${resolutionPixels} pixels are too few for the network ${network.name}; choose a ` +
            "higher resolution.",
        );
    }
  };
  shrink(network.layers);
}

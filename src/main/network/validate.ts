import { UserError } from "../../shared/errors.ts";
import {
  axisWindows,
  layOutParameters,
  outputExtent,
  type Layer,
  type NetworkDescription,
} from "./description.ts";
import { checkedLayers } from "./schema.ts";

/** What flows between layers: maps of `channels`, or `features` once pooled. */
interface Flow {
  readonly spatial: boolean;
  readonly channels: number;
}

type Followed = { readonly problem: string } | { readonly flow: Flow };

/** A layer that leaves the number of channels as it is, if that is `expected`. */
function keeping(name: string, expected: number, flow: Flow, unit = "channels"): Followed {
  return flow.channels === expected
    ? { flow }
    : { problem: `${name} expects ${expected} ${unit} and gets ${flow.channels}` };
}

function followOne(layer: Layer, flow: Flow): Followed {
  switch (layer.kind) {
    case "conv2d":
    case "standardisedConv2d": {
      if (!flow.spatial) return { problem: `${layer.name}: a convolution needs images` };
      const fits = keeping(layer.name, layer.inputChannels, flow);
      if ("problem" in fits) return fits;
      const { inputChannels, outputChannels } = layer;
      const groups = layer.kind === "conv2d" ? layer.groups : 1;
      if (inputChannels % groups !== 0 || outputChannels % groups !== 0)
        return {
          problem:
            `${layer.name}: groups (${groups}) must divide its ${inputChannels} input and ` +
            `${outputChannels} output channels`,
        };
      return { flow: { spatial: true, channels: outputChannels } };
    }
    case "groupNorm":
      if (!flow.spatial) return { problem: `${layer.name}: group normalisation needs images` };
      if (layer.channels % layer.groups !== 0)
        return { problem: `${layer.name}: ${layer.channels} channels in ${layer.groups} groups` };
      return keeping(layer.name, layer.channels, flow);
    case "layerNorm":
    case "layerScale":
      return keeping(layer.name, layer.channels, flow);
    case "maxPool":
    case "averagePool":
      if (!flow.spatial) return { problem: `${layer.kind} needs images` };
      if (2 * layer.padding > layer.kernel)
        return { problem: `${layer.kind}: padding ${layer.padding} exceeds half the window` };
      return { flow };
    case "globalAveragePool":
      if (!flow.spatial) return { problem: "globalAveragePool needs images" };
      return { flow: { spatial: false, channels: flow.channels } };
    case "dense": {
      const fits = keeping(layer.name, layer.inputFeatures, flow, "features");
      if ("problem" in fits) return fits;
      return { flow: { spatial: flow.spatial, channels: layer.outputFeatures } };
    }
    case "activation":
      return { flow };
    case "residual": {
      const body = follow(layer.body, flow);
      if ("problem" in body) return body;
      const shortcut = follow(layer.shortcut, flow);
      if ("problem" in shortcut) return shortcut;
      const [main, side] = [body.flow, shortcut.flow];
      if (main.channels !== side.channels)
        return {
          problem: `a residual block adds ${main.channels} to ${side.channels} channels`,
        };
      if (main.spatial !== side.spatial)
        return { problem: "a residual block adds images to pooled features" };
      return body;
    }
  }
}

function follow(layers: readonly Layer[], start: Flow): Followed {
  let flow = start;
  for (const layer of layers) {
    const next = followOne(layer, flow);
    if ("problem" in next) return next;
    flow = next.flow;
  }
  return { flow };
}

/**
 * Checks a list of layers, from this program or from a file, and makes a network of it.
 *
 * Throws UserError ("input") with the reason: a layer that mixes examples (batch normalisation
 * and the like), a kind or a field this program does not know, channels that do not fit, a name
 * used twice.
 */
export function defineNetwork(source: {
  readonly name: string;
  readonly labels: number;
  readonly layers: unknown;
}): NetworkDescription {
  const refuse = (problem: string): UserError =>
    new UserError("input", `The network ${source.name} cannot be used: ${problem}.`);

  const checked = checkedLayers(source.layers);
  if ("problem" in checked) throw refuse(checked.problem);
  const { layers } = checked;

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

/** Height or width of the maps behind some layers. Throws UserError ("input") with the reason. */
function extentBehind(
  layers: readonly Layer[],
  start: number,
  axis: "height" | "width",
  refuse: (problem: string) => UserError,
): number {
  let extent = start;
  for (const layer of layers) {
    if (layer.kind === "globalAveragePool") extent = 1;
    else if (layer.kind === "residual") {
      const body = extentBehind(layer.body, extent, axis, refuse);
      const shortcut = extentBehind(layer.shortcut, extent, axis, refuse);
      if (body !== shortcut)
        throw refuse(`a residual block adds maps of ${body} and ${shortcut} pixels`);
      extent = body;
    } else if ("kernel" in layer) extent = outputExtent(extent, axisWindows(layer)[axis]);
    if (extent < 1) throw refuse("they are too few; choose a higher resolution");
  }
  return extent;
}

/**
 * Refuses a resolution at which a window no longer fits into its map, or at which the two sides of
 * a residual block end in maps of different size. Throws UserError ("input").
 */
export function checkResolution(network: NetworkDescription, resolutionPixels: number): void {
  if (!Number.isInteger(resolutionPixels) || resolutionPixels < 1)
    throw new UserError("input", `A resolution of ${resolutionPixels} pixels is not possible.`);
  const refuse = (problem: string): UserError =>
    new UserError(
      "input",
      `The network ${network.name} cannot take ${resolutionPixels} pixels: ${problem}.`,
    );
  for (const axis of ["height", "width"] as const)
    extentBehind(network.layers, resolutionPixels, axis, refuse);
}

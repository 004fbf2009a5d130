import {
  axisWindows,
  outputExtent,
  type Layer,
  type NetworkDescription,
} from "../network/description.ts";
import { cut } from "./columns.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import { chain, consecutive } from "./forward.ts";
import { ofPieces } from "./gradients.ts";
import { sizeOf, type Tensor } from "./ir.ts";

/**
 * Values of a map up to which its passes stay in a processor's caches: 4 MiB. Over 25 MB the passes of
 * an activation took three times as long as over the same values a piece after the other.
 */
export const nearValues = 2 ** 20;

interface Extents {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function behind(layers: readonly Layer[], start: Extents): Extents {
  return layers.reduce((extents, layer): Extents => {
    if (layer.kind === "residual") return behind(layer.body, extents);
    if (layer.kind === "globalAveragePool") return { ...extents, height: 1, width: 1 };
    if (layer.kind === "dense") return { height: 1, width: 1, channels: layer.outputFeatures };
    if (!("kernel" in layer)) return extents;
    const { height, width } = axisWindows(layer);
    return {
      height: outputExtent(extents.height, height),
      width: outputExtent(extents.width, width),
      channels: "outputChannels" in layer ? layer.outputChannels : extents.channels,
    };
  }, start);
}

/** Layers that are run for so many units at a time. */
interface Stretch {
  readonly layers: Layer[];
  readonly unitsAtOnce: number;
}

/** A network's layers cut where so many fewer units' maps fit, by powers of two. */
function stretchesOf(context: Context, layers: readonly Layer[], start: Extents): Stretch[] {
  const { units, views } = context;
  const valuesOf = ({ height, width, channels }: Extents): number =>
    views * height * width * channels;
  const stretches: Stretch[] = [];
  let extents = start;
  for (const layer of layers) {
    const next = behind([layer], extents);
    const fitting = nearValues / Math.max(valuesOf(extents), valuesOf(next));
    const unitsAtOnce = Math.min(units, 2 ** Math.max(0, Math.floor(Math.log2(fitting))));
    const last = stretches.at(-1);
    if (last?.unitsAtOnce === unitsAtOnce) last.layers.push(layer);
    else stretches.push({ layers: [layer], unitsAtOnce });
    extents = next;
  }
  return stretches;
}

/** Some of the units, from the first on. */
interface Part {
  readonly context: Context;
  /** Their maps, or gradients, of those of all units: [images, pixels, channels]. */
  readonly of: (maps: Tensor) => Tensor;
}

function partOf(context: Context, from: number, to: number, takesImages: boolean): Part {
  const { builder, views } = context;
  const images = (to - from) * views;
  const rows = Int32Array.from({ length: images }, (_, at) => from * views + at);
  const { imageSource } = context;
  const source = {
    name: `${imageSource.name}.${from}`,
    first: imageSource.first + from * views,
    images,
  };
  const own: Context = {
    ...context,
    units: to - from,
    parameterGradients: [],
    ...(takesImages ? { imageSource: source, images: imagesFrom(context, source) } : {}),
  };
  return {
    context: own,
    of: (maps) => {
      if (maps === context.images) return own.images;
      const [count = 0, ...shape] = maps.shape;
      const found = builder.gatherRows(builder.reshape(maps, [count, sizeOf(shape)]), rows);
      return builder.reshape(found, [images, ...shape]);
    },
  };
}

function imagesFrom(context: Context, source: Context["imageSource"]): Tensor {
  const [, pixels = 0, channels = 0] = context.images.shape;
  const { name, first, images } = source;
  context.imageFeeds.set(name, {
    input: name,
    first,
    images,
    valuesPerImage: pixels * channels,
    pixels: null,
  });
  return context.builder.input(name, [images, pixels, channels]);
}

function inParts(context: Context, { layers, unitsAtOnce }: Stretch, flow: Flow): LayerResult {
  const { builder, units } = context;
  const parts = cut(units, unitsAtOnce).map(({ from, to }) => {
    const part = partOf(context, from, to, flow.tensor === context.images);
    const result = chain(part.context, layers, { ...flow, tensor: part.of(flow.tensor) });
    return { ...part, from, to, result };
  });
  const [first] = parts;
  if (first === undefined) throw new Error("no units to run layers for");
  const maps = parts.map(({ result }) => result.flow.tensor);
  return {
    flow: { ...first.result.flow, tensor: builder.concatenate(maps, 0) },
    backward: (gradient, needsInput) => {
      const inputs = parts.map(({ of, result }) => result.backward(of(gradient), needsInput));
      first.context.parameterGradients.forEach(({ parameter, layout }, at) => {
        const gradients = parts.map(({ context: own, from, to }) => {
          const found = own.parameterGradients[at];
          if (found?.parameter !== parameter) throw new Error(`${parameter} misses units`);
          return { from, to, gradients: found.gradients };
        });
        const together = ofPieces(builder, gradients);
        context.parameterGradients.push({ parameter, layout, gradients: together });
      });
      const wanted = inputs.filter((input) => input !== null);
      return wanted.length === inputs.length ? builder.concatenate(wanted, 0) : null;
    },
  };
}

/**
 * The layers of a network on the images, large maps of a few units at a time where the engine gains
 * by it: passes over maps take most of the time that is not arithmetic, and are quick in caches.
 */
export function wholeNetwork(
  context: Context,
  network: NetworkDescription,
  flow: Flow,
): LayerResult {
  // What is computed again is kept small otherwise, and in an order of its own.
  if (!context.direct || context.recomputing) return chain(context, network.layers, flow);
  const start = { height: flow.height, width: flow.width, channels: flow.tensor.shape[2] ?? 0 };
  const stretches = stretchesOf(context, network.layers, start);
  const parts = stretches.map((stretch) => ({
    layers: stretch.layers,
    run: (current: Flow) =>
      stretch.unitsAtOnce === context.units
        ? chain(context, stretch.layers, current)
        : inParts(context, stretch, current),
  }));
  return consecutive(parts, flow);
}

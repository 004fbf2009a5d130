import type { NetworkDescription } from "../network/description.ts";
import { parameterNamed } from "../network/description.ts";
import type { GraphBuilder } from "./builder.ts";
import type { UnitGradients } from "./gradients.ts";
import type { Tensor } from "./ir.ts";
import { sizeInside, type ParameterFeed, type ParameterLayout } from "./layout.ts";

/** Maps between layers: `tensor` is [images, height * width, channels]. */
export interface Flow {
  readonly tensor: Tensor;
  readonly height: number;
  readonly width: number;
}

/** The gradient of one parameter as the graph will give it. */
export interface ParameterGradients {
  readonly parameter: string;
  readonly layout: ParameterLayout;
  readonly gradients: UnitGradients;
}

/**
 * From the gradient at a layer's output to the gradient at its input; null where the input does
 * not need one. The layer's parameter gradients go to the context on the way.
 */
export type Backward = (gradient: Tensor, needsInput: boolean) => Tensor | null;

export interface LayerResult {
  readonly flow: Flow;
  readonly backward: Backward;
}

/**
 * The images as a graph wants them, under the name of its input: for each image the pixels of
 * `pixels`, in order; all of them, once each, where `pixels` is null. The index behind the last pixel
 * stands for 0, so that millions of values can be copied without asking for each.
 */
export interface ImageFeed {
  readonly input: string;
  /** Counted among the images of the whole graph. */
  readonly first: number;
  readonly images: number;
  readonly valuesPerImage: number;
  readonly pixels: Int32Array | null;
}

/** What a rule needs to know while it builds its part of the graph. */
export interface Context {
  readonly network: NetworkDescription;
  readonly builder: GraphBuilder;
  readonly units: number;
  /** Images of one unit; images stand unit by unit. */
  readonly views: number;
  /**
   * Windows are laid out once more on the way back, instead of being kept from the way there: less
   * memory for a little more time.
   */
  readonly sparing: boolean;
  /**
   * What lies between matrix products is computed once more on the way back, instead of being kept:
   * still less memory for still more time.
   */
  readonly recomputing: boolean;
  /** Values that windows laid out at once hold at most where memory is spared. */
  readonly mostWindowValues: number;
  /** The engine convolves maps without their windows laid out, and is quicker so. */
  readonly direct: boolean;
  /**
   * The windows of the input images are laid out inside the graph, so that only the pixels have to reach
   * the engine's device. Otherwise whoever feeds the graph lays them out.
   */
  readonly wholeImages: boolean;
  /** Rows of windows that several layers have in common: they can take more than a map. */
  readonly windowRows: Map<string, Int32Array>;
  readonly feeds: Map<string, ParameterFeed>;
  readonly parameterGradients: ParameterGradients[];
  /** How many of them are computed before the way back goes on; see forward.ts. */
  awaited: number;
  /** Each unit's gradient norm is wanted; otherwise the sum over units alone. */
  readonly ofUnits: boolean;
  readonly imageFeeds: Map<string, ImageFeed>;
  /** The input images themselves, to know a layer that stands first. */
  readonly images: Tensor;
  /** The name of their input, and which of the whole graph's images they are. */
  readonly imageSource: Pick<ImageFeed, "first" | "images"> & { readonly name: string };
}

/** The graph's input for a parameter in a layout. */
export function parameterInput(
  context: Context,
  name: string,
  layout: ParameterLayout,
  shape: readonly number[],
): Tensor {
  const parameter = parameterNamed(context.network, name);
  if (sizeInside(parameter, layout) !== shape.reduce((product, extent) => product * extent, 1))
    throw new Error(`${name} does not fit [${shape.join(", ")}]`);
  const suffix = layout.kind === "transposed" ? `transposed.${layout.chosen.join("-")}` : "";
  const input = suffix === "" ? name : `${name}.${suffix}`;
  if (!context.feeds.has(input)) context.feeds.set(input, { input, shape, parameter, layout });
  return context.builder.input(input, shape);
}

/** [images, pixels, channels] as [units, views * pixels, channels]. */
export function byUnit(context: Context, x: Tensor): Tensor {
  const [, pixels = 0, channels = 0] = x.shape;
  return context.builder.reshape(x, [context.units, context.views * pixels, channels]);
}

import { parameterNamed, type NetworkDescription } from "../network/description.ts";
import { checkResolution } from "../network/validate.ts";
import { GraphBuilder } from "./builder.ts";
import { standsAsOutside } from "./arrangement.ts";
import type { Context, ImageFeed, LayerResult, ParameterGradients } from "./context.ts";
import { joined, squaredNormsFrom, type JoinedGradients } from "./gradients.ts";
import type { Graph, Tensor } from "./ir.ts";
import type { GradientResult, ParameterFeed } from "./layout.ts";
import { wholeNetwork } from "./pieces.ts";

/** A graph with what must be fed and what comes out. */
export interface StepGraph {
  readonly graph: Graph;
  readonly parameterFeeds: readonly ParameterFeed[];
  readonly imageFeeds: readonly ImageFeed[];
  readonly gradients: readonly GradientResult[];
}

/** Names of the graphs' own inputs and outputs; parameters go under theirs. */
export const graphNames = {
  /** [images, pixels, 1] */
  images: "images",
  /** [units, 1, labels]; 0 where missing. */
  labels: "labels",
  /** [units, 1, labels]; what a label weighs: 1, a positive's weight, or 0 where it is missing. */
  mask: "mask",
  /** Each [1, 1]: see `clippingFeeds`. */
  clipping: ["clipping.bound", "clipping.offset", "clipping.cap"],
  /** [units, 1, 1]: what a private step multiplies each unit's gradient by; see `privateGraph`. */
  magnification: "magnification",
  /** [1, 1, 1]: what an ordinary step multiplies every unit's gradient by. */
  share: "share",
  logits: "logits",
  losses: "losses",
  norms: "norms",
} as const;

/** 32 MiB: so large that a strip's products are as quick as those of a whole map. */
export const usualWindowValues = 2 ** 23;

interface StepShape {
  readonly resolutionPixels: number;
  readonly units: number;
  /** Images of one unit. */
  readonly views: number;
  /** As in Context; where left out false, and `usualWindowValues`. */
  readonly sparing?: boolean;
  readonly recomputing?: boolean;
  readonly mostWindowValues?: number;
  readonly direct?: boolean;
  readonly wholeImages?: boolean;
}

/** Starts a graph and runs the network forward on its images. */
function start(
  network: NetworkDescription,
  shape: StepShape,
  ofUnits: boolean,
): { context: Context } & LayerResult {
  const { resolutionPixels, units, views } = shape;
  checkResolution(network, resolutionPixels);
  const builder = new GraphBuilder();
  const pixels = resolutionPixels * resolutionPixels;
  const input = graphNames.images;
  const count = units * views;
  const images = builder.input(input, [count, pixels, 1]);
  const context: Context = {
    network,
    builder,
    units,
    views,
    sparing: shape.sparing ?? false,
    recomputing: shape.recomputing ?? false,
    mostWindowValues: shape.mostWindowValues ?? usualWindowValues,
    direct: shape.direct ?? false,
    wholeImages: shape.wholeImages ?? false,
    windowRows: new Map(),
    feeds: new Map(),
    parameterGradients: [],
    awaited: 0,
    ofUnits,
    imageFeeds: new Map([
      [input, { input, first: 0, images: count, valuesPerImage: pixels, pixels: null }],
    ]),
    images,
    imageSource: { name: input, first: 0, images: count },
  };
  const flow = { tensor: images, height: resolutionPixels, width: resolutionPixels };
  return { context, ...wholeNetwork(context, network, flow) };
}

/** Logits [images, labels] of images [images, pixels, 1]. */
export function inferenceGraph(
  network: NetworkDescription,
  options: {
    readonly resolutionPixels: number;
    readonly images: number;
    /** As in Context; false where left out. */
    readonly sparing?: boolean;
    readonly direct?: boolean;
    readonly wholeImages?: boolean;
  },
): StepGraph {
  const { images, ...rest } = options;
  const { context, flow } = start(network, { ...rest, units: images, views: 1 }, false);
  const logits = context.builder.reshape(flow.tensor, [images, network.labels]);
  context.builder.output(graphNames.logits, logits);
  return close(context, []);
}

/**
 * Binary cross-entropy with logits, the mean over labels and views: softplus(z) - z y, times what
 * the label weighs. A missing label weighs nothing but still counts in the divisor, so that a unit
 * with few labels does not weigh more. Logits are [images, 1, labels]. Returns losses [units, 1] and
 * the gradient at the logits.
 */
function crossEntropy(context: Context, logits: Tensor): { losses: Tensor; gradient: Tensor } {
  const { builder, units, views, network } = context;
  const share = 1 / (views * network.labels);
  const shape = [units, 1, network.labels];
  const labels = builder.input(graphNames.labels, shape);
  const mask = builder.input(graphNames.mask, shape);
  const byView = builder.reshape(logits, [units, views, network.labels]);
  const losses = builder.subtract(
    builder.unary("softplus", byView),
    builder.multiply(byView, labels),
  );
  const kept = builder.scale(builder.multiply(losses, mask), share);
  const perUnit = builder.reduce("sum", builder.reduce("sum", kept, 2), 1);
  const error = builder.subtract(builder.unary("sigmoid", byView), labels);
  const gradient = builder.scale(builder.multiply(error, mask), share);
  return {
    losses: builder.reshape(perUnit, [units, 1]),
    gradient: builder.reshape(gradient, logits.shape),
  };
}

/** The finished graph with the feeds that it still needs. */
function close(context: Context, gradients: readonly GradientResult[]): StepGraph {
  const graph = context.builder.finish();
  const needed = new Set(
    graph.operations.flatMap((operation) => (operation.kind === "input" ? [operation.name] : [])),
  );
  return {
    graph,
    parameterFeeds: [...context.feeds.values()].filter(({ input }) => needed.has(input)),
    imageFeeds: [...context.imageFeeds.values()].filter(({ input }) => needed.has(input)),
    gradients,
  };
}

/** The parameters' gradients as they are computed: short ones together, the others alone. */
interface StepGradients {
  readonly joined: readonly JoinedGradients<ParameterGradients>[];
  readonly alone: readonly ParameterGradients[];
}

function gradientsOf(context: Context): StepGradients {
  const shortOf = ({ layout, gradients }: ParameterGradients): Tensor | null =>
    standsAsOutside(layout) ? (gradients.short ?? null) : null;
  return {
    joined: joined(context.builder, context.parameterGradients, shortOf),
    alone: context.parameterGradients.filter((one) => shortOf(one) === null),
  };
}

function finish(context: Context, gradients: StepGradients, scale: Tensor | null): StepGraph {
  const { builder, network } = context;
  const results: GradientResult[] = [];
  for (const { parameter, layout, gradients: ofUnits } of gradients.alone) {
    const output = `${parameter}.gradient`;
    builder.output(output, ofUnits.weightedSum(scale));
    results.push({ output, first: 0, parameter: parameterNamed(network, parameter), layout });
  }
  gradients.joined.forEach(({ members, gradients: ofUnits }, row) => {
    const output = `short.${row}.gradient`;
    builder.output(output, ofUnits.weightedSum(scale));
    for (const { of, first } of members)
      results.push({
        output,
        first,
        parameter: parameterNamed(network, of.parameter),
        layout: of.layout,
      });
  });
  return close(context, results);
}

/** The sum over units of a share of the gradients of their losses, and the losses [units, 1]. */
export function ordinaryGraph(network: NetworkDescription, shape: StepShape): StepGraph {
  const { context, flow, backward } = start(network, shape, false);
  const { losses, gradient } = crossEntropy(context, flow.tensor);
  const { builder } = context;
  builder.output(graphNames.losses, losses);
  backward(builder.multiply(gradient, builder.input(graphNames.share, [1, 1, 1])), false);
  return finish(context, gradientsOf(context), null);
}

/**
 * One private step in one graph and one backward pass: each unit's gradient norm over all
 * parameters, its weight, and the weighted sum of gradients.
 *
 * The weight is min(cap, bound / (norm + offset)), three numbers fed at run time (see
 * `clippingFeeds`), which covers flat and automatic clipping.
 *
 * A norm's square leaves float32 long before the norm does (above 1.8e19 and below 1e-19), so
 * each unit's gradient at the logits, and with it its whole backward pass, can be magnified by a
 * power of two m, which is taken out of norm and weight again.
 */
export function privateGraph(network: NetworkDescription, shape: StepShape): StepGraph {
  const { context, flow, backward } = start(network, shape, true);
  const { builder } = context;
  const { losses, gradient } = crossEntropy(context, flow.tensor);
  builder.output(graphNames.losses, losses);
  const { units, views } = shape;
  const magnification = builder.input(graphNames.magnification, [units, 1, 1]);
  const byView = builder.reshape(gradient, [units, views, network.labels]);
  const magnified = builder.multiply(byView, magnification);
  backward(builder.reshape(magnified, gradient.shape), false);

  const gradients = gradientsOf(context);
  const squares = [...gradients.alone, ...gradients.joined].map(({ gradients: ofUnits }) =>
    ofUnits.squaredParts(),
  );
  const total = squaredNormsFrom(builder, squares);
  // Rounding can leave a Gram product of nothing a little below zero. NaN stays NaN.
  const norms = builder.unary("squareRoot", builder.unary("absolute", total));
  const power = builder.reshape(magnification, [units, 1]);
  builder.output(graphNames.norms, builder.divide(norms, power));

  const [boundName, offsetName, capName] = graphNames.clipping;
  const bound = builder.input(boundName, [1, 1]);
  const offset = builder.input(offsetName, [1, 1]);
  const cap = builder.input(capName, [1, 1]);
  // min(cap, bound / (norm / m + offset)) / m, written so that nothing leaves float32 on the way.
  const longest = builder.add(norms, builder.multiply(offset, power));
  const divisor = builder.binary("maximum", longest, builder.scalar(1e-30, 2));
  const scale = builder.binary(
    "minimum",
    builder.divide(bound, divisor),
    builder.divide(cap, power),
  );
  return finish(context, gradients, scale);
}

/**
 * The share by which the bound is kept below C, so that a norm that came out too small by
 * rounding (norms are right within 1e-5) still gives a contribution within C.
 */
export const clippingMargin = 2e-5;

/** What to feed for a clipping rule: bound, offset, cap. */
export function clippingFeeds(clipping: {
  readonly kind: "flat" | "automatic";
  readonly norm: number;
}): Record<string, number> {
  const [bound, offset, cap] = graphNames.clipping;
  const safe = clipping.norm * (1 - clippingMargin);
  return clipping.kind === "flat"
    ? { [bound]: safe, [offset]: 0, [cap]: 1 }
    : { [bound]: safe, [offset]: 0.01, [cap]: 3e38 };
}

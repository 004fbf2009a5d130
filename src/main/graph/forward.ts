import type { Layer } from "../network/description.ts";
import { activation } from "./activation.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import { convolution, dense } from "./convolution.ts";
import type { UnitGradients } from "./gradients.ts";
import { sizeOf, type Tensor } from "./ir.ts";
import { layerNormalisation, layerScale } from "./layer-normalisation.ts";
import { groupNormalisation } from "./normalisation.ts";
import { globalAverage, pooling } from "./pooling.ts";
import { standardisedConvolution } from "./standardised.ts";

function hasParameters(layer: Layer): boolean {
  switch (layer.kind) {
    case "conv2d":
    case "standardisedConv2d":
    case "groupNorm":
    case "layerNorm":
    case "layerScale":
    case "dense":
      return true;
    case "residual":
      return [...layer.body, ...layer.shortcut].some(hasParameters);
    case "activation":
    case "maxPool":
    case "averagePool":
    case "globalAveragePool":
      return false;
  }
}

function residual(
  context: Context,
  body: readonly Layer[],
  shortcut: readonly Layer[],
  flow: Flow,
): LayerResult {
  const { builder } = context;
  const main = chain(context, body, flow);
  const side = chain(context, shortcut, flow);
  return {
    flow: { ...main.flow, tensor: builder.add(main.flow.tensor, side.flow.tensor) },
    backward: (gradient, needsInput) => {
      const fromMain = main.backward(gradient, needsInput);
      const fromSide = side.backward(gradient, needsInput);
      return fromMain === null || fromSide === null ? null : builder.add(fromMain, fromSide);
    },
  };
}

function layerResult(context: Context, layer: Layer, flow: Flow): LayerResult {
  switch (layer.kind) {
    case "conv2d":
      return convolution(context, layer, flow);
    case "standardisedConv2d":
      return standardisedConvolution(context, layer, flow);
    case "groupNorm":
      return groupNormalisation(context, layer, flow);
    case "layerNorm":
      return layerNormalisation(context, layer, flow);
    case "layerScale":
      return layerScale(context, layer, flow);
    case "activation":
      return activation(context, layer.function, flow);
    case "maxPool":
    case "averagePool":
      return pooling(context, layer, flow);
    case "globalAveragePool":
      return globalAverage(context, flow);
    case "dense":
      return dense(context, layer, flow);
    case "residual":
      return residual(context, layer.body, layer.shortcut, flow);
  }
}

/**
 * Maps as they are, but not before a gradient is there and those of the parameters behind it are
 * computed: what is computed from the maps then is not computed, or kept, with what was computed from
 * them on the way there, and what parameters' gradients need is not kept until an engine finds time.
 */
function after(context: Context, maps: Tensor, gradient: Tensor): Tensor {
  const { builder, parameterGradients } = context;
  const awaited = parameterGradients
    .slice(context.awaited)
    .map(({ gradients }) => gradients.short ?? settled(context, gradients));
  context.awaited = parameterGradients.length;
  const first = [gradient, ...awaited].map((tensor) =>
    builder.gatherRows(builder.reshape(tensor, [sizeOf(tensor.shape), 1]), Int32Array.of(0)),
  );
  const largest = builder.reduce("maximum", builder.concatenate(first, 0), 0);
  const negative = builder.unary("negate", builder.unary("absolute", largest));
  // Never so, whatever the gradients: infinite or NaN as well.
  const never = builder.binary("greater", negative, builder.scalar(1, 2));
  return builder.add(maps, builder.reshape(never, [1, 1, 1]));
}

/** What a step will want of the gradients of a parameter before any other pass. */
function settled(context: Context, gradients: UnitGradients): Tensor {
  return context.ofUnits ? gradients.squaredParts() : gradients.weightedSum(null);
}

function isHeavy({ kind }: Layer): boolean {
  return kind === "conv2d" || kind === "standardisedConv2d" || kind === "dense";
}

/**
 * Layers cut so that no matrix product has to be computed again: behind every layer that has one,
 * whose result nothing in its piece needs, and around blocks, which are cut in themselves.
 */
function pieces(layers: readonly Layer[]): Layer[][] {
  const result: Layer[][] = [];
  let piece: Layer[] = [];
  const close = (): void => {
    if (piece.length > 0) result.push(piece);
    piece = [];
  };
  for (const layer of layers) {
    if (layer.kind === "residual") close();
    piece.push(layer);
    if (layer.kind === "residual" || isHeavy(layer)) close();
  }
  close();
  return result;
}

/** What is run as one in a chain. */
export interface Part {
  readonly layers: readonly Layer[];
  readonly run: (flow: Flow) => LayerResult;
}

/** Layers whose input alone is kept: they are computed again on the way back. */
function recomputed(context: Context, layers: readonly Layer[]): Part {
  const parts = layers.map((layer) => single(context, layer));
  return {
    layers,
    run: (flow) => ({
      // The way back from this result is never built, so that nothing is kept for it.
      flow: consecutive(parts, flow).flow,
      backward: (gradient, needsInput) => {
        const tensor = after(context, flow.tensor, gradient);
        return consecutive(parts, { ...flow, tensor }).backward(gradient, needsInput);
      },
    }),
  };
}

function single(context: Context, layer: Layer): Part {
  return { layers: [layer], run: (flow) => layerResult(context, layer, flow) };
}

/** Parts one after the other; backward runs them in reverse and stops where nothing needs it. */
export function consecutive(parts: readonly Part[], flow: Flow): LayerResult {
  let current = flow;
  const steps = parts.map(({ layers, run }) => {
    const result = run(current);
    current = result.flow;
    return { layers, backward: result.backward };
  });
  return {
    flow: current,
    backward: (gradient, needsInput) => {
      let passing: Tensor | null = gradient;
      for (let at = steps.length - 1; at >= 0; at -= 1) {
        const step = steps[at];
        if (step === undefined || passing === null) break;
        const before = steps.slice(0, at);
        const wanted = needsInput || before.some(({ layers }) => layers.some(hasParameters));
        passing = step.backward(passing, wanted);
      }
      return passing;
    },
  };
}

/** Layers one after the other. */
export function chain(context: Context, layers: readonly Layer[], flow: Flow): LayerResult {
  const parts = context.recomputing
    ? pieces(layers).map((piece) => {
        const [first] = piece;
        // A matrix product by itself keeps its input anyway, and blocks are cut in themselves.
        const whole = first?.kind === "residual" || (first !== undefined && isHeavy(first));
        return whole ? single(context, first) : recomputed(context, piece);
      })
    : layers.map((layer) => single(context, layer));
  return consecutive(parts, flow);
}

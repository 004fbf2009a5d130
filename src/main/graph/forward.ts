import type { Layer } from "../network/description.ts";
import { activation } from "./activation.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import { convolution, dense } from "./convolution.ts";
import type { Tensor } from "./ir.ts";
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

/** Layers one after the other; backward runs them in reverse and stops where nothing needs it. */
export function chain(context: Context, layers: readonly Layer[], flow: Flow): LayerResult {
  let current = flow;
  const steps = layers.map((layer) => {
    const result = layerResult(context, layer, current);
    current = result.flow;
    return { layer, backward: result.backward };
  });
  return {
    flow: current,
    backward: (gradient, needsInput) => {
      let passing: Tensor | null = gradient;
      for (let at = steps.length - 1; at >= 0; at -= 1) {
        const step = steps[at];
        if (step === undefined || passing === null) break;
        const before = steps.slice(0, at);
        const wanted = needsInput || before.some((earlier) => hasParameters(earlier.layer));
        passing = step.backward(passing, wanted);
      }
      return passing;
    },
  };
}

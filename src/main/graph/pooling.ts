import type { PoolLayer } from "../network/description.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import type { Tensor } from "./ir.ts";
import { coverage, coveringRows, outputSize, windowRows, type WindowGeometry } from "./windows.ts";

/** Below every float that a network reaches, but finite, so that no product of it is NaN. */
const belowAll = -3.4e38;

/**
 * Pooling of maps. Where several taps share the maximum, they share its gradient equally: of the
 * valid subgradients the one that does not depend on the order of pixels. Constant regions
 * (the black border of a film) make such ties common.
 */
export function pooling(context: Context, layer: PoolLayer, flow: Flow): LayerResult {
  const { builder } = context;
  const [images = 0, inputPixels = 0, channels = 0] = flow.tensor.shape;
  const geometry: WindowGeometry = {
    images,
    height: flow.height,
    width: flow.width,
    kernel: layer.kernel,
    stride: layer.stride,
    padding: layer.padding,
  };
  const output = outputSize(geometry);
  const taps = layer.kernel * layer.kernel;
  const outputPixels = output.height * output.width;
  const matrix = builder.reshape(flow.tensor, [images * inputPixels, channels]);
  const fill = layer.kind === "maxPool" ? belowAll : 0;
  const windows = builder.reshape(builder.gatherRows(matrix, windowRows(geometry), fill), [
    images * outputPixels,
    taps,
    channels,
  ]);
  const asMaps = (x: Tensor): Tensor => builder.reshape(x, [images, outputPixels, channels]);

  /** Each (output pixel, tap) contribution summed where its input pixel is. */
  const gatherBack = (contributions: Tensor, rows: Int32Array): Tensor => {
    const covering = builder.reshape(builder.gatherRows(contributions, rows), [
      images * inputPixels,
      coverage(geometry),
      channels,
    ]);
    return builder.reshape(builder.reduce("sum", covering, 1), [images, inputPixels, channels]);
  };

  if (layer.kind === "averagePool") {
    const mean = builder.scale(builder.reduce("sum", windows, 1), 1 / taps);
    return {
      flow: { ...output, tensor: asMaps(mean) },
      backward: (gradient, needsInput) => {
        if (!needsInput) return null;
        const shares = builder.scale(gradient, 1 / taps);
        const rows = coveringRows(geometry).map((pair) =>
          pair < 0 ? -1 : Math.floor(pair / taps),
        );
        return gatherBack(builder.reshape(shares, [images * outputPixels, channels]), rows);
      },
    };
  }

  const maximum = builder.reduce("maximum", windows, 1);
  return {
    flow: { ...output, tensor: asMaps(maximum) },
    backward: (gradient, needsInput) => {
      if (!needsInput) return null;
      const reached = builder.binary("equal", windows, maximum);
      const share = builder.divide(
        builder.reshape(gradient, [images * outputPixels, 1, channels]),
        builder.reduce("sum", reached, 1),
      );
      const contributions = builder.reshape(builder.multiply(reached, share), [
        images * outputPixels * taps,
        channels,
      ]);
      return gatherBack(contributions, coveringRows(geometry));
    },
  };
}

/** The mean of each map: [images, pixels, channels] to [images, 1, channels]. */
export function globalAverage(context: Context, flow: Flow): LayerResult {
  const { builder } = context;
  const [, pixels = 0] = flow.tensor.shape;
  const mean = builder.scale(builder.reduce("sum", flow.tensor, 1), 1 / pixels);
  return {
    flow: { tensor: mean, height: 1, width: 1 },
    backward: (gradient, needsInput) => {
      if (!needsInput) return null;
      const ones = builder.constant([1, pixels, 1], new Float32Array(pixels).fill(1 / pixels));
      return builder.multiply(gradient, ones);
    },
  };
}

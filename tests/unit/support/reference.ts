import {
  axisWindows,
  parameterNamed,
  outputExtent,
  type Layer,
  type NetworkDescription,
} from "../../../src/main/network/index.ts";

/**
 * An independent evaluator of a network: float64, one image, straight loops over the
 * description in torch's channels-first layout. Slow, and shares nothing with the graph.
 */
interface Maps {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

function erf(x: number): number {
  // Series and continued fraction, to double precision for the sizes met in tests.
  if (Math.abs(x) < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 200; n += 1) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n -= 1) fraction = n / 2 / (Math.abs(x) + fraction);
  const tail = Math.exp(-x * x) / (Math.sqrt(Math.PI) * (Math.abs(x) + fraction));
  return Math.sign(x) * (1 - tail);
}

const activations: Record<string, (x: number) => number> = {
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
};

/** (w - mean) gain / sqrt(max(fan-in variance, epsilon)) for each output. */
function standardised(
  weight: Float64Array,
  gain: Float64Array,
  outputs: number,
  epsilon: number,
): Float64Array {
  const size = weight.length / outputs;
  const result = new Float64Array(weight.length);
  for (let o = 0; o < outputs; o += 1) {
    const row = weight.subarray(o * size, (o + 1) * size);
    const mean = row.reduce((a, b) => a + b, 0) / size;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
    const scale = gain[o]! / Math.sqrt(Math.max(size * variance, epsilon));
    row.forEach((value, i) => (result[o * size + i] = (value - mean) * scale));
  }
  return result;
}

function apply(
  network: NetworkDescription,
  weights: Float64Array,
  layers: readonly Layer[],
  input: Maps,
): Maps {
  const parameter = (name: string): Float64Array => {
    const { offset, size } = parameterNamed(network, name);
    return weights.subarray(offset, offset + size);
  };
  let maps = input;
  for (const layer of layers) {
    const { channels, height, width, values } = maps;
    const at = (c: number, y: number, x: number): number => values[(c * height + y) * width + x]!;
    switch (layer.kind) {
      case "conv2d":
      case "standardisedConv2d": {
        const own = parameter(`${layer.name}.weight`);
        const groups = layer.kind === "conv2d" ? layer.groups : 1;
        const weight =
          layer.kind === "conv2d"
            ? own
            : standardised(
                own,
                parameter(`${layer.name}.gain`),
                layer.outputChannels,
                layer.epsilon,
              );
        const bias = layer.bias ? parameter(`${layer.name}.bias`) : null;
        const { height: down, width: along } = axisWindows(layer);
        const [kh, kw] = [down.kernel, along.kernel];
        const [h, w] = [outputExtent(height, down), outputExtent(width, along)];
        const perGroup = layer.inputChannels / groups;
        const outputsPerGroup = layer.outputChannels / groups;
        const out = new Float64Array(layer.outputChannels * h * w);
        for (let o = 0; o < layer.outputChannels; o += 1)
          for (let y = 0; y < h; y += 1)
            for (let x = 0; x < w; x += 1) {
              let sum = bias === null ? 0 : bias[o]!;
              for (let i = 0; i < perGroup; i += 1)
                for (let dy = 0; dy < kh; dy += 1)
                  for (let dx = 0; dx < kw; dx += 1) {
                    const sy = y * down.stride - down.padding + dy;
                    const sx = x * along.stride - along.padding + dx;
                    if (sy < 0 || sx < 0 || sy >= height || sx >= width) continue;
                    const channel = Math.floor(o / outputsPerGroup) * perGroup + i;
                    sum += weight[((o * perGroup + i) * kh + dy) * kw + dx]! * at(channel, sy, sx);
                  }
              out[(o * h + y) * w + x] = sum;
            }
        maps = { channels: layer.outputChannels, height: h, width: w, values: out };
        break;
      }
      case "groupNorm": {
        const factor = parameter(`${layer.name}.weight`);
        const offset = parameter(`${layer.name}.bias`);
        const perGroup = channels / layer.groups;
        const count = perGroup * height * width;
        const out = new Float64Array(values.length);
        for (let g = 0; g < layer.groups; g += 1) {
          const part = values.subarray(g * count, (g + 1) * count);
          const mean = part.reduce((a, b) => a + b, 0) / count;
          const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / count;
          for (let i = 0; i < count; i += 1) {
            const c = g * perGroup + Math.floor(i / (height * width));
            const normal = (part[i]! - mean) / Math.sqrt(variance + layer.epsilon);
            out[g * count + i] = normal * factor[c]! + offset[c]!;
          }
        }
        maps = { ...maps, values: out };
        break;
      }
      case "layerNorm": {
        const factor = parameter(`${layer.name}.weight`);
        const offset = parameter(`${layer.name}.bias`);
        const area = height * width;
        const out = new Float64Array(values.length);
        for (let p = 0; p < area; p += 1) {
          const pixel = Float64Array.from({ length: channels }, (_, c) => values[c * area + p]!);
          const mean = pixel.reduce((a, b) => a + b, 0) / channels;
          const variance = pixel.reduce((a, b) => a + (b - mean) ** 2, 0) / channels;
          pixel.forEach((value, c) => {
            const normal = (value - mean) / Math.sqrt(variance + layer.epsilon);
            out[c * area + p] = normal * factor[c]! + offset[c]!;
          });
        }
        maps = { ...maps, values: out };
        break;
      }
      case "layerScale": {
        const factor = parameter(layer.name);
        const area = height * width;
        maps = { ...maps, values: values.map((value, i) => value * factor[Math.floor(i / area)]!) };
        break;
      }
      case "activation":
        maps = { ...maps, values: values.map(activations[layer.function]!) };
        break;
      case "maxPool":
      case "averagePool": {
        const [h, w] = [outputExtent(height, layer), outputExtent(width, layer)];
        const out = new Float64Array(channels * h * w);
        for (let c = 0; c < channels; c += 1)
          for (let y = 0; y < h; y += 1)
            for (let x = 0; x < w; x += 1) {
              let best = -Infinity;
              let sum = 0;
              for (let dy = 0; dy < layer.kernel; dy += 1)
                for (let dx = 0; dx < layer.kernel; dx += 1) {
                  const sy = y * layer.stride - layer.padding + dy;
                  const sx = x * layer.stride - layer.padding + dx;
                  if (sy < 0 || sx < 0 || sy >= height || sx >= width) continue;
                  best = Math.max(best, at(c, sy, sx));
                  sum += at(c, sy, sx);
                }
              out[(c * h + y) * w + x] = layer.kind === "maxPool" ? best : sum / layer.kernel ** 2;
            }
        maps = { channels, height: h, width: w, values: out };
        break;
      }
      case "globalAveragePool": {
        const out = new Float64Array(channels);
        for (let i = 0; i < values.length; i += 1)
          out[Math.floor(i / (height * width))]! += values[i]! / (height * width);
        maps = { channels, height: 1, width: 1, values: out };
        break;
      }
      case "dense": {
        const weight = parameter(`${layer.name}.weight`);
        const bias = parameter(`${layer.name}.bias`);
        const area = height * width;
        const out = new Float64Array(layer.outputFeatures * area);
        for (let o = 0; o < layer.outputFeatures; o += 1)
          for (let p = 0; p < area; p += 1) {
            let sum = bias[o]!;
            for (let i = 0; i < layer.inputFeatures; i += 1)
              sum += weight[o * layer.inputFeatures + i]! * values[i * area + p]!;
            out[o * area + p] = sum;
          }
        maps = { ...maps, channels: layer.outputFeatures, values: out };
        break;
      }
      case "residual": {
        const main = apply(network, weights, layer.body, maps);
        const side = apply(network, weights, layer.shortcut, maps);
        maps = { ...main, values: main.values.map((value, i) => value + side.values[i]!) };
        break;
      }
    }
  }
  return maps;
}

/** Logits of one image [height * width]. */
export function referenceLogits(
  network: NetworkDescription,
  weights: Float64Array,
  image: ArrayLike<number>,
): Float64Array {
  const side = Math.sqrt(image.length);
  const input = { channels: 1, height: side, width: side, values: Float64Array.from(image) };
  return apply(network, weights, network.layers, input).values;
}

/** Loss of one unit: binary cross-entropy, mean over labels and views; NaN labels add nothing. */
export function referenceLoss(
  network: NetworkDescription,
  weights: Float64Array,
  views: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
): number {
  let sum = 0;
  for (const view of views) {
    const logits = referenceLogits(network, weights, view);
    for (let i = 0; i < labels.length; i += 1) {
      const [z, y] = [logits[i]!, labels[i]!];
      if (Number.isNaN(y)) continue;
      sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - z * y;
    }
  }
  return sum / (labels.length * views.length);
}

/** The gradient of a unit's loss by central differences, at the chosen parameters or all. */
export function referenceGradient(
  network: NetworkDescription,
  weights: Float32Array,
  views: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  indices: readonly number[] = [...weights.keys()],
): Float64Array {
  const wide = Float64Array.from(weights);
  return Float64Array.from(indices, (index) => {
    const middle = wide[index]!;
    const step = 1e-5 * Math.max(1, Math.abs(middle));
    const lossAt = (value: number): number => {
      wide[index] = value;
      return referenceLoss(network, wide, views, labels);
    };
    // Five-point stencil: the error is of the fourth order in the step.
    const slope =
      (8 * (lossAt(middle + step) - lossAt(middle - step)) -
        (lossAt(middle + 2 * step) - lossAt(middle - 2 * step))) /
      (12 * step);
    wide[index] = middle;
    return slope;
  });
}

export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

/** L2 norm of the difference. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return l2Norm(Array.from(a, (value, i) => value - b[i]!));
}

/** L2 norm of the difference over the norm of the expected. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  return distance(found, expected) / Math.max(l2Norm(expected), 1e-12);
}

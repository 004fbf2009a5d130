import {
  parameterNamed,
  type NetworkDescription,
  type StandardisedConv2dLayer,
} from "./description.ts";

/**
 * The weights that a standardised convolution applies, in the shape of its own: for each output
 * (w - mean) gain / sqrt(max(|w - mean|^2, epsilon)). Computed in float64.
 *
 * @param weights flat, in the order of the network's parameters
 */
export function standardisedWeights(
  network: NetworkDescription,
  weights: Float32Array,
  layer: StandardisedConv2dLayer,
): Float32Array {
  const { offset, size } = parameterNamed(network, `${layer.name}.weight`);
  const gain = parameterNamed(network, `${layer.name}.gain`);
  const result = new Float32Array(size);
  const perOutput = size / layer.outputChannels;
  for (let output = 0; output < layer.outputChannels; output += 1) {
    const first = output * perOutput;
    const row = weights.subarray(offset + first, offset + first + perOutput);
    const mean = row.reduce((sum, weight) => sum + weight, 0) / perOutput;
    const squaredLength = row.reduce((sum, weight) => sum + (weight - mean) ** 2, 0);
    const factor =
      (weights[gain.offset + output] ?? NaN) / Math.sqrt(Math.max(squaredLength, layer.epsilon));
    row.forEach((weight, at) => {
      result[first + at] = (weight - mean) * factor;
    });
  }
  return result;
}

import { eachLayer, parameterNamed, tapsOf, type NetworkDescription } from "./description.ts";

/**
 * A standard normal number from uniform ones in [0, 1) (Box and Muller 1958). Initial weights
 * are public, so the generator need not be cryptographic: it is whatever the caller gives.
 */
function standardNormal(random: () => number): number {
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/**
 * Fresh weights, flat, in the order of the network's parameters, as torchvision's ResNet starts:
 * convolutions normal with variance 2 / fan-out (He et al. 2015, arXiv 1502.01852), norms 1 and
 * 0, dense layers uniform within 1 / sqrt(fan-in) (torch's default), unless a layer names its own
 * deviation. Standardised convolutions are normal with variance 1 / fan-in and gain 1 (De et al.
 * 2022); layer scales have the value that the layer names. Biases of convolutions are 0.
 *
 * `random` gives uniform numbers in [0, 1); the same sequence gives the same weights.
 */
export function initialise(network: NetworkDescription, random: () => number): Float32Array {
  const weights = new Float32Array(network.parameterCount);
  const slice = (name: string): Float32Array => {
    const { offset, size } = parameterNamed(network, name);
    return weights.subarray(offset, offset + size);
  };
  const fillNormal = (name: string, deviation: number): void => {
    const values = slice(name);
    for (let i = 0; i < values.length; i += 1) values[i] = deviation * standardNormal(random);
  };
  for (const layer of eachLayer(network.layers)) {
    switch (layer.kind) {
      case "conv2d": {
        const fanOut = (layer.outputChannels / layer.groups) * tapsOf(layer);
        fillNormal(`${layer.name}.weight`, layer.initialDeviation ?? Math.sqrt(2 / fanOut));
        break;
      }
      case "standardisedConv2d": {
        const fanIn = layer.inputChannels * tapsOf(layer);
        fillNormal(`${layer.name}.weight`, Math.sqrt(1 / fanIn));
        slice(`${layer.name}.gain`).fill(1);
        break;
      }
      case "layerScale":
        slice(layer.name).fill(layer.initial);
        break;
      case "groupNorm":
      case "layerNorm":
        slice(`${layer.name}.weight`).fill(1);
        break;
      case "dense": {
        if (layer.initialDeviation !== undefined) {
          fillNormal(`${layer.name}.weight`, layer.initialDeviation);
          break;
        }
        const bound = 1 / Math.sqrt(layer.inputFeatures);
        for (const part of ["weight", "bias"]) {
          const values = slice(`${layer.name}.${part}`);
          for (let i = 0; i < values.length; i += 1) values[i] = bound * (2 * random() - 1);
        }
        break;
      }
      case "activation":
      case "maxPool":
      case "averagePool":
      case "globalAveragePool":
      case "residual":
        break;
    }
  }
  return weights;
}

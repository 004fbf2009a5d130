import { describe, expect, it } from "vitest";
import {
  initialise,
  networkChoices,
  networkNamed,
  networkNames,
  parameterNamed,
} from "../../../src/main/network/index.ts";
import { smallConvnext } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";

describe("networks by name", () => {
  it("the study's network has its 4,909,896 parameters less two repeated stem channels", () => {
    // 4,909,896: the study's own count, with three input channels.
    expect(networkNamed("resnet9").parameterCount).toBe(4_909_896 - 2 * 64 * 7 * 7);
  });

  it("resnet18 has torchvision's 11,689,512 less the grey stem and the smaller head", () => {
    // 11,689,512: torchvision's documentation of resnet18 (1000 classes, three channels).
    const expected = 11_689_512 - 2 * 64 * 49 - 513 * (1000 - 8);
    expect(networkNamed("resnet18").parameterCount).toBe(expected);
  });

  it("wrn16-4 has the 2.75 M parameters of its source, less two colour channels", () => {
    // Counted layer by layer from JAX Privacy's WideResNet (depth 16, width 4) on CIFAR-10:
    // convolutions, their bias and gain, norms, and the head of 10 classes.
    const convolutions =
      9 * (3 * 16 + 16 * 64 + 3 * 64 * 64) +
      9 * (64 * 128 + 3 * 128 * 128) +
      9 * (128 * 256 + 3 * 256 * 256) +
      (16 * 64 + 64 * 128 + 128 * 256);
    const biasesAndGains = 2 * (16 + 5 * (64 + 128 + 256));
    const norms = 2 * (2 * 16 + 3 * 64 + 2 * 64 + 3 * 128 + 2 * 128 + 3 * 256 + 256);
    const published = convolutions + biasesAndGains + norms + 2570;
    expect(published / 1e6).toBeCloseTo(2.75, 2);
    const network = networkNamed("wrn16-4", 10);
    expect(network.parameterCount).toBe(published - 2 * 16 * 9);
  });

  it("convnext-tiny has torchvision's 28,589,128 less two colour channels and 992 classes", () => {
    // 28,589,128: torchvision's documentation of convnext_tiny (1000 classes, three channels).
    const expected = 28_589_128 - 2 * 96 * 4 * 4 - 769 * (1000 - 8);
    expect(networkNamed("convnext-tiny").parameterCount).toBe(expected);
  });

  it("convnext-tiny carries torchvision's names and shapes", () => {
    const network = networkNamed("convnext-tiny", 1000);
    const shape = (name: string) => parameterNamed(network, name).shape;
    expect(shape("features.0.0.weight")).toEqual([96, 1, 4, 4]);
    expect(shape("features.0.1.bias")).toEqual([96]);
    expect(shape("features.1.0.layer_scale")).toEqual([96, 1, 1]);
    expect(shape("features.1.2.block.0.weight")).toEqual([96, 1, 7, 7]);
    expect(shape("features.2.1.weight")).toEqual([192, 96, 2, 2]);
    expect(shape("features.5.8.block.3.weight")).toEqual([1536, 384]);
    expect(shape("features.7.2.block.5.bias")).toEqual([768]);
    expect(shape("classifier.0.weight")).toEqual([768]);
    expect(shape("classifier.2.weight")).toEqual([1000, 768]);
  });

  it("each choice has a title, a hint and its size", () => {
    for (const { title, hint, parameters } of networkChoices()) {
      expect(title.length).toBeGreaterThan(5);
      expect(hint).toMatch(/\.$/);
      expect(parameters).toBeGreaterThan(100_000);
    }
  });

  it("parameters carry torchvision's names in torch's order", () => {
    const names = networkNamed("resnet9").parameters.map((parameter) => parameter.name);
    expect(names.slice(0, 6)).toEqual([
      "conv1.weight",
      "bn1.weight",
      "bn1.bias",
      "layer1.0.conv1.weight",
      "layer1.0.bn1.weight",
      "layer1.0.bn1.bias",
    ]);
    expect(names).toContain("layer2.0.downsample.0.weight");
    expect(names.at(-1)).toBe("fc.bias");
  });

  it.each(networkNames)("%s lays its parameters out without gap or overlap", (name) => {
    const network = networkNamed(name);
    let offset = 0;
    for (const parameter of network.parameters) {
      expect(parameter.offset).toBe(offset);
      offset += parameter.size;
    }
    expect(offset).toBe(network.parameterCount);
  });

  it("takes the number of labels", () => {
    expect(parameterNamed(networkNamed("resnet9", 5), "fc.weight").shape).toEqual([5, 512]);
  });

  it("names the choices when asked for an unknown network", () => {
    expect(() => networkNamed("vgg")).toThrow(/resnet9-small/);
  });
});

describe("initialisation", () => {
  it("follows He for convolutions, one and zero for norms, and torch's bound for dense", () => {
    const network = networkNamed("resnet9");
    const weights = initialise(network, seededRandom(1));
    const values = (name: string) => {
      const { offset, size } = parameterNamed(network, name);
      return weights.subarray(offset, offset + size);
    };
    const conv = values("layer4.0.conv2.weight");
    const deviation = Math.sqrt(conv.reduce((sum, w) => sum + w * w, 0) / conv.length);
    expect(deviation).toBeCloseTo(Math.sqrt(2 / (512 * 9)), 4);
    expect(values("bn1.weight").every((w) => w === 1)).toBe(true);
    expect(values("bn1.bias").every((w) => w === 0)).toBe(true);
    const dense = values("fc.weight");
    const largest = dense.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(512));
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(512));
  });

  it("starts standardised convolutions, layer scales and ConvNeXt as their sources do", () => {
    const wide = networkNamed("wrn16-4");
    const convnext = smallConvnext();
    const valuesIn = (network: typeof wide, weights: Float32Array) => (name: string) => {
      const { offset, size } = parameterNamed(network, name);
      return weights.subarray(offset, offset + size);
    };
    const deviation = (values: Float32Array) =>
      Math.sqrt(values.reduce((sum, w) => sum + w * w, 0) / values.length);
    const ofWide = valuesIn(wide, initialise(wide, seededRandom(2)));
    expect(deviation(ofWide("layer3.1.conv1.weight"))).toBeCloseTo(1 / Math.sqrt(256 * 9), 3);
    expect(ofWide("layer3.1.conv1.gain").every((gain) => gain === 1)).toBe(true);
    expect(ofWide("layer3.1.conv1.bias").every((bias) => bias === 0)).toBe(true);
    const ofConvnext = valuesIn(convnext, initialise(convnext, seededRandom(3)));
    expect(deviation(ofConvnext("features.7.0.block.3.weight"))).toBeCloseTo(0.02, 2);
    expect(ofConvnext("features.3.0.block.3.bias").every((bias) => bias === 0)).toBe(true);
    expect(ofConvnext("features.3.0.layer_scale")[0]).toBe(Math.fround(1e-6));
  });

  it("gives the same weights for the same random sequence", () => {
    const network = networkNamed("resnet9-small");
    expect(initialise(network, seededRandom(7))).toEqual(initialise(network, seededRandom(7)));
  });
});

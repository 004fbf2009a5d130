import { describe, expect, it } from "vitest";
import {
  checkResolution,
  defineNetwork,
  initialise,
  networkNamed,
  networkNames,
  parameterNamed,
} from "../../../src/main/network/index.ts";
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

describe("the validator", () => {
  const head = [
    { kind: "globalAveragePool" },
    { kind: "dense", name: "fc", inputFeatures: 4, outputFeatures: 1 },
  ] as const;
  const conv = {
    kind: "conv2d",
    name: "conv1",
    inputChannels: 1,
    outputChannels: 4,
    kernel: 3,
    stride: 1,
    padding: 1,
    groups: 1,
    bias: false,
  } as const;

  it("refuses batch normalisation and says that it mixes patients", () => {
    const layers = [conv, { kind: "batchNorm", name: "bn1" }, ...head];
    expect(() => defineNetwork({ name: "x", labels: 1, layers })).toThrow(
      /bn1: batch normalisation takes its mean and variance over the whole batch/,
    );
  });

  it("refuses batch normalisation inside a residual block", () => {
    const layers = [
      conv,
      { kind: "residual", body: [{ kind: "batchNorm", name: "b" }], shortcut: [] },
      ...head,
    ];
    expect(() => defineNetwork({ name: "x", labels: 1, layers })).toThrow(/whole batch/);
  });

  it("refuses channels that do not fit, unknown kinds and a wrong number of labels", () => {
    const define = (labels: number, layers: readonly { kind: string; name?: string }[]) => () =>
      defineNetwork({ name: "x", labels, layers });
    expect(define(1, [{ ...conv, outputChannels: 5 } as never, ...head])).toThrow(/gets 5/);
    expect(define(1, [{ kind: "attention" }, ...head])).toThrow(/unknown kind of layer attention/);
    expect(define(2, [conv, ...head])).toThrow(/1 logits for 2 labels/);
  });

  it("refuses a resolution at which nothing is left", () => {
    const stride = { ...conv, kernel: 5, padding: 0 };
    const network = defineNetwork({ name: "x", labels: 1, layers: [stride, ...head] });
    expect(() => checkResolution(network, 4)).toThrow(/too few/);
    expect(() => checkResolution(network, 5)).not.toThrow();
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

  it("gives the same weights for the same random sequence", () => {
    const network = networkNamed("resnet9-small");
    expect(initialise(network, seededRandom(7))).toEqual(initialise(network, seededRandom(7)));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkResolution, defineNetwork } from "../../../src/main/network/index.ts";

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

const define = (layers: unknown, labels = 1) => defineNetwork({ name: "x", labels, layers });

describe("the validator refuses what mixes examples, and says why", () => {
  it.each([
    ["batchNorm", /bn1: batch normalisation takes its mean and variance over the whole batch/],
    ["batchNorm2d", /batch normalisation takes its mean and variance over the whole batch/],
    ["syncBatchNorm", /synchronised batch normalisation .* over the whole batch/],
    ["ghostBatchNorm", /of parts of a batch too/],
    ["batchRenorm", /renormalisation takes its mean and variance over the whole batch/],
    ["batchInstanceNorm", /over the whole batch/],
    ["batchStandardDeviation", /every patient's images into every other patient's gradient/],
    ["minibatchStdDev", /every patient's images into every other patient's gradient/],
    ["contrastive", /compares the examples of a batch/],
    ["batchAttention", /attention across the batch/],
    ["memoryBank", /carries patients from one step into the next/],
    ["mixup", /several patients into one gradient/],
    ["cutmix", /several patients into one gradient/],
  ])("%s", (kind, reason) => {
    const layer = { kind, name: "bn1" };
    expect(() => define([conv, layer, ...head])).toThrow(reason);
    const inside = { kind: "residual", body: [layer], shortcut: [] };
    expect(() => define([conv, inside, ...head])).toThrow(reason);
    const beside = { kind: "residual", body: [], shortcut: [inside] };
    expect(() => define([conv, beside, ...head])).toThrow(reason);
  });

  const norm = { kind: "groupNorm", name: "n", channels: 4, groups: 2, epsilon: 1e-5 } as const;
  it.each([
    ["runningStatistics", true, /running statistics are gathered over all patients/],
    ["track_running_stats", true, /running statistics are gathered over all patients/],
    ["overBatch", true, /statistics over the batch/],
    ["overUnits", "all", /statistics over several units/],
  ])("a norm with %s", (field, value, reason) => {
    expect(() => define([conv, { ...norm, [field]: value }, ...head])).toThrow(reason);
  });
});

describe("the validator refuses what it does not understand", () => {
  it.each([
    ["an unknown kind", [{ kind: "attention" }, ...head], /unknown kind of layer attention/],
    ["a field that would be ignored", [{ ...conv, dilation: 2 }, ...head], /conv1: .*dilation/],
    ["a missing field", [{ ...conv, stride: undefined }, ...head], /conv1: stride/],
    ["a window of half a pixel", [{ ...conv, kernel: 2.5 }, ...head], /conv1: kernel/],
    [
      "a window of three sides",
      [{ ...conv, kernel: [3, 3, 3] }, ...head],
      /conv1: kernel: .*\[height/,
    ],
    ["a window without width", [{ ...conv, kernel: [3, 0] }, ...head], /conv1: kernel/],
    [
      "a rectangular pooling",
      [conv, { kind: "maxPool", kernel: [1, 3], stride: 1, padding: 0 }, ...head],
      /kernel/,
    ],
    ["no channels", [{ ...conv, outputChannels: 0 }, ...head], /conv1: outputChannels/],
    ["something that is no layer", ["conv2d", ...head], /must be an object with its kind/],
    ["layers that are no list", { layers: [] }, /must be a list/],
    ["a block without a list", [{ kind: "residual", body: [], shortcut: 3 }], /shortcut/],
    ["inherited names", [{ kind: "constructor" }], /unknown kind of layer constructor/],
  ])("%s", (_, layers, reason) => {
    expect(() => define(layers)).toThrow(reason);
  });
});

describe("the validator refuses what does not fit", () => {
  const residual = (body: unknown[], shortcut: unknown[] = []) => ({
    kind: "residual",
    body,
    shortcut,
  });
  const wide = { ...conv, name: "wide", inputChannels: 4, outputChannels: 6 };
  it.each([
    ["channels", [{ ...conv, outputChannels: 5 }, ...head], /gets 5/],
    [
      "a norm's channels",
      [conv, { kind: "layerNorm", name: "n", channels: 3, epsilon: 1e-6 }],
      /gets 4/,
    ],
    [
      "groups of channels",
      [conv, { ...wide, groups: 3 }],
      /groups \(3\) must divide its 4 input and 6/,
    ],
    [
      "a norm's groups",
      [conv, { kind: "groupNorm", name: "n", channels: 4, groups: 3, epsilon: 1e-5 }],
      /4 channels in 3 groups/,
    ],
    [
      "a convolution behind pooling",
      [conv, head[0], { ...conv, inputChannels: 4 }],
      /needs images/,
    ],
    [
      "pooling that sees only padding",
      [conv, { kind: "maxPool", kernel: 3, stride: 1, padding: 2 }],
      /half the window/,
    ],
    ["the sides of a block", [conv, residual([wide])], /adds 6 to 4 channels/],
    ["pooled and unpooled sides", [conv, residual([head[0]])], /images to pooled features/],
    ["an end in maps", [conv], /ends in maps/],
    ["two layers of one name", [conv, { ...conv, inputChannels: 4 }, ...head], /same name/],
  ])("%s", (_, layers, reason) => {
    expect(() => define(layers)).toThrow(reason);
  });

  it("a wrong number of labels", () => {
    expect(() => define([conv, ...head], 2)).toThrow(/1 logits for 2 labels/);
  });

  it("a resolution at which nothing is left", () => {
    const network = define([{ ...conv, kernel: 5, padding: 0 }, ...head]);
    expect(() => checkResolution(network, 4)).toThrow(/too few/);
    expect(() => checkResolution(network, 5)).not.toThrow();
  });

  it("a resolution at which nothing is left along one axis", () => {
    for (const kernel of [
      [5, 1],
      [1, 5],
    ]) {
      const network = define([{ ...conv, kernel, padding: 0 }, ...head]);
      expect(() => checkResolution(network, 4)).toThrow(/too few/);
      expect(() => checkResolution(network, 5)).not.toThrow();
    }
  });

  it("a block whose sides differ along one axis", () => {
    const across = { ...conv, name: "b", inputChannels: 4, stride: [1, 2] };
    const network = define([conv, residual([across]), ...head]);
    expect(() => checkResolution(network, 8)).toThrow(/adds maps of 4 and 8 pixels/);
  });

  it("a resolution at which the sides of a block end in different sizes", () => {
    const strided = { ...conv, name: "b", inputChannels: 4, stride: 2 };
    const network = define([conv, residual([strided]), ...head]);
    expect(() => checkResolution(network, 8)).toThrow(/adds maps of 4 and 8 pixels/);
    expect(() => checkResolution(network, 1)).not.toThrow();
  });
});

it("the validator never crashes: whatever the description, it takes it or says why not", () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.array(fc.anything())), (layers) => {
      try {
        define(layers);
      } catch (error) {
        expect(error).toMatchObject({ name: "UserError" });
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

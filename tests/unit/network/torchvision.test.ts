import { describe, expect, it } from "vitest";
import { loadWeights, networkNamed, readSafetensors } from "../../../src/main/network/index.ts";

/**
 * The state dict of torchvision's resnet18 as its source builds it (models/resnet.py: BasicBlocks
 * [2, 2, 2, 2], BatchNorm with its three buffers, three channels, a thousand classes): 62 parameters
 * with 11,689,512 values, and 60 buffers.
 */
function torchvisionResnet18(): [name: string, dtype: "F32" | "I64", shape: number[]][] {
  const entries: [string, "F32" | "I64", number[]][] = [];
  const conv = (name: string, outputs: number, inputs: number, kernel: number): void => {
    entries.push([`${name}.weight`, "F32", [outputs, inputs, kernel, kernel]]);
  };
  const norm = (name: string, channels: number): void => {
    for (const part of ["weight", "bias", "running_mean", "running_var"])
      entries.push([`${name}.${part}`, "F32", [channels]]);
    entries.push([`${name}.num_batches_tracked`, "I64", []]);
  };
  conv("conv1", 64, 3, 7);
  norm("bn1", 64);
  let channels = 64;
  [64, 128, 256, 512].forEach((width, stage) => {
    for (const block of [0, 1]) {
      const name = `layer${stage + 1}.${block}`;
      conv(`${name}.conv1`, width, channels, 3);
      norm(`${name}.bn1`, width);
      conv(`${name}.conv2`, width, width, 3);
      norm(`${name}.bn2`, width);
      if (channels !== width) {
        conv(`${name}.downsample.0`, width, channels, 1);
        norm(`${name}.downsample.1`, width);
      }
      channels = width;
    }
  });
  entries.push(["fc.weight", "F32", [1000, 512]], ["fc.bias", "F32", [1000]]);
  return entries;
}

const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, extent) => size * extent, 1);

/** The file byte by byte: value i of a tensor of floats is i modulo 1,000. */
function asSafetensors(entries: ReturnType<typeof torchvisionResnet18>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let bytes = 0;
  for (const [name, dtype, shape] of entries) {
    const length = sizeOf(shape) * (dtype === "I64" ? 8 : 4);
    header[name] = { dtype, shape, data_offsets: [bytes, bytes + length] };
    bytes += length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const file = Buffer.alloc(8 + text.length + bytes);
  file.writeBigUInt64LE(BigInt(text.length));
  text.copy(file, 8);
  let at = 8 + text.length;
  for (const [, dtype, shape] of entries)
    for (let i = 0; i < sizeOf(shape); i += 1)
      at = dtype === "I64" ? file.writeBigInt64LE(7n, at) : file.writeFloatLE(i % 1000, at);
  return file;
}

describe("a state dict of torchvision's resnet18", () => {
  it("fills resnet18 but for its head, with the first layer's colours folded to grey", () => {
    const entries = torchvisionResnet18();
    const parameters = entries.filter(([name]) => !/running_|num_batches/.test(name));
    expect([entries.length, parameters.length]).toEqual([122, 62]);
    expect(parameters.reduce((sum, [, , shape]) => sum + sizeOf(shape), 0)).toBe(11_689_512);

    const network = networkNamed("resnet18");
    const { tensors } = readSafetensors(asSafetensors(entries));
    const { weights, report } = loadWeights(network, tensors);
    expect(report.folded).toEqual(["conv1.weight"]);
    expect(report.matched).toHaveLength(60);
    expect(report.missing).toEqual([]);
    expect(report.mismatched.map(({ name }) => name)).toEqual(["fc.weight", "fc.bias"]);
    expect(report.unused).toHaveLength(60);
    expect(report.unused.every((name) => /running_|num_batches/.test(name))).toBe(true);

    const place = (name: string): number =>
      network.parameters.find((parameter) => parameter.name === name)?.offset ?? NaN;
    // Channels of 49 taps each, at 147 o, 147 o + 49 and 147 o + 98.
    for (const [output, tap] of [
      [0, 0],
      [5, 11],
      [63, 48],
    ] as const) {
      const first = 147 * output + tap;
      const sum = [first, first + 49, first + 98].reduce((all, i) => all + (i % 1000), 0);
      expect(weights[place("conv1.weight") + 49 * output + tap]).toBe(sum);
    }
    expect(weights[place("layer4.1.conv2.weight") + 123_456]).toBe(456);
    expect(weights[place("layer3.0.downsample.1.bias") + 200]).toBe(200);
  });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keysOf } from "../../../src/shared/findings.ts";
import { startingWeightsInWords } from "../../../src/shared/starting-weights.ts";
import { networkNamed } from "../../../src/main/network/networks.ts";
import { writeSafetensors, type NamedTensor } from "../../../src/main/network/safetensors.ts";
import { initialWeights, matchWeights } from "../../../src/main/training/initial-weights.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const network = networkNamed("resnet9-small");
const labels = keysOf("sided");
const filled = (shape: readonly number[], value: number): NamedTensor => ({
  shape,
  data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(value),
});

/** A file as torchvision would give it: three channels, a thousand classes, batch statistics. */
function colourFile(): string {
  const file = join(temporaryFolder(), "colour.safetensors");
  const tensors = new Map(
    network.parameters
      .filter(({ name }) => name !== "layer1.0.bn1.bias")
      .map(({ name, shape }) => {
        if (name === "conv1.weight") return [name, filled([16, 3, 3, 3], 2)];
        if (name === "fc.weight") return [name, filled([1000, 128], 3)];
        if (name === "fc.bias") return [name, filled([1000], 3)];
        return [name, filled(shape, 1)];
      }),
  );
  tensors.set("bn1.running_mean", filled([16], 0));
  writeFileSync(file, writeSafetensors(tensors, { privacy: "public" }));
  return file;
}

describe("weights to start from", () => {
  it("leave a head of the same size out that was trained for other labels", () => {
    const file = join(temporaryFolder(), "other-labels.safetensors");
    const write = (stated: readonly string[]): void => {
      const tensors = new Map<string, NamedTensor>(
        network.parameters.map(({ name, shape }) => [name, filled(shape, 1)]),
      );
      writeFileSync(file, writeSafetensors(tensors, { labels: JSON.stringify(stated) }));
    };
    write(labels);
    expect(matchWeights(network, file, labels)).toMatchObject({ missing: [], mismatched: [] });
    expect(matchWeights(network, file, labels).values).toBe(network.parameterCount);
    write(labels.toReversed());
    const report = matchWeights(network, file, labels);
    expect(report.foreignHead).toEqual(["fc.weight", "fc.bias"]);
    expect(report.missing).toEqual([]);
    expect(report.values).toBe(network.parameterCount - 128 * 8 - 8);
    expect(startingWeightsInWords(report).join(" ")).toMatch(/Trained for other labels/);
    const started = initialWeights(network, file, "seed", labels);
    const fresh = initialWeights(network, null, "seed", labels);
    const head = network.parameters.find(({ name }) => name === "fc.weight")!.offset;
    expect(started.subarray(head)).toEqual(fresh.subarray(head));
  });

  it("are reported tensor by tensor: folded, of another shape, missing, without a place", () => {
    const report = matchWeights(network, colourFile(), labels);
    expect(report).toMatchObject({
      file: "colour.safetensors",
      folded: ["conv1.weight"],
      missing: ["layer1.0.bn1.bias"],
      unused: ["bn1.running_mean"],
      privacy: "public",
      parameterCount: network.parameterCount,
    });
    expect(report.mismatched.map(({ name }) => name)).toEqual(["fc.weight", "fc.bias"]);
    expect(report.values).toBe(network.parameterCount - 16 - 128 * 8 - 8);
    expect(report.sha256).toMatch(/^[0-9a-f]{64}$/);
    const words = startingWeightsInWords(report).join("\n");
    expect(words).toMatch(/99 % of the network's weights/);
    expect(words).toMatch(/fc\.weight \(1000 × 128 in the file, 8 × 128 here\)/);
  });

  it("sum three channels into one, and leave a head of another size at its start", () => {
    const fresh = initialWeights(network, null, "seed", labels);
    const started = initialWeights(network, colourFile(), "seed", labels);
    const of = (values: Float32Array, name: string): Float32Array => {
      const { offset, size } = network.parameters.find((parameter) => parameter.name === name)!;
      return values.subarray(offset, offset + size);
    };
    expect(of(started, "conv1.weight").every((value) => value === 6)).toBe(true);
    expect(of(started, "fc.weight")).toEqual(of(fresh, "fc.weight"));
    expect(of(started, "layer2.0.conv1.weight").every((value) => value === 1)).toBe(true);
  });

  it("in PyTorch's own format are refused with how to convert them", () => {
    const folder = temporaryFolder();
    const zip = join(folder, "weights.pth");
    writeFileSync(zip, Buffer.from([0x50, 0x4b, 0x03, 0x04, 0, 0, 0, 0, 0, 0]));
    const old = join(folder, "old.pt");
    writeFileSync(old, Buffer.from([0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]));
    for (const file of [zip, old]) {
      expect(() => matchWeights(network, file, labels)).toThrow(/PyTorch file.*Convert/s);
    }
    expect(() => matchWeights(network, join(folder, "none.safetensors"), labels)).toThrow(
      /cannot be read/,
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  defineNetwork,
  loadWeights,
  namedTensors,
  networkNamed,
  initialise,
  readSafetensors,
  writeSafetensors,
} from "../../../src/main/network/index.ts";
import { rectangularAndGrouped } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";

/** A file made by hand, as another program would: header text and raw little-endian data. */
function fileOf(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

it("rectangular and grouped weights have torch's shapes, and come back as they went", () => {
  const network = rectangularAndGrouped();
  const weights = initialise(network, seededRandom(6));
  const tensors = namedTensors(network, weights);
  const shape = (name: string) => tensors.get(name)?.shape;
  expect(shape("stem.weight")).toEqual([4, 1, 1, 5]);
  expect(shape("grouped.weight")).toEqual([6, 2, 3, 2]);
  expect(shape("depthwise.weight")).toEqual([6, 1, 3, 1]);
  expect(shape("standardised.weight")).toEqual([8, 6, 2, 3]);
  expect(shape("deep.weight")).toEqual([16, 2, 3, 3]);
  const read = loadWeights(
    network,
    readSafetensors(writeSafetensors(tensors, {})).tensors,
    initialise(network, seededRandom(1)),
  );
  expect(read.weights).toEqual(weights);
});

describe("safetensors", () => {
  it("reads back what it wrote, metadata included", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 12 }).filter((key) => !key.startsWith("__")),
          fc.float32Array({ maxLength: 20 }),
          { maxKeys: 5 },
        ),
        fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          fc.string(),
          { maxKeys: 3 },
        ),
        (arrays, metadata) => {
          const tensors = new Map(
            Object.entries(arrays).map(([name, data]) => [name, { shape: [data.length], data }]),
          );
          const read = readSafetensors(writeSafetensors(tensors, metadata));
          expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
          for (const [name, { data }] of tensors)
            expect(read.tensors.get(name)?.data).toEqual(data);
          expect({ ...read.metadata }).toEqual({ ...metadata });
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it("widens half, bfloat16 and integer tensors", () => {
    const data = new Uint8Array(2 + 2 + 8);
    const view = new DataView(data.buffer);
    view.setUint16(0, 0x3e00, true); // 1.5 as float16
    view.setUint16(2, 0xc040, true); // -3 as bfloat16
    view.setBigInt64(4, 42n, true);
    const file = fileOf(
      {
        half: { dtype: "F16", shape: [1], data_offsets: [0, 2] },
        brain: { dtype: "BF16", shape: [1], data_offsets: [2, 4] },
        count: { dtype: "I64", shape: [], data_offsets: [4, 12] },
      },
      data,
    );
    const { tensors } = readSafetensors(file);
    expect(tensors.get("half")?.data[0]).toBe(1.5);
    expect(tensors.get("brain")?.data[0]).toBe(-3);
    expect(tensors.get("count")?.data[0]).toBe(42);
  });

  it("refuses a truncated file, a header that is no JSON, and an empty file, by name", () => {
    const whole = writeSafetensors(new Map([["a", { shape: [4], data: new Float32Array(4) }]]));
    expect(() => readSafetensors(whole.subarray(0, whole.length - 1), "w.bin")).toThrow(
      /w\.bin is not a usable safetensors file: tensor a does not fit/,
    );
    expect(() => readSafetensors(new Uint8Array(3))).toThrow(/shorter than a header/);
    const bad = whole.slice();
    bad[8] = 0x21;
    expect(() => readSafetensors(bad)).toThrow(/not JSON/);
  });
});

describe("loading weights", () => {
  const network = networkNamed("resnet9-small");
  const weights = initialise(network, seededRandom(2));

  it("is the inverse of naming the tensors", () => {
    const loaded = loadWeights(network, namedTensors(network, weights));
    expect(loaded.weights).toEqual(weights);
    expect(loaded.report.missing).toEqual([]);
    expect(loaded.report.matched).toHaveLength(network.parameters.length);
  });

  it("folds a colour stem to grey by summing its channels", () => {
    const tensors = namedTensors(network, weights);
    const colour = new Float32Array(16 * 3 * 9).map((_, i) => i);
    tensors.set("conv1.weight", { shape: [16, 3, 3, 3], data: colour });
    const { weights: loaded, report } = loadWeights(network, tensors);
    expect(report.folded).toEqual(["conv1.weight"]);
    expect(loaded[0]).toBe(0 + 9 + 18);
    expect(loaded[10]).toBe(28 + 37 + 46);
  });

  it("names what is missing, unused and of another shape, and keeps the start there", () => {
    const tensors = namedTensors(network, weights);
    tensors.delete("bn1.bias");
    tensors.set("fc.weight", { shape: [5, 128], data: new Float32Array(5 * 128) });
    tensors.set("extra", { shape: [1], data: new Float32Array(1) });
    const start = new Float32Array(network.parameterCount).fill(3);
    const { weights: loaded, report } = loadWeights(network, tensors, start);
    expect(report.missing).toEqual(["bn1.bias"]);
    expect(report.unused).toEqual(["extra"]);
    expect(report.mismatched).toEqual([{ name: "fc.weight", expected: [8, 128], found: [5, 128] }]);
    const bias = network.parameters.find((parameter) => parameter.name === "bn1.bias");
    expect(loaded[bias?.offset ?? -1]).toBe(3);
  });

  it("drops a prefix that all names share", () => {
    const prefixed = new Map(
      [...namedTensors(network, weights)].map(([name, tensor]) => [`module.${name}`, tensor]),
    );
    expect(loadWeights(network, prefixed).weights).toEqual(weights);
  });

  it("works for a network of another definition", () => {
    const tiny = defineNetwork({
      name: "tiny",
      labels: 2,
      layers: [
        { kind: "globalAveragePool" },
        { kind: "dense", name: "fc", inputFeatures: 1, outputFeatures: 2 },
      ],
    });
    expect(tiny.parameterCount).toBe(4);
  });
});

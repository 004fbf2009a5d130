import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { channelBlock } from "../../../src/main/engine/onnxruntime/blocks.ts";
import { lower } from "../../../src/main/engine/onnxruntime/lower.ts";
import { resultOf } from "../../../src/main/engine/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { sizeOf } from "../../../src/main/graph/ir.ts";
import { ordinaryGraph, privateGraph } from "../../../src/main/graph/step.ts";
import { outputSize, windowRows, type WindowGeometry } from "../../../src/main/graph/windows.ts";
import { everyEngine } from "../support/engines.ts";
import { smoothNetworks } from "../support/networks.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const extents = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
  padding: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1 })),
  height: fc.integer({ min: 3, max: 7 }),
  width: fc.integer({ min: 4, max: 6 }),
  images: fc.integer({ min: 1, max: 2 }),
});

/** Windows times weights, one multiplication at a time. */
function plainConvolution(
  geometry: WindowGeometry,
  [channels, outputs]: readonly [number, number],
  maps: Float32Array,
  weightOf: (output: number, tap: number, channel: number) => number,
): Float64Array {
  const rows = windowRows(geometry);
  const { height, width } = outputSize(geometry);
  const pixels = geometry.images * height * width;
  const taps = rows.length / pixels;
  const result = new Float64Array(pixels * outputs);
  rows.forEach((row, at) => {
    if (row < 0) return;
    for (let output = 0; output < outputs; output += 1)
      for (let channel = 0; channel < channels; channel += 1)
        result[Math.floor(at / taps) * outputs + output]! +=
          maps[row * channels + channel]! * weightOf(output, at % taps, channel);
  });
  return result;
}

describe("a convolution", () => {
  for (const [name, open] of Object.entries(everyEngine))
    it(`is windows times weights by ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          extents,
          // Blocks of channels, and channels that fit into none.
          fc.constantFrom([16, 32], [32, 16], [3, 5], [16, 5]),
          fc.boolean(),
          async (geometry, [channels = 0, outputs = 0], transposed) => {
            const random = seededRandom(4);
            const fill = (count: number) =>
              Float32Array.from({ length: count }, () => random() - 0.5);
            const { images, height, width, kernel } = geometry;
            const inner = kernel[0] * kernel[1] * channels;
            const maps = fill(images * height * width * channels);
            const weights = fill(inner * outputs);
            const builder = new GraphBuilder();
            const convolved = builder.convolution(
              builder.input("maps", [images, height * width, channels]),
              builder.input("weights", transposed ? [inner, outputs] : [outputs, inner]),
              geometry,
              transposed,
            );
            builder.output("convolved", convolved);
            const program = await open(builder.finish());
            const results = await program.run(new Map(Object.entries({ maps, weights })));
            const found = resultOf(results, "convolved");
            await program.dispose();
            const expected = plainConvolution(
              geometry,
              [channels, outputs],
              maps,
              (output, tap, channel) => {
                const at = tap * channels + channel;
                return weights[transposed ? at * outputs + output : output * inner + at]!;
              },
            );
            expect(relativeError(found, expected)).toBeLessThan(1e-6);
          },
        ),
        { seed: 3, numRuns: 30 },
      );
    });

  it("is computed in blocks of channels where the processor has kernels for them", async () => {
    const block = await channelBlock();
    // Every processor that tests run on has vectors of four floats or more.
    expect([4, 8, 16]).toContain(block);
    const builder = new GraphBuilder();
    const geometry = { images: 1, height: 4, width: 4, kernel: 3, stride: 1, padding: 1 };
    const maps = builder.input("maps", [1, 16, 16]);
    const weights = builder.input("weights", [16, 9 * 16]);
    builder.output("convolved", builder.convolution(maps, weights, geometry, false));
    const operatorsWith = (channels: number | null) =>
      lower(builder.finish(), "blocks", { fusedOperators: true, channelBlock: channels }).nodes.map(
        ({ operator, domain }) => `${domain}.${operator}`,
      );
    expect(operatorsWith(16)).toContain("com.microsoft.nchwc.Conv");
    expect(operatorsWith(null)).toContain(".Conv");
    // 16 channels are no whole blocks of 32.
    expect(operatorsWith(32)).toContain(".Conv");
  });

  it("is refused where maps, windows or weights do not fit", () => {
    const builder = new GraphBuilder();
    const geometry = { images: 1, height: 4, width: 4, kernel: 3, stride: 1, padding: 1 };
    const maps = builder.input("maps", [1, 16, 2]);
    const weights = builder.input("weights", [5, 18]);
    expect(builder.convolution(maps, weights, geometry, false).shape).toEqual([1, 16, 5]);
    expect(() => builder.convolution(maps, weights, geometry, true)).toThrow(/no windows/);
    expect(() => builder.convolution(maps, weights, { ...geometry, height: 5 }, false)).toThrow(
      /do not fit/,
    );
  });
});

describe("windows in strips, and layers computed again", () => {
  it("give what they give at once and kept, for random networks", async () => {
    let inStrips = 0;
    await fc.assert(
      fc.asyncProperty(
        smoothNetworks,
        fc.integer({ min: 6, max: 9 }),
        fc.integer({ min: 1, max: 2 }),
        fc.constantFrom(1, 60, 500),
        fc.boolean(),
        async (network, resolutionPixels, views, mostWindowValues, recomputing) => {
          const shape = { resolutionPixels, units: 2, views };
          for (const graphOf of [privateGraph, ordinaryGraph]) {
            const results = [];
            const whole = graphOf(network, shape);
            const spared = { ...shape, sparing: true, mostWindowValues, recomputing };
            const strips = graphOf(network, spared);
            if (strips.graph.operations.length > whole.graph.operations.length + 10) inStrips += 1;
            for (const { graph } of [whole, strips]) {
              const random = seededRandom(9);
              const feeds = new Map<string, Float32Array>();
              const inputs = graph.operations
                .flatMap((operation) => (operation.kind === "input" ? [operation] : []))
                .toSorted((a, b) => a.name.localeCompare(b.name));
              for (const { name, output } of inputs)
                feeds.set(
                  name,
                  Float32Array.from({ length: sizeOf(output.shape) }, () => 0.1 + random()),
                );
              const program = await everyEngine["onnxruntime's own operators"](graph);
              results.push(await program.run(feeds));
              await program.dispose();
            }
            const [expected, found] = results;
            expect([...found!.keys()]).toEqual([...expected!.keys()]);
            for (const name of expected!.keys())
              expect(
                relativeError(resultOf(found!, name), resultOf(expected!, name)),
                name,
              ).toBeLessThan(1e-4);
          }
        },
      ),
      { seed: 21, numRuns: 20 },
    );
    expect(inStrips).toBeGreaterThan(10);
  });
});

import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { costs, prefersGhostNorm } from "../../../src/main/graph/cost.ts";
import { privateGraph } from "../../../src/main/graph/step.ts";
import { networkNamed } from "../../../src/main/network/index.ts";

describe("the cost model", () => {
  it("takes ghost norms for few pixels and many weights, and gradients for the opposite", () => {
    // resnet9 at 64 pixels: layer4 has 4 pixels and 2.4 M weights, layer1 256 and 37 k.
    expect(prefersGhostNorm({ contracted: 4, outputs: 512, inputs: 4608 })).toBe(true);
    expect(prefersGhostNorm({ contracted: 256, outputs: 64, inputs: 576 })).toBe(false);
  });

  it("grows with the square of the pixels for ghost norms only", () => {
    const one = costs({ contracted: 10, outputs: 8, inputs: 8 });
    const two = costs({ contracted: 20, outputs: 8, inputs: 8 });
    expect(two.ghost).toBe(4 * one.ghost);
    expect(two.materialised).toBe(one.materialised);
  });
});

describe("the private graph", () => {
  it("computes nothing that the input's gradient alone would need", () => {
    const { graph } = privateGraph(networkNamed("resnet9-small"), {
      resolutionPixels: 32,
      units: 2,
      views: 1,
    });
    const inputs = graph.operations.flatMap((operation) =>
      operation.kind === "input" ? [operation.name] : [],
    );
    expect(inputs).toContain("conv1.weight");
    expect(inputs.some((name) => name.startsWith("conv1.weight.transposed"))).toBe(false);
  });

  it("holds no tensor that mixes units before the weighted sums", () => {
    // Every operation but sums of gradients keeps the units apart: with one unit more, tensors
    // grow by whole units, so their sizes are multiples of the number of units.
    const shape = { resolutionPixels: 16, views: 1 };
    const network = networkNamed("resnet9-smooth");
    const seven = privateGraph(network, { ...shape, units: 7 });
    const results = new Set(
      seven.gradients.map(({ output }) => seven.graph.outputs.get(output)?.id),
    );
    const before = seven.graph.operations.filter(
      (operation) => operation.kind === "unary" || operation.kind === "binary",
    );
    for (const { output } of before)
      if (!results.has(output.id))
        expect(output.shape.reduce((product, extent) => product * extent, 1) % 7).toBe(0);
  });
});

describe("the graph builder", () => {
  it("refuses shapes that do not fit", () => {
    const builder = new GraphBuilder();
    const a = builder.input("a", [2, 3]);
    const b = builder.input("b", [4, 3]);
    expect(() => builder.add(a, b)).toThrow(/shapes differ/);
    expect(() => builder.matrixProduct(a, b)).toThrow(/no product/);
    expect(builder.matrixProduct(a, b, { second: true }).shape).toEqual([2, 4]);
    expect(() => builder.gatherRows(a, Int32Array.of(2))).toThrow(/row 2 of 2/);
    expect(() => builder.reshape(a, [4])).toThrow(/does not reshape/);
  });

  it("leaves out what no output needs", () => {
    const builder = new GraphBuilder();
    const a = builder.input("a", [2]);
    builder.input("unused", [2]);
    builder.output("y", builder.unary("sigmoid", a));
    expect(builder.finish().operations.map((operation) => operation.kind)).toEqual([
      "input",
      "unary",
    ]);
  });
});

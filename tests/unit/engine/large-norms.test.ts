import { describe, expect, it } from "vitest";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { resultOf } from "../../../src/main/engine/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { squaredNormsFrom, squaredPartsOf } from "../../../src/main/graph/gradients.ts";
import { seededRandom } from "../support/random.ts";

describe("squared norms of large gradients", () => {
  it.each([
    [2, 1, 37_632, "ConvNeXt's widest depthwise convolution"],
    [1, 512, 4608, "the study's widest convolution"],
    [1, 3072, 768, "ConvNeXt's widest dense layer"],
    [1, 1, 2_359_296, "all of it in one row"],
  ])("%d units of %d x %d are right within 1e-6: %s", async (units, rows, columns) => {
    const random = seededRandom(5);
    const values = Float32Array.from({ length: units * rows * columns }, () => 0.5 + random());
    const builder = new GraphBuilder();
    const x = builder.input("x", [units, rows, columns]);
    builder.output("squares", squaredNormsFrom(builder, [squaredPartsOf(builder, x)]));
    const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads: 1 };
    const program = await openProgram(builder.finish(), "squares", sessions);
    const squares = resultOf(await program.run(new Map([["x", values]])), "squares");
    const size = rows * columns;
    for (let unit = 0; unit < units; unit += 1) {
      let expected = 0;
      for (let i = unit * size; i < (unit + 1) * size; i += 1) expected += values[i]! ** 2;
      expect(Math.abs((squares[unit] ?? NaN) / expected - 1)).toBeLessThan(1e-6);
    }
    await program.dispose();
  });
});

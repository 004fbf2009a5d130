import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { resultOf } from "../../../src/main/engine/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { squaredNormsFrom } from "../../../src/main/graph/gradients.ts";
import { ofGroups } from "../../../src/main/graph/grouped.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 60_000 });

const ways = ["ghost", "materialised"] as const;

const sizes = fc.record({
  groups: fc.integer({ min: 2, max: 4 }),
  units: fc.integer({ min: 1, max: 3 }),
  rows: fc.constantFrom(1, 2, 7),
  outputs: fc.integer({ min: 1, max: 5 }),
  inputs: fc.integer({ min: 1, max: 6 }),
});

it("both ways to the norms of groups give the plain sums of products", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 0, max: 1000 }), async (size, seed) => {
      const { groups, units, rows, outputs, inputs } = size;
      const random = seededRandom(seed);
      const fill = (count: number) => Float32Array.from({ length: count }, () => random() - 0.3);
      const gradient = fill(groups * units * rows * outputs);
      const columns = fill(groups * units * rows * inputs);
      const scale = fill(units);

      const squares = new Float64Array(units);
      const sum = new Float64Array(groups * outputs * inputs);
      const plain = new Float64Array(sum.length);
      for (let group = 0; group < groups; group += 1)
        for (let unit = 0; unit < units; unit += 1)
          for (let o = 0; o < outputs; o += 1)
            for (let i = 0; i < inputs; i += 1) {
              let value = 0;
              for (let row = 0; row < rows; row += 1) {
                const at = (group * units + unit) * rows + row;
                value += gradient[at * outputs + o]! * columns[at * inputs + i]!;
              }
              squares[unit]! += value ** 2;
              sum[(group * outputs + o) * inputs + i]! += scale[unit]! * value;
              plain[(group * outputs + o) * inputs + i]! += value;
            }

      for (const way of ways) {
        const builder = new GraphBuilder();
        const gradients = ofGroups(
          builder,
          units,
          builder.input("gradient", [groups, units * rows, outputs]),
          builder.input("columns", [groups, units * rows, inputs]),
          way,
        );
        builder.output("squares", squaredNormsFrom(builder, [gradients.squaredParts()]));
        builder.output("sum", gradients.weightedSum(builder.input("scale", [units, 1])));
        builder.output("plain", gradients.weightedSum(null));
        const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads: 1 };
        const program = await openProgram(builder.finish(), way, sessions);
        const feeds = [
          ["gradient", gradient],
          ["columns", columns],
          ["scale", scale],
        ] as const;
        const found = await program.run(new Map(feeds));
        await program.dispose();
        expect(relativeError(resultOf(found, "squares"), squares)).toBeLessThan(1e-5);
        expect(relativeError(resultOf(found, "sum"), sum)).toBeLessThan(1e-5);
        expect(relativeError(resultOf(found, "plain"), plain)).toBeLessThan(1e-5);
      }
    }),
    { seed: 12, numRuns: 20 },
  );
});

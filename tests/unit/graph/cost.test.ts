import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { resultOf } from "../../../src/main/engine/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { costs, prefersGhostNorm } from "../../../src/main/graph/cost.ts";
import {
  squaredNormsFrom,
  ghostOfMatrix,
  materialisedOfMatrix,
  ofMatrix,
  type MatrixRows,
} from "../../../src/main/graph/gradients.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

vi.setConfig({ testTimeout: 60_000 });

const ways = {
  ghost: (builder: GraphBuilder, rows: MatrixRows) => ghostOfMatrix(builder, rows),
  materialised: (builder: GraphBuilder, rows: MatrixRows) => materialisedOfMatrix(builder, [rows]),
  chosen: (builder: GraphBuilder, rows: MatrixRows) => ofMatrix(builder, [rows]),
} as const;

interface Sizes {
  readonly units: number;
  readonly rows: number;
  readonly outputs: number;
  readonly inputs: number;
}

function graphOf(way: keyof typeof ways, { units, rows, outputs, inputs }: Sizes) {
  const builder = new GraphBuilder();
  const gradient = builder.input("gradient", [units, rows, outputs]);
  const columns = builder.input("columns", [units, rows, inputs]);
  const scale = builder.input("scale", [units, 1]);
  const gradients = ways[way](builder, { gradient, columns });
  builder.output("squares", squaredNormsFrom(builder, [gradients.squaredParts()]));
  builder.output("sum", gradients.weightedSum(scale));
  builder.output("plain", gradients.weightedSum(null));
  return builder.finish();
}

const sizes = fc.record({
  units: fc.integer({ min: 1, max: 3 }),
  rows: fc.constantFrom(1, 2, 3, 7, 16),
  outputs: fc.integer({ min: 1, max: 12 }),
  inputs: fc.integer({ min: 1, max: 12 }),
});

describe("the two ways to a unit's norm", () => {
  it("give the same norms and sums, which are the plain sums of products", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 0, max: 1000 }), async (size, seed) => {
        const { units, rows, outputs, inputs } = size;
        const random = seededRandom(seed);
        const fill = (count: number) => Float32Array.from({ length: count }, () => random() - 0.3);
        const feeds = new Map([
          ["gradient", fill(units * rows * outputs)],
          ["columns", fill(units * rows * inputs)],
          ["scale", fill(units)],
        ]);
        const squares = new Float64Array(units);
        const sum = new Float64Array(outputs * inputs);
        const plain = new Float64Array(outputs * inputs);
        for (let u = 0; u < units; u += 1)
          for (let o = 0; o < outputs; o += 1)
            for (let i = 0; i < inputs; i += 1) {
              let product = 0;
              for (let r = u * rows; r < (u + 1) * rows; r += 1)
                product +=
                  feeds.get("gradient")![r * outputs + o]! * feeds.get("columns")![r * inputs + i]!;
              squares[u]! += product ** 2;
              sum[o * inputs + i]! += feeds.get("scale")![u]! * product;
              plain[o * inputs + i]! += product;
            }
        for (const way of ["ghost", "materialised", "chosen"] as const) {
          const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads: 1 };
          const program = await openProgram(graphOf(way, size), way, sessions);
          const results = await program.run(feeds);
          expect(relativeError(resultOf(results, "squares"), squares), way).toBeLessThan(2e-5);
          expect(relativeError(resultOf(results, "sum"), sum), way).toBeLessThan(2e-5);
          expect(relativeError(resultOf(results, "plain"), plain), way).toBeLessThan(2e-5);
          await program.dispose();
        }
      }),
      { seed: 12, numRuns: 40 },
    );
  });

  it("are chosen as the cost model says, and it names the cheaper", () => {
    fc.assert(
      fc.property(
        fc.record({
          units: fc.constant(2),
          rows: fc.integer({ min: 1, max: 300 }),
          outputs: fc.integer({ min: 1, max: 600 }),
          inputs: fc.integer({ min: 1, max: 5000 }),
        }),
        (size) => {
          const shape = { contracted: size.rows, outputs: size.outputs, inputs: size.inputs };
          const { ghost, materialised } = costs(shape);
          expect(prefersGhostNorm(shape)).toBe(ghost < materialised);
          const writesGradients = graphOf("chosen", size).operations.some(
            ({ output }) =>
              output.shape.length === 3 &&
              output.shape[1] === size.outputs &&
              output.shape[2] === size.inputs &&
              output.shape[1] !== size.rows,
          );
          if (size.rows !== size.outputs) expect(writesGradients).toBe(ghost >= materialised);
        },
      ),
      { seed: 13, numRuns: 200 },
    );
  });
});

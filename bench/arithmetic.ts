import { availableParallelism } from "node:os";
import { openProgram } from "../src/main/engine/onnxruntime/program.ts";
import { GraphBuilder } from "../src/main/graph/builder.ts";
import { ordinaryGraph } from "../src/main/graph/step.ts";
import type { NetworkDescription } from "../src/main/network/description.ts";

/** Sides of the square products that are tried; the quickest by its arithmetic counts. */
const sides = [768, 1024, 1536, 2048];

/** A matrix product at onnxruntime's best on this machine. */
export interface MatrixProducts {
  /** Floating-point operations in a second, of the quickest side, measured now. */
  measure(): Promise<number>;
  dispose(): Promise<void>;
}

export async function openMatrixProducts(): Promise<MatrixProducts> {
  const products = await Promise.all(
    sides.map(async (side) => {
      const builder = new GraphBuilder();
      const a = builder.input("a", [side, side]);
      builder.output("c", builder.matrixProduct(a, builder.input("b", [side, side])));
      const program = await openProgram(builder.finish(), `product of ${side}`, {
        executionProviders: ["cpu"],
        fusedOperators: true,
        threads: availableParallelism(),
      });
      const feeds = new Map(
        ["a", "b"].map((name) => [name, new Float32Array(side * side).fill(1)]),
      );
      await program.run(feeds);
      return { side, program, feeds };
    }),
  );
  return {
    measure: async () => {
      let best = 0;
      for (const { side, program, feeds } of products) {
        const start = performance.now();
        await program.run(feeds);
        best = Math.max(best, (2 * side ** 3) / ((performance.now() - start) / 1000));
      }
      return best;
    },
    dispose: async () => {
      for (const { program } of products) await program.dispose();
    },
  };
}

/** Narrower products are sums over rows or groups, which only happen to be written so. */
const narrowest = 8;

/**
 * Floating-point operations of an ordinary step's convolutions and dense layers: two for each
 * multiply-add of its matrix products. No way to compute the step by plain products needs fewer.
 */
export function stepOperations(
  network: NetworkDescription,
  resolutionPixels: number,
  units: number,
): number {
  const { graph } = ordinaryGraph(network, { resolutionPixels, units, views: 1 });
  let operations = 0;
  for (const operation of graph.operations) {
    if (operation.kind !== "matrixProduct") continue;
    const { output, inputs, transposeFirst } = operation;
    const [rows = 0, columns = 0] = output.shape.slice(-2);
    const stack = output.shape.length === 3 ? (output.shape[0] ?? 0) : 1;
    const inner = inputs[0].shape.at(transposeFirst ? -2 : -1) ?? 0;
    if (Math.min(rows, columns, inner) >= narrowest)
      operations += 2 * stack * rows * columns * inner;
  }
  return operations;
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import { resultOf } from "../../../src/main/engine/program.ts";
import { arrangementGraph, restorationGraph } from "../../../src/main/graph/arrangement.ts";
import { sizeInside, type ParameterLayout } from "../../../src/main/graph/layout.ts";
import type { Parameter } from "../../../src/main/network/index.ts";

const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads: 1 };

function parameterOf(shape: readonly number[]): Parameter {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { name: "conv.weight", shape, offset: 0, size };
}

async function arrange(weights: Float32Array, parameter: Parameter, layout: ParameterLayout) {
  const shape = [sizeInside(parameter, layout)];
  const graph = arrangementGraph([{ input: "inside", shape, parameter, layout }]);
  const program = await openProgram(graph, "arrangement", sessions);
  const outputs = await program.run(new Map([[`outside.${parameter.name}`, weights]]));
  await program.dispose();
  return resultOf(outputs, "inside");
}

async function restore(inside: Float32Array, parameter: Parameter, layout: ParameterLayout) {
  const graph = restorationGraph([{ output: "gradient", first: 0, parameter, layout }]);
  const program = await openProgram(graph, "restoration", sessions);
  const into = new Float32Array(parameter.size);
  await program.run(new Map([["gradient", inside]]), new Map([[parameter.name, into]]));
  await program.dispose();
  return into;
}

const sizes = fc.record({
  outputs: fc.integer({ min: 1, max: 4 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  kernel: fc.integer({ min: 1, max: 3 }),
});

describe("parameter layouts", () => {
  it("puts taps before inputs, and back", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ outputs, inputs, kernel }) => {
        const taps = kernel * kernel;
        const parameter = parameterOf([outputs, inputs, kernel, kernel]);
        const weights = Float32Array.from({ length: parameter.size }, (_, i) => i);
        const layout = { kind: "tapsFirst", inputs, taps } as const;
        const inside = await arrange(weights, parameter, layout);
        for (let o = 0; o < outputs; o += 1)
          for (let i = 0; i < inputs; i += 1)
            for (let t = 0; t < taps; t += 1)
              expect(inside[(o * taps + t) * inputs + i]).toBe(
                weights[(o * inputs + i) * taps + t],
              );
        expect(await restore(inside, parameter, layout)).toEqual(weights);
      }),
      { seed: 1, numRuns: 25 },
    );
  });

  it("picks taps with outputs before inputs for the way back", async () => {
    const parameter = parameterOf([2, 3, 2, 2]);
    const weights = Float32Array.from({ length: 24 }, (_, i) => i);
    const layout: ParameterLayout = { kind: "transposed", inputs: 3, taps: 4, chosen: [3, 1] };
    const inside = await arrange(weights, parameter, layout);
    expect([...inside]).toEqual([3, 7, 11, 15, 19, 23, 1, 5, 9, 13, 17, 21]);
  });

  it("lays depthwise weights out by tap, and back", async () => {
    const parameter = parameterOf([3, 1, 2, 1]);
    const weights = Float32Array.from([0, 1, 10, 11, 20, 21]);
    const layout = { kind: "depthwise", taps: 2 } as const;
    const inside = await arrange(weights, parameter, layout);
    expect([...inside]).toEqual([0, 10, 20, 1, 11, 21]);
    expect(await restore(inside, parameter, layout)).toEqual(weights);
  });
});

/**
 * The two ways to a unit's gradient norm, timed in turns for the matrix products of a network, beside
 * what the cost model says of them: does it name the quicker one, and what is lost where it does not?
 *
 *     node bench/cost-model.ts [--network resnet9,wrn16-4,convnext-tiny] [--resolution 64]
 *         [--units 4] [--repetitions 7]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openProgram } from "../src/main/engine/onnxruntime/program.ts";
import { GraphBuilder } from "../src/main/graph/builder.ts";
import { costs, type MatrixGradientShape } from "../src/main/graph/cost.ts";
import {
  ghostOfMatrix,
  materialisedOfMatrix,
  squaredNormsFrom,
  type MatrixRows,
} from "../src/main/graph/gradients.ts";
import type { Graph } from "../src/main/graph/ir.ts";
import {
  axisWindows,
  networkNamed,
  outputExtent,
  tapsOf,
  type Layer,
} from "../src/main/network/index.ts";

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9,convnext-tiny" },
    resolution: { type: "string", default: "64" },
    units: { type: "string", default: "4" },
    repetitions: { type: "string", default: "7" },
  },
});
const units = Number(args.units);
const ways = {
  ghost: (builder: GraphBuilder, rows: MatrixRows) => ghostOfMatrix(builder, rows),
  materialised: (builder: GraphBuilder, rows: MatrixRows) => materialisedOfMatrix(builder, [rows]),
} as const;

/** The matrix products with weights of some layers, and the extent behind them. */
function shapesOf(
  layers: readonly Layer[],
  start: number,
): { shapes: MatrixGradientShape[]; extent: number } {
  const shapes: MatrixGradientShape[] = [];
  let extent = start;
  for (const layer of layers) {
    if (layer.kind === "residual") {
      const body = shapesOf(layer.body, extent);
      shapes.push(...body.shapes, ...shapesOf(layer.shortcut, extent).shapes);
      extent = body.extent;
    } else if (layer.kind === "globalAveragePool") extent = 1;
    else if (layer.kind === "dense")
      shapes.push({
        contracted: extent * extent,
        outputs: layer.outputFeatures,
        inputs: layer.inputFeatures,
      });
    else if ("kernel" in layer) {
      extent = outputExtent(extent, axisWindows(layer).height);
      // Standardised and depthwise convolutions always have their gradients written out.
      if (layer.kind === "conv2d" && layer.groups === 1)
        shapes.push({
          contracted: extent * extent,
          outputs: layer.outputChannels,
          inputs: layer.inputChannels * tapsOf(layer),
        });
    }
  }
  return { shapes, extent };
}

/** Norms, weights from them, and the weighted sum, as in a private step. */
function graphOf(way: keyof typeof ways, shape: MatrixGradientShape): Graph {
  const { contracted, outputs, inputs } = shape;
  const builder = new GraphBuilder();
  const gradient = builder.input("gradient", [units, contracted, outputs]);
  const columns = builder.input("columns", [units, contracted, inputs]);
  const gradients = ways[way](builder, { gradient, columns });
  const norms = builder.unary("squareRoot", squaredNormsFrom(builder, [gradients.squaredParts()]));
  builder.output("sum", gradients.weightedSum(builder.divide(builder.scalar(1, 2), norms)));
  return builder.finish();
}

async function shortest(shape: MatrixGradientShape): Promise<Record<keyof typeof ways, number>> {
  const { contracted, outputs, inputs } = shape;
  const sessions = {
    executionProviders: ["cpu"],
    fusedOperators: true,
    threads: availableParallelism(),
  };
  const programs = {
    ghost: await openProgram(graphOf("ghost", shape), "ghost", sessions),
    materialised: await openProgram(graphOf("materialised", shape), "materialised", sessions),
  };
  const fill = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.4);
  const feeds = new Map([
    ["gradient", fill(units * contracted * outputs)],
    ["columns", fill(units * contracted * inputs)],
  ]);
  const times = { ghost: new Array<number>(), materialised: new Array<number>() };
  for (let repetition = -1; repetition < Number(args.repetitions); repetition += 1)
    for (const way of ["ghost", "materialised"] as const) {
      const start = performance.now();
      await programs[way].run(feeds);
      if (repetition >= 0) times[way].push(performance.now() - start);
    }
  await programs.ghost.dispose();
  await programs.materialised.dispose();
  // The shortest: what other work on the machine adds is no property of the way.
  return { ghost: Math.min(...times.ghost), materialised: Math.min(...times.materialised) };
}

let [chosenTotal, bestTotal] = [0, 0];
for (const name of args.network.split(",")) {
  const { shapes } = shapesOf(networkNamed(name).layers, Number(args.resolution));
  const seen = new Set<string>();
  for (const shape of shapes) {
    const key = Object.values(shape).join("x");
    if (seen.has(key)) continue;
    seen.add(key);
    const measured = await shortest(shape);
    const model = costs(shape);
    const chosen = model.ghost < model.materialised ? "ghost" : "materialised";
    const quicker = measured.ghost < measured.materialised ? "ghost" : "materialised";
    chosenTotal += measured[chosen];
    bestTotal += measured[quicker];
    console.log(
      JSON.stringify({
        network: name,
        ...shape,
        ghostMilliseconds: Number(measured.ghost.toFixed(2)),
        materialisedMilliseconds: Number(measured.materialised.toFixed(2)),
        measuredRatio: Number((measured.ghost / measured.materialised).toFixed(2)),
        modelRatio: Number((model.ghost / model.materialised).toFixed(2)),
        chosen,
        quicker,
      }),
    );
  }
}
console.log(JSON.stringify({ chosenToBest: Number((chosenTotal / bestTotal).toFixed(3)) }));

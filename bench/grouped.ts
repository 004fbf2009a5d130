/**
 * Two ways to the gradient at the input of a grouped convolution, timed in turns: the product's, which
 * computes the gradient of every tap of every window and sums for each pixel those of its windows; and
 * the other, which lays out for each pixel the output gradients that it reached and multiplies them by
 * the weights by which it did. Both give the same values, which is checked.
 *
 *     node bench/grouped.ts [--images 4] [--repetitions 9]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openProgram } from "../src/main/engine/onnxruntime/program.ts";
import { resultOf } from "../src/main/engine/program.ts";
import { GraphBuilder } from "../src/main/graph/builder.ts";
import { inputFromTaps } from "../src/main/graph/grouped.ts";
import type { Graph, Tensor } from "../src/main/graph/ir.ts";
import { windowRows, type WindowGeometry } from "../src/main/graph/windows.ts";

const { values: args } = parseArgs({
  options: {
    images: { type: "string", default: "4" },
    repetitions: { type: "string", default: "9" },
  },
});
const images = Number(args.images);
const taps = 9;

/** Groups of `each` channels in maps of `extent` by `extent`, under windows of 3 x 3. */
interface Shape {
  readonly extent: number;
  readonly groups: number;
  readonly each: number;
}

// ResNeXt-50 32x4d's grouped layers at 128 pixels (Xie et al. 2017, arXiv 1611.05431, table 1), and wide groups.
const shapes: readonly Shape[] = [
  { extent: 32, groups: 32, each: 4 },
  { extent: 16, groups: 32, each: 8 },
  { extent: 8, groups: 32, each: 16 },
  { extent: 4, groups: 32, each: 32 },
  { extent: 16, groups: 4, each: 32 },
  { extent: 32, groups: 2, each: 32 },
];

/** For each pixel the output gradients under its window, times the weights with their taps reversed. */
function inputFromPixels(
  builder: GraphBuilder,
  geometry: WindowGeometry,
  gradient: Tensor,
  weight: Tensor,
): Tensor {
  const [groups = 0, rows = 0, outputs = 0] = gradient.shape;
  const inputs = (weight.shape[2] ?? 0) / taps;
  const together = builder.reshape(builder.transpose(gradient, [1, 0, 2]), [
    rows,
    groups * outputs,
  ]);
  const reached = builder.reshape(builder.gatherRows(together, windowRows(geometry)), [
    rows,
    taps,
    groups,
    outputs,
  ]);
  const columns = builder.reshape(builder.transpose(reached, [2, 0, 1, 3]), [
    groups,
    rows,
    taps * outputs,
  ]);
  const byTap = builder.reshape(
    builder.transpose(builder.reshape(weight, [groups, outputs, taps, inputs]), [2, 0, 1, 3]),
    [taps, groups * outputs * inputs],
  );
  const lastFirst = Int32Array.from({ length: taps }, (_, at) => taps - 1 - at);
  const turned = builder.reshape(
    builder.transpose(
      builder.reshape(builder.gatherRows(byTap, lastFirst), [taps, groups, outputs, inputs]),
      [1, 0, 2, 3],
    ),
    [groups, taps * outputs, inputs],
  );
  const product = builder.transpose(builder.matrixProduct(columns, turned), [1, 0, 2]);
  return builder.reshape(product, [images, geometry.height * geometry.width, groups * inputs]);
}

const ways = { taps: inputFromTaps, pixels: inputFromPixels } as const;

function graphOf(way: keyof typeof ways, { extent, groups, each }: Shape): Graph {
  const builder = new GraphBuilder();
  const geometry = {
    images,
    height: extent,
    width: extent,
    kernel: 3,
    stride: 1,
    padding: 1,
  };
  const gradient = builder.input("gradient", [groups, images * extent * extent, each]);
  const weight = builder.input("weight", [groups, each, taps * each]);
  builder.output("result", ways[way](builder, geometry, gradient, weight));
  return builder.finish();
}

for (const shape of shapes) {
  const { extent, groups, each } = shape;
  const sessions = {
    executionProviders: ["cpu"],
    fusedOperators: true,
    threads: availableParallelism(),
  };
  const programs = {
    taps: await openProgram(graphOf("taps", shape), "taps", sessions),
    pixels: await openProgram(graphOf("pixels", shape), "pixels", sessions),
  };
  const fill = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.4);
  const feeds = new Map([
    ["gradient", fill(groups * images * extent * extent * each)],
    ["weight", fill(groups * each * taps * each)],
  ]);
  const times = { taps: new Array<number>(), pixels: new Array<number>() };
  const results = { taps: new Float32Array(0), pixels: new Float32Array(0) };
  for (let repetition = -1; repetition < Number(args.repetitions); repetition += 1)
    for (const way of ["taps", "pixels"] as const) {
      const start = performance.now();
      const outputs = await programs[way].run(feeds);
      if (repetition >= 0) times[way].push(performance.now() - start);
      else results[way] = resultOf(outputs, "result").slice();
    }
  await programs.taps.dispose();
  await programs.pixels.dispose();
  const apart = results.taps.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (results.pixels[at] ?? NaN))),
    0,
  );
  const largest = results.taps.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(apart <= 1e-5 * largest)) throw new Error(`the two ways differ by ${apart}`);
  // The shortest: what other work on the machine adds is no property of the way.
  const [byTaps, byPixels] = [Math.min(...times.taps), Math.min(...times.pixels)];
  console.log(
    JSON.stringify({
      ...shape,
      tapsMilliseconds: Number(byTaps.toFixed(2)),
      pixelsMilliseconds: Number(byPixels.toFixed(2)),
      ratio: Number((byTaps / byPixels).toFixed(2)),
    }),
  );
}

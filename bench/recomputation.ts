/**
 * What it costs to compute what lies between matrix products twice instead of keeping it, where one image
 * is too large for the plan of memory: private steps of one unit with and without, in turns.
 *
 *     node bench/recomputation.ts [--network convnext-tiny] [--resolution 512] [--repetitions 5]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { rerunKeepingMemory } from "../src/main/engine/allocator.ts";
import { median } from "../src/main/engine/bench.ts";
import { MicrobatchedNetwork } from "../src/main/engine/compiled.ts";
import { openProgram } from "../src/main/engine/onnxruntime/program.ts";
import { networkNamed } from "../src/main/network/networks.ts";

// As trainers run.
const rerun = rerunKeepingMemory();
if (rerun !== null) process.exit(rerun);

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "convnext-tiny" },
    resolution: { type: "string", default: "512" },
    repetitions: { type: "string", default: "5" },
  },
});

const network = networkNamed(args.network);
const resolutionPixels = Number(args.resolution);
const number = (at: number): number => (at * 37) % 101;
const weights = Float32Array.from({ length: network.parameterCount }, (_, at) => {
  return (number(at) - 50) / 2000;
});
const batch = {
  units: 1,
  views: 1,
  images: Float32Array.from({ length: resolutionPixels ** 2 }, (_, at) => number(at) / 101),
  labels: Float32Array.from({ length: network.labels }, (_, at) => at % 2),
};

const ways = [false, true].map((recomputing) => ({
  recomputing,
  milliseconds: [] as number[],
  compiled: new MicrobatchedNetwork({
    network,
    resolutionPixels,
    unitsAtOnce: () => 1,
    sparing: true,
    recomputing,
    direct: true,
    wholeImages: false,
    prepare: (graph, label, kept) =>
      openProgram(
        graph,
        label,
        { executionProviders: ["cpu"], fusedOperators: true, threads: availableParallelism() },
        kept,
      ),
  }),
}));
for (let turn = -1; turn < Number(args.repetitions); turn += 1)
  for (const { compiled, milliseconds } of ways) {
    const start = performance.now();
    await compiled.clippedSum(weights, batch, { kind: "flat", norm: 1 });
    if (turn >= 0) milliseconds.push(performance.now() - start);
  }

const [kept = [], twice = []] = ways.map(({ milliseconds }) => milliseconds);
console.log(
  `${args.network}, ${resolutionPixels} px: kept ${median(kept).toFixed(0)} ms, ` +
    `computed twice ${median(twice).toFixed(0)} ms, ` +
    `${median(twice.map((time, turn) => time / (kept[turn] ?? NaN))).toFixed(2)} times as long`,
);

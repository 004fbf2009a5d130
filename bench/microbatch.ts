/**
 * Private steps of one batch with different micro-batches, which take turns in one process, so that a
 * disturbance hits all alike: what counts are the ratios. Each share is that of its step's time over the
 * time of the first one's step of the same turn.
 *
 *     node bench/microbatch.ts [--network resnet9] [--resolution 64] [--batch 32] [--repetitions 9]
 *       [--microbatches 16,32]
 */
import { parseArgs } from "node:util";
import { rerunKeepingMemory } from "../src/main/engine/allocator.ts";
import { median, openTimedSteps, type TimedSteps } from "../src/main/engine/bench.ts";

// As trainers run.
const rerun = rerunKeepingMemory();
if (rerun !== null) process.exit(rerun);

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9" },
    resolution: { type: "string", default: "64" },
    batch: { type: "string", default: "32" },
    repetitions: { type: "string", default: "9" },
    microbatches: { type: "string", default: "16,32" },
  },
});

interface Contestant {
  readonly microbatch: number;
  readonly steps: TimedSteps;
  readonly milliseconds: number[];
}

const contestants: Contestant[] = [];
for (const microbatch of args.microbatches.split(",").map(Number))
  contestants.push({
    microbatch,
    milliseconds: [],
    steps: await openTimedSteps({
      chosen: { network: args.network },
      resolutionPixels: Number(args.resolution),
      batch: Number(args.batch),
      microbatch,
      engine: "onnxruntime-cpu",
    }),
  });
for (let turn = -1; turn < Number(args.repetitions); turn += 1)
  for (const { steps, milliseconds } of contestants) {
    const time = await steps.time("private");
    if (turn >= 0) milliseconds.push(time);
  }

const first = contestants[0]?.milliseconds ?? [];
for (const { microbatch, milliseconds, steps } of contestants) {
  await steps.dispose();
  const shares = milliseconds.map((time, turn) => time / (first[turn] ?? NaN));
  console.log(
    `${args.network}, ${args.resolution} px, ${args.batch} units, ${microbatch} at once: ` +
      `${median(milliseconds).toFixed(0)} ms, ${median(shares).toFixed(2)} of the first`,
  );
}

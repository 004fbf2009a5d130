/**
 * Times what follows a step's gradient over five million weights: the optimiser alone, and with the
 * moving average in the same pass, as a run has it.
 *
 * Usage: node bench/optimiser.ts [PARAMETERS]
 */
import { createOptimiserState, optimiserStep } from "../src/main/training/optimiser.ts";

const parameters = Number(process.argv[2] ?? 5_000_000);
const repetitions = 21;

function median(body: (repetition: number) => void): number {
  const times = Array.from({ length: repetitions }, (_, repetition) => {
    const start = performance.now();
    body(repetition);
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(repetitions / 2)] ?? NaN;
}

const weights = Float32Array.from({ length: parameters }, (_, i) => Math.sin(i));
const gradient = Float32Array.from({ length: parameters }, (_, i) => 1e-3 * Math.cos(i));
const average = weights.slice();
for (const optimiser of ["nadam", "adamw", "sgd"] as const) {
  const state = createOptimiserState(parameters);
  const choice = { optimiser, momentum: 0.9, weightDecay: 0.01 };
  const correction = { variance: 1e-9, floorShare: 0.1 };
  const alone = median(() => {
    optimiserStep(state, weights, gradient, choice, 1e-3, correction);
  });
  const averaged = median((repetition) => {
    const averaging = { average, decay: 0.999, step: repetition + 1000 };
    optimiserStep(state, weights, gradient, choice, 1e-3, correction, averaging);
  });
  console.log(
    `${optimiser}, ${parameters} weights: ${alone.toFixed(1)} ms, ` +
      `with the average ${averaged.toFixed(1)} ms`,
  );
}

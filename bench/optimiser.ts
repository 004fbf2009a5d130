/**
 * Times one optimiser step and the moving average over five million weights.
 *
 * Usage: node bench/optimiser.ts [PARAMETERS]
 */
import {
  createOptimiserState,
  optimiserStep,
  updateAverage,
} from "../src/main/training/optimiser.ts";

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
for (const optimiser of ["nadam", "adamw", "sgd"] as const) {
  const state = createOptimiserState(parameters);
  const choice = { optimiser, momentum: 0.9, weightDecay: 0.01 };
  const correction = { variance: 1e-9, floorShare: 0.1 };
  const milliseconds = median(() => {
    optimiserStep(state, weights, gradient, choice, 1e-3, correction);
  });
  console.log(`${optimiser}, ${parameters} weights: ${milliseconds.toFixed(1)} ms`);
}
const average = weights.slice();
const milliseconds = median((repetition) => {
  updateAverage(average, weights, 0.999, repetition + 1000);
});
console.log(`moving average, ${parameters} weights: ${milliseconds.toFixed(1)} ms`);

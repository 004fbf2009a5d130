/**
 * Times what follows a step's gradient over five million weights, as a run has it: the noise's
 * addition with the divisor and the check for values that are not finite, the same without noise, and
 * the optimisers with the moving average.
 *
 * Usage: node bench/optimiser.ts [PARAMETERS]
 */
import { openWeightsMemory } from "../src/main/training/kernel/kernel.ts";
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

const memory = openWeightsMemory(parameters, "discrete-gaussian");
const { weights, average, noise, sumOnGrid, kernel } = memory;
for (let i = 0; i < parameters; i += 1) weights[i] = Math.sin(i);
average.set(weights);
noise?.forEach((_, i) => (noise[i] = 1e-3 * Math.cos(i)));
sumOnGrid?.fill(1e-3);
const told = (what: string, milliseconds: number): void => {
  console.log(`${what}, ${parameters} weights: ${milliseconds.toFixed(1)} ms`);
};
// What is added over and over must not grow.
told(
  "noise added",
  median(() => kernel.addNoise(0.5)),
);
told(
  "noise added on the grid",
  median(() => kernel.addNoiseOnGrid(0.5)),
);
told(
  "divided without noise",
  median(() => kernel.scale(0.999)),
);
for (const optimiser of ["nadam", "adamw", "sgd"] as const) {
  const state = createOptimiserState();
  const choice = { optimiser, momentum: 0.9, weightDecay: 0.01 };
  const correction = { variance: 1e-9, floorShare: 0.1 };
  told(
    `${optimiser} and the average`,
    median((repetition) => {
      const averaging = { decay: 0.999, step: repetition + 1000 };
      optimiserStep(memory, state, choice, 1e-3, correction, averaging);
    }),
  );
}

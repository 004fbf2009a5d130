/**
 * The noise of a private step: how fast each kind is drawn on one thread; how long a step waits for
 * noise that is drawn in threads while the engine works, as a share of the step; what the discrete
 * Gaussian costs a step (its units are computed one at a time); and how long the check before a run
 * takes. The two kinds take turns.
 *
 *     node bench/noise.ts [--network resnet9] [--resolution 64] [--batch 64] [--steps 4]
 */
import { parseArgs } from "node:util";
import type { UnitBatch } from "../src/main/engine/engine.ts";
import { openEngine } from "../src/main/engine/registry.ts";
import { networkNamed } from "../src/main/network/networks.ts";
import { createNoiseFiller, noiseShape } from "../src/main/privacy/noise.ts";
import { openRandomStreams, poissonSample } from "../src/main/privacy/random.ts";
import { initialWeights } from "../src/main/training/initial-weights.ts";
import { openWeightsMemory } from "../src/main/training/kernel/kernel.ts";
import { openNoiseThreads } from "../src/main/training/noise-threads.ts";
import { preflight } from "../src/main/training/preflight/preflight.ts";
import { mechanismOf, privateGradient } from "../src/main/training/private-gradient.ts";
import { defaultRecipe, makePlan } from "../src/main/training/recipe.ts";
import type { NoiseKind } from "../src/shared/plan.ts";

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9" },
    resolution: { type: "string", default: "64" },
    batch: { type: "string", default: "64" },
    steps: { type: "string", default: "4" },
    engine: { type: "string", default: "auto" },
  },
});
const kinds: readonly NoiseKind[] = ["gaussian", "discrete-gaussian"];
const resolutionPixels = Number(args.resolution);
const units = Number(args.batch);
const cohort = 1000;
const network = networkNamed(args.network);
const streams = openRandomStreams();

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

const numbers = new Float64Array(2_000_000);
for (const kind of kinds) {
  const fill = createNoiseFiller(noiseShape(kind, 0.8, 1));
  fill(streams.noise, numbers);
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    fill(streams.noise, numbers);
    return performance.now() - started;
  });
  const millionsPerSecond = rounded(numbers.length / 1000 / median(times), 1);
  console.log(JSON.stringify({ noise: kind, threads: 1, millionsPerSecond }));
}

const engine = await openEngine(args.engine);
const weights = initialWeights(network, null, "bench", []);
const opened = await Promise.all(
  kinds.map(async (noise) => {
    const recipe = { ...defaultRecipe(8 * cohort, resolutionPixels), resolutionPixels, noise };
    const plan = makePlan({
      recipe: { ...recipe, network: args.network, expectedBatch: units },
      epsilon: 8,
      delta: null,
      units: cohort,
      positiveAtGrade: 2,
      pixelPipeline: "bench",
    });
    const mechanism = mechanismOf(plan);
    if (mechanism === null) throw new Error("a private plan has a mechanism");
    const microbatch = noise === "gaussian" ? null : 1;
    const compiled = await engine.compile(network, { resolutionPixels, microbatch, threads: null });
    const memory = openWeightsMemory(network.parameterCount, noise);
    if (memory.noise === null) throw new Error("a memory for noise has room for it");
    memory.weights.set(weights);
    const source = openNoiseThreads(mechanism.noise, memory.noise);
    return { plan, mechanism, compiled, memory, source };
  }),
);
const batch: UnitBatch = {
  units,
  views: 1,
  images: Float32Array.from({ length: units * resolutionPixels ** 2 }, () =>
    streams.views.uniform(),
  ),
  labels: Float32Array.from({ length: units * network.labels }, () => streams.views.word() & 1),
};

for (const { plan, mechanism, compiled, memory, source } of opened) {
  const started = performance.now();
  const result = await preflight({
    plan,
    mechanism,
    network: compiled,
    memory,
    noise: source,
    drawUnits: () => poissonSample(streams.sampling, cohort, plan.samplingRate),
    units: cohort,
    stream: streams.views,
  });
  const seconds = rounded((performance.now() - started) / 1000, 1);
  const check = { check: plan.recipe.noise, passed: result.passed, seconds };
  console.log(JSON.stringify(check));
  for (const failed of result.checks.filter(({ passed }) => !passed)) console.log(failed);
}

const times = opened.map(() => ({ step: [] as number[], waited: [] as number[] }));
for (let step = 0; step <= Number(args.steps); step += 1) {
  for (const [index, { mechanism, compiled, memory, source }] of opened.entries()) {
    const started = performance.now();
    const result = await privateGradient(memory, batch, compiled, mechanism, source);
    // The first of each only warms up.
    if (step === 0) continue;
    times[index]?.step.push(performance.now() - started);
    times[index]?.waited.push(result.waitedForNoiseMilliseconds);
  }
}
const [gaussian] = times;
for (const [index, { plan, source, compiled }] of opened.entries()) {
  const { step, waited } = times[index] ?? { step: [], waited: [] };
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  console.log(
    JSON.stringify({
      step: plan.recipe.noise,
      network: network.name,
      parameters: network.parameterCount,
      resolutionPixels,
      units,
      medianMilliseconds: rounded(median(step), 0),
      overGaussian: rounded(median(step) / median(gaussian?.step ?? [])),
      waitedShare: rounded(sum(waited) / sum(step), 5),
    }),
  );
  await source.close();
  await compiled.dispose();
}

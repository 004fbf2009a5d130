import { initialise } from "../network/initialise.ts";
import { networkOf } from "../network/networks.ts";
import type { EngineTask, Timing } from "./automatic.ts";
import type { Engine } from "./engine.ts";

const timedMilliseconds = 3000;
const mostSteps = 20;

/** Even numbers between 0 and 1, to compute something with. */
function* ramp(): Generator<number, never> {
  for (let i = 0; ; i += 1) yield ((i * 37) % 101) / 101;
}

/**
 * Times private steps of 16 images for a few seconds, after one that is not timed. Meant for the
 * probing process. Throws what the engine throws.
 */
export async function timeEngine(engine: Engine, task: EngineTask): Promise<Timing> {
  const network = networkOf(task);
  const numbers = ramp();
  const weights = initialise(network, () => numbers.next().value);
  const units = 16;
  const values = units * task.resolutionPixels ** 2;
  const batch = {
    units,
    views: 1,
    images: Float32Array.from({ length: values }, () => numbers.next().value),
    labels: Float32Array.from({ length: units * network.labels }, (_, i) => i % 2),
  };
  const compiled = await engine.compile(network, {
    resolutionPixels: task.resolutionPixels,
    microbatch: null,
    threads: null,
  });
  try {
    const step = () => compiled.clippedSum(weights, batch, { kind: "flat", norm: 1 });
    await step();
    const times: number[] = [];
    const start = performance.now();
    while (times.length < mostSteps && performance.now() - start < timedMilliseconds) {
      const before = performance.now();
      await step();
      times.push(performance.now() - before);
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
    return { works: true, millisecondsPerImage: median / units };
  } finally {
    await compiled.dispose();
  }
}

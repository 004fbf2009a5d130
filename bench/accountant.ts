/**
 * How long the accountants take. Prints one line a case: the median and the longest of several
 * calls after one to warm up. Run with: node bench/accountant.ts
 */
import { epsilonOf } from "../src/main/privacy/accountant.ts";
import { noiseMultiplierFor, stepsFor } from "../src/main/privacy/calibrate.ts";
import { fillGaussian, openRandomStreams, poissonSample } from "../src/main/privacy/random.ts";

const study = { samplingRate: 1 / 1199, steps: 119_900 };
const delta = 6e-6;
const streams = openRandomStreams();
const noise = new Float32Array(5_000_000);

const cases: [string, () => unknown][] = [
  ...[0.569, 1.328].flatMap((noiseMultiplier): [string, () => unknown][] => [
    [
      `RDP epsilon, sigma ${String(noiseMultiplier)}`,
      () => epsilonOf([{ ...study, noiseMultiplier }], delta, "rdp").epsilon,
    ],
    [
      `PLD epsilon, sigma ${String(noiseMultiplier)}`,
      () => epsilonOf([{ ...study, noiseMultiplier }], delta, "pld").epsilon,
    ],
    [
      `PLD epsilon of 4 images, sigma ${String(noiseMultiplier)}`,
      () => epsilonOf([{ ...study, noiseMultiplier }], delta, "pld", 4).epsilon,
    ],
  ]),
  [
    "PLD epsilon, a million steps",
    () => epsilonOf([{ ...study, steps: 1_000_000, noiseMultiplier: 1 }], delta, "pld").epsilon,
  ],
  ...[0.29, 1.06, 7.89].flatMap((epsilon): [string, () => unknown][] => [
    [
      `RDP noise for epsilon ${String(epsilon)}`,
      () => noiseMultiplierFor({ ...study, epsilon, delta }, "rdp").noiseMultiplier,
    ],
    [
      `best noise for epsilon ${String(epsilon)}`,
      () => noiseMultiplierFor({ ...study, epsilon, delta }, "best").noiseMultiplier,
    ],
  ]),
  [
    "best steps for epsilon 7.89, sigma 0.569",
    () => stepsFor({ ...study, noiseMultiplier: 0.569, epsilon: 7.89, delta }, "best"),
  ],
  [
    "five million normal numbers",
    () => {
      fillGaussian(streams.noise, noise, 1);
      return noise.length;
    },
  ],
  [
    "a Poisson sample of 193,311 units",
    () => poissonSample(streams.sampling, 193_311, 1 / 1199).length,
  ],
];

for (const [name, run] of cases) {
  let result = run();
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now();
    result = run();
    return performance.now() - started;
  }).sort((a, b) => a - b);
  const median = (times[3] ?? NaN).toFixed(1);
  const longest = (times.at(-1) ?? NaN).toFixed(1);
  console.log(`${name}: ${median} ms (longest ${longest} ms) -> ${String(result)}`);
}

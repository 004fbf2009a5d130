import { UserError } from "../../shared/errors.ts";
import { initialise } from "../network/initialise.ts";
import type { ChosenNetwork } from "../../shared/plan.ts";
import { networkOf } from "../network/networks.ts";
import type { DeviceTraffic } from "./engine.ts";
import { openEngine } from "./registry.ts";

export interface EngineBenchOptions {
  readonly chosen: ChosenNetwork;
  readonly resolutionPixels: number;
  /** Units in a batch. */
  readonly batch: number;
  /** Units computed at once; null for the engine's own choice. */
  readonly microbatch: number | null;
  readonly engine: string;
  /** Timed repetitions of each kind, after one that is not; the median counts. */
  readonly repetitions?: number;
}

export interface EngineBenchResult {
  readonly forwardMilliseconds: number;
  readonly ordinaryMilliseconds: number;
  readonly privateMilliseconds: number;
  /** What crossed to and from the device for one private step; null where nothing crosses. */
  readonly privateTraffic: DeviceTraffic | null;
  /** Highest resident memory of the whole process so far. */
  readonly peakMebibytes: number;
  readonly engine: string;
  readonly device: string;
}

/** Not for privacy: only to have numbers of the right size to compute with. */
function* uniformNumbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

export const stepKinds = ["forward", "ordinary", "private"] as const;

export type StepKind = (typeof stepKinds)[number];

/** Steps of one batch that is always the same, to be timed. */
export interface TimedSteps {
  readonly engine: string;
  readonly device: string;
  /** Computes one step; gives its milliseconds. */
  readonly time: (kind: StepKind) => Promise<number>;
  /** What crossed to and from the device so far; null where nothing crosses. */
  readonly traffic: () => DeviceTraffic | null;
  readonly dispose: () => Promise<void>;
}

/** Throws UserError for an unknown network or engine, or sizes that are not possible. */
export async function openTimedSteps(options: EngineBenchOptions): Promise<TimedSteps> {
  const { resolutionPixels, batch: units } = options;
  if (!Number.isInteger(units) || units < 1)
    throw new UserError("input", `A batch of ${units} units is not possible.`);
  const network = networkOf(options.chosen);
  const engine = await openEngine(options.engine);
  const compiled = await engine.compile(network, {
    resolutionPixels,
    microbatch: options.microbatch,
    threads: null,
  });
  const numbers = uniformNumbers(1);
  const weights = initialise(network, () => numbers.next().value);
  const images = Float32Array.from(
    { length: units * resolutionPixels * resolutionPixels },
    () => numbers.next().value,
  );
  const labels = Float32Array.from({ length: units * network.labels }, () =>
    numbers.next().value < 0.3 ? 1 : 0,
  );
  const batch = { units, views: 1, images, labels };
  // One array for all steps, as a trainer has.
  const gradient = new Float32Array(network.parameterCount);
  const kinds: Record<StepKind, () => Promise<unknown>> = {
    forward: () => compiled.infer(weights, images, units),
    ordinary: () => compiled.ordinaryGradient(weights, batch, gradient),
    private: () => compiled.clippedSum(weights, batch, { kind: "flat", norm: 1 }, gradient),
  };
  return {
    engine: engine.description.name,
    device: engine.description.device ?? "unknown",
    time: async (kind) => {
      const start = performance.now();
      await kinds[kind]();
      return performance.now() - start;
    },
    traffic: () => compiled.traffic ?? null,
    dispose: () => compiled.dispose(),
  };
}

/** What crossed between two moments. */
export function trafficSince(
  before: DeviceTraffic | null,
  after: DeviceTraffic | null,
): DeviceTraffic | null {
  if (before === null || after === null) return null;
  return {
    sentBytes: after.sentBytes - before.sentBytes,
    receivedBytes: after.receivedBytes - before.receivedBytes,
  };
}

/**
 * Times inference, an ordinary step and a private step of one batch on this machine. The three
 * take turns, so that a disturbance hits all of them alike.
 *
 * Throws UserError for an unknown network or engine, or sizes that are not possible.
 */
export async function engineBench(options: EngineBenchOptions): Promise<EngineBenchResult> {
  const steps = await openTimedSteps(options);
  const times: Record<StepKind, number[]> = { forward: [], ordinary: [], private: [] };
  let privateTraffic: DeviceTraffic | null = null;
  try {
    for (let repetition = -1; repetition < (options.repetitions ?? 7); repetition += 1)
      for (const kind of stepKinds) {
        const before = steps.traffic();
        const milliseconds = await steps.time(kind);
        if (kind === "private") privateTraffic = trafficSince(before, steps.traffic());
        if (repetition >= 0) times[kind].push(milliseconds);
      }
  } finally {
    await steps.dispose();
  }
  return {
    forwardMilliseconds: median(times.forward),
    ordinaryMilliseconds: median(times.ordinary),
    privateMilliseconds: median(times.private),
    privateTraffic,
    peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
    engine: steps.engine,
    device: steps.device,
  };
}

import type { Engine } from "../../../src/main/engine/engine.ts";
import { poissonSample } from "../../../src/main/privacy/random.ts";
import { openNoiseThreads } from "../../../src/main/training/noise-threads.ts";
import { openTrainerPort } from "../../../src/main/training/trainer-protocol.ts";
import { serveTrainer, type TrainerParts } from "../../../src/main/training/trainer.ts";
import { logisticEngine, logisticNetwork } from "../../support/logistic.ts";

/** The product's trainer with one part broken, as TEST_BROKEN_PART says; "none" is sound. */
const sound: TrainerParts = {
  networkOf: () => logisticNetwork(16),
  openEngine: () => Promise.resolve(logisticEngine()),
  openNoise: openNoiseThreads,
  sampleUnits: poissonSample,
};

const brokenParts: Readonly<Record<string, Partial<TrainerParts>>> = {
  none: {},
  noise: {
    openNoise: (shape, noise) => {
      const source = openNoiseThreads(shape, noise);
      return { ...source, draw: async () => (await source.draw()).fill(0) };
    },
  },
  clipping: { openEngine: () => Promise.resolve(withoutClipping(logisticEngine())) },
  sampling: { sampleUnits: shuffledBatches() },
};

function withoutClipping(engine: Engine): Engine {
  return {
    ...engine,
    compile: async (network, options) => {
      const compiled = await engine.compile(network, options);
      return {
        ...compiled,
        clippedSum: (weights, batch) =>
          compiled.clippedSum(weights, batch, { kind: "flat", norm: 1e9 }),
      };
    },
  };
}

/** Epochs that are shuffled and cut, in place of Poisson sampling. */
function shuffledBatches(): TrainerParts["sampleUnits"] {
  let left: number[] = [];
  return (stream, unitCount, samplingRate) => {
    const size = Math.round(unitCount * samplingRate);
    if (left.length < size) {
      left = Array.from({ length: unitCount }, (_, i) => i);
      for (let i = unitCount - 1; i > 0; i -= 1) {
        const j = stream.below(i + 1);
        [left[i], left[j]] = [left[j]!, left[i]!];
      }
    }
    return Uint32Array.from(left.splice(0, size));
  };
}

const port = openTrainerPort();
port.onClosed(() => {
  process.exit(0);
});
await serveTrainer(port, { ...sound, ...brokenParts[process.env["TEST_BROKEN_PART"] ?? "none"] });

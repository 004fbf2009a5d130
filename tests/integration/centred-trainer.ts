import type { CompiledNetwork, UnitBatch } from "../../src/main/engine/engine.ts";
import { poissonSample } from "../../src/main/privacy/random.ts";
import { openNoiseThreads } from "../../src/main/training/noise-threads.ts";
import { openTrainerPort } from "../../src/main/training/trainer-protocol.ts";
import { serveTrainer } from "../../src/main/training/trainer.ts";
import { logisticEngine, logisticNetwork } from "../support/logistic.ts";

/**
 * The product's trainer with the tests' logistic regression in it, on pixels about zero: there the
 * gradients of different films are nearly orthogonal, as they are in a network with normalisation.
 */
const engine = logisticEngine();
const centred = (images: Float32Array): Float32Array => images.map((value) => value - 0.5);
const centredBatch = (batch: UnitBatch): UnitBatch => ({ ...batch, images: centred(batch.images) });
const port = openTrainerPort();
port.onClosed(() => {
  process.kill(process.pid, "SIGKILL");
});
await serveTrainer(port, {
  openNoise: openNoiseThreads,
  sampleUnits: poissonSample,
  networkOf: () => logisticNetwork(16),
  openEngine: () =>
    Promise.resolve({
      ...engine,
      compile: async (network, options): Promise<CompiledNetwork> => {
        const compiled = await engine.compile(network, options);
        return {
          ...compiled,
          infer: (weights, images, count) => compiled.infer(weights, centred(images), count),
          clippedSum: (weights, batch, clipping) =>
            compiled.clippedSum(weights, centredBatch(batch), clipping),
          ordinaryGradient: (weights, batch) =>
            compiled.ordinaryGradient(weights, centredBatch(batch)),
        };
      },
    }),
});

import { poissonSample } from "../../../src/main/privacy/random.ts";
import { openNoiseThreads } from "../../../src/main/training/noise-threads.ts";
import { openTrainerPort } from "../../../src/main/training/trainer-protocol.ts";
import { serveTrainer } from "../../../src/main/training/trainer.ts";
import { logisticEngine, logisticNetwork } from "../../support/logistic.ts";

/**
 * The product's trainer with the tests' small engine in it; each call takes a while, so that there
 * is a moment at which to kill it.
 */
const millisecondsOfAStep = Number(process.env["TEST_STEP_MILLISECONDS"] ?? "0");
const engine = logisticEngine();
const port = openTrainerPort();
port.onClosed(() => {
  process.kill(process.pid, "SIGKILL");
});
await serveTrainer(port, {
  networkOf: () => logisticNetwork(16),
  openNoise: openNoiseThreads,
  sampleUnits: poissonSample,
  openEngine: () =>
    Promise.resolve({
      ...engine,
      compile: async (network, options) => {
        const compiled = await engine.compile(network, options);
        return {
          ...compiled,
          clippedSum: async (weights, batch, clipping) => {
            await new Promise((resolve) => setTimeout(resolve, millisecondsOfAStep));
            return compiled.clippedSum(weights, batch, clipping);
          },
        };
      },
    }),
});

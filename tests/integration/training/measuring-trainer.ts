import { chooseEngine } from "../../../src/main/engine/automatic.ts";
import { runTiming } from "../../../src/main/engine/probe.ts";
import { openEngine } from "../../../src/main/engine/registry.ts";
import { networkOf } from "../../../src/main/network/networks.ts";
import { poissonSample } from "../../../src/main/privacy/random.ts";
import { openNoiseThreads } from "../../../src/main/training/noise-threads.ts";
import { openTrainerPort } from "../../../src/main/training/trainer-protocol.ts";
import { serveTrainer } from "../../../src/main/training/trainer.ts";

/** The product's trainer on a machine with a second engine, so that "auto" has to measure. */
const engines = ["onnxruntime-cpu", "onnxruntime-abacus"].map((name) => ({
  name,
  device: `device of ${name}`,
  version: "1.0",
  available: true,
  reason: null,
}));
const port = openTrainerPort();
process.on("SIGINT", () => undefined);
port.onClosed(() => {
  process.exit(0);
});
await serveTrainer(port, {
  networkOf,
  openNoise: openNoiseThreads,
  sampleUnits: poissonSample,
  openEngine: async (name, task) => {
    if (name !== "auto") return openEngine(name);
    const { engine } = await chooseEngine(task.dataFolder, engines, task, runTiming, task);
    return openEngine(engine);
  },
});

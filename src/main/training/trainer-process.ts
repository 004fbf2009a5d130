import { openEngine } from "../engine/registry.ts";
import { networkOf } from "../network/networks.ts";
import { poissonSample } from "../privacy/random.ts";
import { openNoiseThreads } from "./noise-threads.ts";
import { openTrainerPort } from "./trainer-protocol.ts";
import { serveTrainer } from "./trainer.ts";

/** Entry of the trainer's process: one run, then it waits for the core to let go of it. */
const port = openTrainerPort();
// A key pressed in a terminal reaches every process there; the core says what it means for the run.
process.on("SIGINT", () => undefined);
let over = false;
port.onClosed(() => {
  // Without a core no step can be journaled, so none may be taken. An ordinary exit would wait
  // for, or trip over, a computation that is still under way inside the engine.
  if (over) process.exit(0);
  process.kill(process.pid, "SIGKILL");
});
await serveTrainer(port, {
  openEngine,
  networkOf,
  openNoise: openNoiseThreads,
  sampleUnits: poissonSample,
});
over = true;

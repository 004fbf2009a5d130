import { describeError } from "../../shared/messages.ts";
import type { CompiledNetwork } from "../engine/engine.ts";
import { openEngine } from "../engine/registry.ts";
import { networkOf } from "../network/networks.ts";
import { createReducer, type Reducer } from "./frames.ts";
import { probabilityOf } from "./scoring.ts";
import type { CoreToScorer, ScorerJob, ScorerToCore } from "./scorer-protocol.ts";

/**
 * Entry of the process that scores new films: a native crash inside an engine takes nothing else
 * down, and a window never waits for it.
 */
interface Scorer {
  readonly job: ScorerJob;
  readonly network: CompiledNetwork;
  readonly reduce: Reducer;
}

let last: Promise<Scorer | null> = Promise.resolve(null);

function send(message: ScorerToCore): void {
  if (process.connected) process.send?.(message);
}

async function open(job: ScorerJob): Promise<Scorer> {
  const engine = await openEngine(job.engine);
  const network = await engine.compile(networkOf(job.chosen, job.labels), {
    resolutionPixels: job.resolutionPixels,
    microbatch: null,
    threads: null,
  });
  const { name, device } = engine.description;
  send({ kind: "ready", engine: name, device });
  return { job, network, reduce: createReducer(job.framePixels, job.resolutionPixels) };
}

async function score(
  { job, network, reduce }: Scorer,
  count: number,
  frames: Uint8Array,
): Promise<Float32Array> {
  const frameBytes = job.framePixels ** 2;
  const area = job.resolutionPixels ** 2;
  const images = new Float32Array(count * area);
  for (let index = 0; index < count; index += 1) {
    reduce(
      frames.subarray(index * frameBytes, (index + 1) * frameBytes),
      images.subarray(index * area, (index + 1) * area),
    );
  }
  return (await network.infer(job.weights, images, count)).map(probabilityOf);
}

process.on("message", (raw) => {
  const message = raw as CoreToScorer;
  last = last.then(async (scorer) => {
    if (message.kind === "job") return open(message.job);
    if (scorer === null) throw new Error("Frames came before the job.");
    const scores = await score(scorer, message.count, message.frames);
    send({ kind: "scores", id: message.id, scores });
    return scorer;
  });
  last.catch((error: unknown) => {
    send({ kind: "failed", error: describeError(error) });
  });
});
process.once("disconnect", () => {
  // An ordinary exit would wait for, or trip over, a computation inside the engine.
  process.kill(process.pid, "SIGKILL");
});

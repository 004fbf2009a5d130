/**
 * A private step beside an ordinary one: the study's network, batches of 16, at 64 and 128 px; and
 * torch's ordinary step where /usr/bin/python3 has torch, on one thread and on all, the quicker of
 * which counts. Times of one run on one machine mean little elsewhere, so what counts are the
 * ratios. Private and ordinary steps take turns; torch runs after them, so that on a machine that
 * is shared its ratio is the shakier one.
 *
 *     node bench/engine.ts [--network resnet9] [--batch 16] [--repetitions 7]
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { engineBench } from "../src/main/engine/bench.ts";
import { networkNamed } from "../src/main/network/networks.ts";

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9" },
    batch: { type: "string", default: "16" },
    repetitions: { type: "string", default: "7" },
    engine: { type: "string", default: "auto" },
  },
});
const python = "/usr/bin/python3";
const peer = join(import.meta.dirname, "../tests/peers/torch_ordinary.py");

/** Medians of torch's ordinary step in milliseconds, by threads; none without torch. */
function torchMilliseconds(resolutionPixels: number): [threads: number, milliseconds: number][] {
  try {
    execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
  } catch {
    return [];
  }
  const labels = networkNamed(args.network).labels;
  return [...new Set([1, availableParallelism()])].map((threads) => {
    const numbers = [resolutionPixels, args.batch, labels, args.repetitions, threads];
    const output = execFileSync(python, [peer, args.network, ...numbers.map(String)]);
    return [threads, Number(output.toString())];
  });
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

for (const resolutionPixels of [64, 128]) {
  const result = await engineBench({
    network: args.network,
    resolutionPixels,
    batch: Number(args.batch),
    microbatch: null,
    engine: args.engine,
    repetitions: Number(args.repetitions),
  });
  const torch = torchMilliseconds(resolutionPixels);
  const quickest = Math.min(...torch.map(([, milliseconds]) => milliseconds));
  console.log(
    JSON.stringify({
      network: args.network,
      resolutionPixels,
      batch: Number(args.batch),
      engine: result.engine,
      forwardMilliseconds: rounded(result.forwardMilliseconds, 0),
      ordinaryMilliseconds: rounded(result.ordinaryMilliseconds, 0),
      privateMilliseconds: rounded(result.privateMilliseconds, 0),
      torchOrdinaryMilliseconds: Object.fromEntries(
        torch.map(([threads, milliseconds]) => [`${threads} threads`, rounded(milliseconds, 0)]),
      ),
      privateToOrdinary: rounded(result.privateMilliseconds / result.ordinaryMilliseconds, 2),
      privateToTorchOrdinary:
        torch.length === 0 ? null : rounded(result.privateMilliseconds / quickest, 2),
      peakMebibytes: result.peakMebibytes,
    }),
  );
}

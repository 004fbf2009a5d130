/**
 * A private step beside an ordinary one, and beside torch where the Python has it: its ordinary step;
 * gradients of single examples by hooks, and ghost clipping, as tests/peers/torch_private.py writes
 * them; and both by Opacus where it is installed. All of them take turns on the same threads, torch
 * with its allocator tuned, so that a disturbance hits all alike. Times of one run on one machine mean
 * little elsewhere: what counts are the ratios.
 *
 * torch needs a fast BLAS for its batched products. Debian's default is the reference BLAS, on which
 * hooks take several times as long; libopenblas0-openmp is what to compare with.
 *
 * The limit is the arithmetic of the ordinary step at the speed of onnxruntime's best matrix product,
 * which takes its turn too.
 *
 *     node bench/engine.ts [--network resnet9] [--batch 16] [--repetitions 7] [--resolutions 64,128,224]
 *       [--peers ordinary,hooks,ghost,opacus-hooks,opacus-ghost]
 *       [--python /usr/bin/python3]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { rerunKeepingMemory } from "../src/main/engine/allocator.ts";
import { median, openTimedSteps, stepKinds } from "../src/main/engine/bench.ts";
import { networkNamed } from "../src/main/network/networks.ts";
import { openMatrixProducts, stepOperations } from "./arithmetic.ts";
import { openTorchPeer } from "./torch-peer.ts";

// As trainers run.
const rerun = rerunKeepingMemory();
if (rerun !== null) process.exit(rerun);

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9" },
    batch: { type: "string", default: "16" },
    microbatch: { type: "string" },
    repetitions: { type: "string", default: "7" },
    resolutions: { type: "string", default: "64,128,224" },
    engine: { type: "string", default: "auto" },
    peers: { type: "string", default: "ordinary,hooks,ghost,opacus-hooks,opacus-ghost" },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const network = networkNamed(args.network);
const batch = Number(args.batch);
const wantedPeers = args.peers.split(",");
const products = await openMatrixProducts();

async function measure(resolutionPixels: number): Promise<Record<string, unknown>> {
  const ours = await openTimedSteps({
    chosen: { network: args.network },
    resolutionPixels,
    batch,
    microbatch: args.microbatch === undefined ? null : Number(args.microbatch),
    engine: args.engine,
  });
  const torch = await openTorchPeer({
    python: args.python,
    network: args.network,
    resolutionPixels,
    batch,
    labels: network.labels,
    threads: availableParallelism(),
  });
  const times = new Map<string, number[]>();
  const keep = (name: string, value: number): void => {
    times.set(name, [...(times.get(name) ?? []), value]);
  };
  for (let repetition = -1; repetition < Number(args.repetitions); repetition += 1) {
    for (const kind of stepKinds) {
      const milliseconds = await ours.time(kind);
      if (repetition >= 0) keep(kind, milliseconds);
    }
    for (const step of torch?.steps ?? []) {
      if (torch === null || !wantedPeers.includes(step)) continue;
      const milliseconds = await torch.time(step);
      if (repetition >= 0) keep(`torch ${step}`, milliseconds);
    }
    keep("product", await products.measure());
  }
  await torch?.close();
  await ours.dispose();

  const of = (name: string): number => median(times.get(name) ?? []);
  const speed = Math.max(...(times.get("product") ?? []));
  const limit = (stepOperations(network, resolutionPixels, batch) / speed) * 1000;
  const ratio = (a: string, b: string): number | null =>
    times.has(a) && times.has(b) ? rounded(of(a) / of(b), 2) : null;
  return {
    network: args.network,
    resolutionPixels,
    batch,
    engine: ours.engine,
    milliseconds: Object.fromEntries(
      [...times.keys()]
        .filter((name) => name !== "product")
        .map((name) => [name, rounded(of(name), 0)]),
    ),
    privateToOrdinary: ratio("private", "ordinary"),
    ...(torch === null
      ? {}
      : {
          privateToTorchOrdinary: ratio("private", "torch ordinary"),
          hooksToPrivate: ratio("torch hooks", "private"),
          ghostToPrivate: ratio("torch ghost", "private"),
          opacusHooksToPrivate: ratio("torch opacus-hooks", "private"),
          opacusGhostToPrivate: ratio("torch opacus-ghost", "private"),
          peerVersions: torch.versions,
          peersApart: torch.difference,
        }),
    bestProductGigaflops: rounded(speed / 1e9, 0),
    limitMilliseconds: rounded(limit, 0),
    shareOfLimit: rounded(limit / of("private"), 2),
    peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

for (const resolution of args.resolutions.split(","))
  console.log(JSON.stringify(await measure(Number(resolution))));
await products.dispose();

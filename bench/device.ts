/**
 * A private step with parameters and totals kept on the device, beside the same step with all
 * values crossing with every micro-batch, in turns: milliseconds, and the bytes that cross for one
 * step. With a software renderer as the driver the times say little of a GPU; the bytes hold anywhere.
 *
 *     node bench/device.ts [--network resnet9-small] [--resolution 64] [--batch 16] [--microbatch 4]
 *       [--repetitions 5]
 *
 * It needs a driver for WebGPU; see docs/webgpu.md.
 */
import { parseArgs } from "node:util";
import { median, trafficSince } from "../src/main/engine/bench.ts";
import type { DeviceTraffic } from "../src/main/engine/engine.ts";
import { providerNetwork } from "../src/main/engine/onnxruntime/engine.ts";
import { initialise } from "../src/main/network/initialise.ts";
import { networkNamed } from "../src/main/network/networks.ts";

const { values: args } = parseArgs({
  options: {
    network: { type: "string", default: "resnet9-small" },
    resolution: { type: "string", default: "64" },
    batch: { type: "string", default: "16" },
    microbatch: { type: "string", default: "4" },
    repetitions: { type: "string", default: "5" },
  },
});

const network = networkNamed(args.network);
const resolutionPixels = Number(args.resolution);
const units = Number(args.batch);
const options = { resolutionPixels, microbatch: Number(args.microbatch), threads: null };
const evenly = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 101);
const weights = initialise(network, () => 0.37);
const batch = {
  units,
  views: 1,
  images: evenly(units * resolutionPixels ** 2),
  labels: evenly(units * network.labels).map((value) => (value < 0.3 ? 1 : 0)),
};

const ways = (["crossing", "keeping"] as const).map((device) => ({
  device,
  compiled: providerNetwork("webgpu", network, options, device),
  milliseconds: [] as number[],
  traffic: null as DeviceTraffic | null,
}));
for (let repetition = -1; repetition < Number(args.repetitions); repetition += 1)
  for (const way of ways) {
    const before = way.compiled.traffic ?? null;
    const start = performance.now();
    await way.compiled.clippedSum(weights, batch, { kind: "flat", norm: 1 });
    if (repetition >= 0) way.milliseconds.push(performance.now() - start);
    way.traffic = trafficSince(before, way.compiled.traffic ?? null);
  }
const megabytes = (bytes = NaN): number => Number((bytes / 1e6).toFixed(2));
for (const { device, compiled, milliseconds, traffic } of ways) {
  console.log(
    JSON.stringify({
      network: network.name,
      resolutionPixels,
      units,
      microbatch: options.microbatch,
      device,
      milliseconds: Math.round(median(milliseconds)),
      sentMegabytes: megabytes(traffic?.sentBytes),
      receivedMegabytes: megabytes(traffic?.receivedBytes),
    }),
  );
  await compiled.dispose();
}

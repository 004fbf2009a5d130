import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/main/engine/registry.ts";
import { engineStep } from "../../src/main/engine/step.ts";
import {
  initialise,
  namedTensors,
  networkNamed,
  readSafetensors,
  writeSafetensors,
} from "../../src/main/network/index.ts";
import { randomBatch } from "../unit/support/batches.ts";
import { seededRandom } from "../unit/support/random.ts";
import { relativeError } from "../unit/support/reference.ts";

const python = "/usr/bin/python3";
const torchIsHere = spawnSync(python, ["-c", "import torch"]).status === 0;
const suffix = torchIsHere ? "" : " (skipped: python3 has no torch here)";
const peer = join(import.meta.dirname, "../peers/torch_step.py");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "silhouette-torch-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs one step through `engine step` and through torch; gives both results. */
async function bothSteps(
  name: string,
  resolutionPixels: number,
  views: number,
  units = 6,
  ordinary = true,
) {
  const network = networkNamed(name);
  const random = seededRandom(21);
  const weights = initialise(network, random);
  // Layer scales start so small that nothing behind them could be seen in a gradient.
  for (const { name: parameter, offset, size } of network.parameters)
    if (parameter.endsWith("layer_scale"))
      for (let i = offset; i < offset + size; i += 1) weights[i] = 0.1 + 0.2 * random();
  const shape = { units, views, resolutionPixels, seed: 22 };
  const batch = randomBatch(network, shape);
  batch.labels[3] = NaN;
  const [weightsFile, batchFile, ours, theirs] = ["weights", "batch", "ours", "theirs"].map(
    (file) => join(folder, `${name}.${file}.safetensors`),
  ) as [string, string, string, string];
  const images = [shape.units, views, 1, resolutionPixels, resolutionPixels];
  await writeFile(weightsFile, writeSafetensors(namedTensors(network, weights)));
  await writeFile(
    batchFile,
    writeSafetensors(
      new Map([
        ["images", { shape: images, data: batch.images }],
        ["labels", { shape: [shape.units, network.labels], data: batch.labels }],
      ]),
    ),
  );
  await engineStep({
    chosen: { network: name },
    weightsFile,
    batchFile,
    clippingNorm: 0.8,
    outFile: ours,
    engine: "onnxruntime-cpu",
    ordinary,
  });
  await promisify(execFile)(python, [peer, name, weightsFile, batchFile, "0.8", theirs]);
  const read = async (file: string) => readSafetensors(await readFile(file), file).tensors;
  return { network, weights, batch, ours: await read(ours), theirs: await read(theirs) };
}

describe.skipIf(!torchIsHere)(`engine step beside torch in float64${suffix}`, () => {
  it("agrees within 1e-4 on the smooth network, parameter by parameter", async () => {
    const { network, ours, theirs } = await bothSteps("resnet9-smooth", 32, 2);
    for (const { name } of network.parameters)
      for (const key of [name, `ordinary.${name}`])
        expect(
          relativeError(ours.get(key)?.data ?? [], theirs.get(key)?.data ?? []),
          key,
        ).toBeLessThan(1e-4);
    expect(
      relativeError(ours.get("norms")?.data ?? [], theirs.get("norms")?.data ?? []),
    ).toBeLessThan(1e-5);
    expect(
      relativeError(ours.get("losses")?.data ?? [], theirs.get("losses")?.data ?? []),
    ).toBeLessThan(1e-5);
  });

  it("gives the study's network's logits, norms and clipped sum", async () => {
    const { network, weights, batch, ours, theirs } = await bothSteps("resnet9", 64, 1);
    const engine = await openEngine("onnxruntime-cpu");
    const compiled = await engine.compile(network, {
      resolutionPixels: 64,
      microbatch: null,
      threads: null,
    });
    const logits = await compiled.infer(weights, batch.images, batch.units);
    await compiled.dispose();
    expect(relativeError(logits, theirs.get("logits")?.data ?? [])).toBeLessThan(1e-5);
    expect(
      relativeError(ours.get("norms")?.data ?? [], theirs.get("norms")?.data ?? []),
    ).toBeLessThan(1e-3);
    // Max-pooling picks one of two nearly equal pixels, and float32 may pick the other.
    for (const { name } of network.parameters)
      expect(
        relativeError(ours.get(name)?.data ?? [], theirs.get(name)?.data ?? []),
        name,
      ).toBeLessThan(1e-2);
  });

  it.each([
    ["convnext-tiny", 32, 2, 1e-4],
    ["wrn16-4", 32, 3, 1e-2],
  ] as const)(
    "gives the norms and sums of %s at %d px",
    async (name, resolutionPixels, units, tolerance) => {
      const { network, ours, theirs } = await bothSteps(name, resolutionPixels, 1, units, false);
      const errorOf = (key: string): number =>
        relativeError(ours.get(key)?.data ?? [], theirs.get(key)?.data ?? []);
      const sums = network.parameters.map(({ name: key }) => errorOf(key));
      expect(errorOf("losses")).toBeLessThan(1e-5);
      expect(errorOf("norms")).toBeLessThan(tolerance / 10);
      // ReLU falls to either side of a kink where float32 rounds to the other side of zero.
      expect(Math.max(...sums)).toBeLessThan(tolerance);
    },
    120_000,
  );
});

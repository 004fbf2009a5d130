import { afterAll, describe, expect, it } from "vitest";
import { MicrobatchedNetwork } from "../../../src/main/engine/compiled.ts";
import type { DeviceKind } from "../../../src/main/engine/device.ts";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import type { KeptValue, Prepare, Value } from "../../../src/main/engine/program.ts";
import { initialise, networkNamed } from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

const network = networkNamed("resnet9-smooth");
const resolutionPixels = 16;
const weights = initialise(network, seededRandom(1));
const parameterBytes = 4 * network.parameterCount;
const batch = randomBatch(network, { units: 11, views: 1, resolutionPixels, seed: 2 });
const clipping = { kind: "flat", norm: 0.5 } as const;

/** The memory of a device that is none: what is in it, and whether it is used after it was freed. */
class Memory {
  readonly values = new Set<PretendedValue>();
  mostAtOnce = 0;

  keep(array: Float32Array): PretendedValue {
    const value = new PretendedValue(this, array.slice());
    this.values.add(value);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.values.size);
    return value;
  }
}

class PretendedValue implements KeptValue {
  readonly memory: Memory;
  readonly array: Float32Array;

  constructor(memory: Memory, array: Float32Array) {
    this.memory = memory;
    this.array = array;
  }

  free(): Promise<void> {
    this.memory.values.delete(this);
    return Promise.resolve();
  }
}

interface DeviceOptions {
  readonly microbatch: number;
  readonly device?: DeviceKind;
  /** Images for which there is memory at once. */
  readonly mostImages?: number;
  readonly interrupt?: () => void;
}

const opened: MicrobatchedNetwork[] = [];
afterAll(async () => {
  for (const one of opened) await one.dispose();
});

function networkOn({
  microbatch,
  device = "keeping",
  mostImages = Infinity,
  interrupt,
}: DeviceOptions) {
  const memory = new Memory();
  const prepare: Prepare = async (graph, label, kept = new Set()) => {
    const sessions = { executionProviders: ["cpu"], fusedOperators: true, threads: 1 };
    const program = await openProgram(graph, label, sessions);
    const labels = graph.operations.find((at) => at.kind === "input" && at.name === "labels");
    const images = labels?.output.shape[0] ?? 0;
    return {
      run: async (feeds, into) => {
        const arrays = new Map<string, Value>();
        for (const [name, value] of feeds) {
          if (value instanceof PretendedValue && !memory.values.has(value))
            throw new Error(`${name} was freed before it was used`);
          arrays.set(name, value instanceof PretendedValue ? value.array : value);
        }
        if (images > mostImages) throw new Error("Failed to allocate memory for a buffer");
        const outputs = new Map(await program.run(arrays, into));
        for (const [name, value] of outputs)
          if (kept.has(name) && value instanceof Float32Array)
            outputs.set(name, memory.keep(value));
        return outputs;
      },
      dispose: () => program.dispose(),
    };
  };
  const compiled = new MicrobatchedNetwork({
    network,
    resolutionPixels,
    unitsAtOnce: () => microbatch,
    sparing: false,
    recomputing: false,
    direct: false,
    wholeImages: true,
    device,
    prepare,
    ...(interrupt === undefined ? {} : { interrupt }),
  });
  opened.push(compiled);
  return { compiled, memory };
}

/** What crosses during some work. */
async function crossing(compiled: MicrobatchedNetwork, work: () => Promise<unknown>) {
  const before = compiled.traffic;
  await work();
  const after = compiled.traffic;
  if (before === undefined || after === undefined) throw new Error("nothing was counted");
  return {
    sent: after.sentBytes - before.sentBytes,
    received: after.receivedBytes - before.receivedBytes,
  };
}

describe("a device that keeps values", () => {
  it("gives the sums, gradients and logits that arrays give, bit for bit", async () => {
    const [arrays, device] = [
      networkOn({ microbatch: 4, device: "none" }).compiled,
      networkOn({ microbatch: 4 }).compiled,
    ];
    for (let step = 0; step < 2; step += 1) {
      const other = weights.map((weight) => weight * (1 + step));
      expect(await device.clippedSum(other, batch, clipping)).toEqual(
        await arrays.clippedSum(other, batch, clipping),
      );
      expect(await device.ordinaryGradient(other, batch)).toEqual(
        await arrays.ordinaryGradient(other, batch),
      );
      expect(await device.infer(other, batch.images, 11)).toEqual(
        await arrays.infer(other, batch.images, 11),
      );
    }
  });

  it("gets the weights and gives the sum once a step, however many micro-batches", async () => {
    const { compiled } = networkOn({ microbatch: 1 });
    const { sent, received } = await crossing(compiled, () =>
      compiled.clippedSum(weights, batch, clipping),
    );
    expect(sent).toBeGreaterThanOrEqual(parameterBytes + batch.images.byteLength);
    // The pixels alone, and of each unit a few numbers: no windows.
    expect(sent).toBeLessThan(parameterBytes + batch.images.byteLength + 100 * batch.units);
    expect(received).toBeGreaterThanOrEqual(parameterBytes);
    expect(received).toBeLessThan(parameterBytes + 1000);
  });

  it("saves what crosses with every micro-batch of a device that keeps nothing", async () => {
    const { compiled } = networkOn({ microbatch: 1, device: "crossing" });
    const { sent, received } = await crossing(compiled, () =>
      compiled.clippedSum(weights, batch, clipping),
    );
    expect(sent).toBeGreaterThan(batch.units * parameterBytes);
    expect(received).toBeGreaterThan(batch.units * parameterBytes);
    expect(networkOn({ microbatch: 1, device: "none" }).compiled.traffic).toBeUndefined();
  });

  it("holds no more for many micro-batches than for two, and nothing after a step", async () => {
    const of = async (units: number) => {
      const { compiled, memory } = networkOn({ microbatch: 1 });
      const some = randomBatch(network, { units, views: 1, resolutionPixels, seed: 2 });
      await compiled.clippedSum(weights, some, clipping);
      await compiled.ordinaryGradient(weights, some);
      await compiled.infer(weights, some.images, units);
      expect(memory.values.size).toBe(0);
      return memory.mostAtOnce;
    };
    expect(await of(8)).toBe(await of(2));
  });

  it("leaves a unit out that is not finite, and nothing on the device", async () => {
    const spoilt = { ...batch, images: batch.images.slice() };
    spoilt.images[5 * 256 + 3] = NaN;
    const { compiled, memory } = networkOn({ microbatch: 4 });
    const expected = networkOn({ microbatch: 4, device: "none" }).compiled;
    const result = await compiled.clippedSum(weights, spoilt, clipping);
    expect(result.nonFinite).toBe(1);
    expect(result).toEqual(await expected.clippedSum(weights, spoilt, clipping));
    expect(memory.values.size).toBe(0);
  });

  it("goes on with its totals where memory runs out", async () => {
    const { compiled, memory } = networkOn({ microbatch: 8, mostImages: 3 });
    const expected = await networkOn({ microbatch: 8 }).compiled.clippedSum(
      weights,
      batch,
      clipping,
    );
    const result = await compiled.clippedSum(weights, batch, clipping);
    expect(relativeError(result.sum, expected.sum)).toBeLessThan(1e-5);
    expect(relativeError(result.norms, expected.norms)).toBeLessThan(1e-5);
    expect(memory.values.size).toBe(0);
  });

  it("frees everything where a calculation is broken off, and can be used again", async () => {
    let left = Infinity;
    const { compiled, memory } = networkOn({
      microbatch: 2,
      interrupt: () => {
        if (left === 0) throw new Error("enough");
        left -= 1;
      },
    });
    const whole = await compiled.clippedSum(weights, batch, clipping);
    left = 2;
    await expect(compiled.clippedSum(weights, batch, clipping)).rejects.toThrow("enough");
    expect(memory.values.size).toBe(0);
    left = Infinity;
    expect(await compiled.clippedSum(weights, batch, clipping)).toEqual(whole);
  });
});

import { afterAll, describe, expect, it } from "vitest";
import { MicrobatchedNetwork } from "../../../src/main/engine/compiled.ts";
import { isMemoryExhausted } from "../../../src/main/engine/exhaustion.ts";
import { openProgram } from "../../../src/main/engine/onnxruntime/program.ts";
import type { Prepare } from "../../../src/main/engine/program.ts";
import { initialise, networkNamed } from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

const network = networkNamed("resnet9-smooth");
const resolutionPixels = 16;
const weights = initialise(network, seededRandom(1));
const batch = randomBatch(network, { units: 11, views: 1, resolutionPixels, seed: 2 });
const clipping = { kind: "flat", norm: 0.5 } as const;
const allocationFailure =
  "Non-zero status code returned while running MatMul node. Failed to allocate memory for " +
  "requested buffer of size 1234567890";

const opened: MicrobatchedNetwork[] = [];
afterAll(async () => {
  for (const one of opened) await one.dispose();
});

/** A network whose device has memory for so many images only: it fails when it is run. */
function networkOn(mostImages: number, microbatch: number) {
  const lines: string[] = [];
  const attempts: number[] = [];
  const prepare: Prepare = async (graph, label) => {
    const program = await openProgram(graph, label, {
      executionProviders: ["cpu"],
      fusedOperators: true,
      threads: 1,
    });
    const labels = graph.operations.find((at) => at.kind === "input" && at.name === "labels");
    const images = labels?.output.shape[0] ?? 0;
    return {
      ...program,
      run: (feeds, into) => {
        if (images > 0) attempts.push(images);
        if (images > mostImages) return Promise.reject(new Error(allocationFailure));
        return program.run(feeds, into);
      },
    };
  };
  const compiled = new MicrobatchedNetwork({
    network,
    resolutionPixels,
    unitsAtOnce: () => microbatch,
    sparing: false,
    recomputing: false,
    direct: false,
    wholeImages: false,
    prepare,
    report: (line) => lines.push(line),
  });
  opened.push(compiled);
  return { compiled, lines, attempts };
}

describe("a micro-batch that memory does not hold", () => {
  it("is halved until it fits, with the same result and a line that says so", async () => {
    const roomy = networkOn(Infinity, 8);
    const tight = networkOn(3, 8);
    const expected = await roomy.compiled.clippedSum(weights, batch, clipping);
    const result = await tight.compiled.clippedSum(weights, batch, clipping);
    expect(relativeError(result.sum, expected.sum)).toBeLessThan(1e-5);
    expect(relativeError(result.norms, expected.norms)).toBeLessThan(1e-5);
    expect(relativeError(result.losses, expected.losses)).toBeLessThan(1e-6);
    expect(tight.lines).toEqual([
      expect.stringContaining("with 8 units at once; going on with 4"),
      expect.stringContaining("with 4 units at once; going on with 2"),
    ]);
    // It stays small: the next batch does not run into the same wall.
    tight.attempts.length = 0;
    await tight.compiled.ordinaryGradient(weights, batch);
    expect(Math.max(...tight.attempts)).toBe(2);
    expect(roomy.lines).toEqual([]);
  });

  it("gives the same ordinary gradient", async () => {
    const expected = await networkOn(Infinity, 11).compiled.ordinaryGradient(weights, batch);
    const result = await networkOn(2, 11).compiled.ordinaryGradient(weights, batch);
    expect(relativeError(result.gradient, expected.gradient)).toBeLessThan(1e-5);
  });

  it("says what to do where not even one image fits", async () => {
    const { compiled } = networkOn(0, 4);
    await expect(compiled.clippedSum(weights, batch, clipping)).rejects.toThrow(
      /does not suffice for one image of 16 pixels.*smaller network or resolution/,
    );
  });

  it("leaves other failures alone", async () => {
    const compiled = new MicrobatchedNetwork({
      network,
      resolutionPixels,
      unitsAtOnce: () => 8,
      sparing: false,
      recomputing: false,
      direct: false,
      wholeImages: false,
      prepare: () => Promise.reject(new Error("no such operator")),
    });
    await expect(compiled.clippedSum(weights, batch, clipping)).rejects.toThrow("no such operator");
  });
});

describe("the words of exhausted memory", () => {
  it.each([
    allocationFailure,
    "std::bad_alloc",
    "Array buffer allocation failed",
    "CUDA failure 2: out of memory ; GPU=0",
    "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 1",
    "WebGPU device was lost",
    "OOM when allocating tensor with shape[16,64]",
  ])("are recognised: %s", (message) => {
    expect(isMemoryExhausted(new Error(message))).toBe(true);
  });

  it("are not seen where there are none", () => {
    expect(isMemoryExhausted(new Error("Failed to find kernel for FusedMatMul"))).toBe(false);
    expect(isMemoryExhausted("the weights do not fit")).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { cpuEngine } from "../../../src/main/engine/onnxruntime/engine.ts";
import { initialise, networkNamed } from "../../../src/main/network/index.ts";
import { randomBatch } from "../support/batches.ts";
import { seededRandom } from "../support/random.ts";

describe("a calculation that is broken off", () => {
  it("ends before the next micro-batch and leaves the network as good as new", async () => {
    const network = networkNamed("resnet9-smooth");
    const weights = initialise(network, seededRandom(1));
    const batch = randomBatch(network, { units: 6, views: 1, resolutionPixels: 16, seed: 2 });
    const clipping = { kind: "flat", norm: 1 } as const;
    let asked = 0;
    let endAt = Infinity;
    const compiled = await cpuEngine().compile(network, {
      resolutionPixels: 16,
      microbatch: 2,
      threads: 1,
      interrupt: () => {
        asked += 1;
        if (asked >= endAt) throw new Error("enough");
      },
    });
    const whole = await compiled.clippedSum(weights, batch, clipping);
    expect(asked).toBe(3);
    endAt = asked + 2;
    await expect(compiled.clippedSum(weights, batch, clipping)).rejects.toThrow("enough");
    // One more micro-batch was computed, the next was not begun.
    expect(asked).toBe(endAt);
    endAt = asked + 1;
    await expect(compiled.ordinaryGradient(weights, batch)).rejects.toThrow("enough");
    endAt = Infinity;
    const again = await compiled.clippedSum(weights, batch, clipping);
    expect(again.sum).toEqual(whole.sum);
    await compiled.dispose();
  });
});

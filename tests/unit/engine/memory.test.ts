import { describe, expect, it } from "vitest";
import {
  defaultMicrobatchImages,
  memoryNeed,
  peakBytes,
  unitsAtOnce,
} from "../../../src/main/engine/memory.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { networkNamed } from "../../../src/main/network/index.ts";

const gibibyte = 2 ** 30;
const plenty = 64 * gibibyte;

describe("the memory of a graph", () => {
  it("is that of the tensors alive at one time", () => {
    const builder = new GraphBuilder();
    const a = builder.input("a", [10]);
    const b = builder.unary("relu", a);
    const c = builder.unary("relu", builder.reshape(b, [5, 2]));
    builder.output("d", builder.unary("relu", c));
    // Never more than an operation's input and output; the reshape takes nothing.
    expect(peakBytes(builder.finish())).toBe(2 * 4 * 10);
  });
});

describe("the default micro-batch", () => {
  const network = networkNamed("resnet9");

  it("shrinks with the pixels and with the memory at hand, down to one image", () => {
    const images = (pixels: number, free: number) => defaultMicrobatchImages(network, pixels, free);
    expect(images(64, plenty)).toBe(16);
    expect(images(224, plenty)).toBeLessThan(images(128, plenty));
    expect(images(128, gibibyte)).toBeLessThan(images(128, plenty));
    expect(images(512, plenty)).toBe(1);
    expect(images(512, 2 ** 20)).toBe(1);
  });

  it("follows the network", () => {
    const small = memoryNeed(networkNamed("resnet9-small"), 64);
    const large = memoryNeed(networkNamed("resnet18"), 64);
    expect(small.bytesPerImage).toBeLessThan(large.bytesPerImage);
    expect(small.fixedBytes).toBeLessThan(large.fixedBytes);
  });

  it("counts the views of a unit, and can be chosen by hand", () => {
    const options = { resolutionPixels: 64, microbatch: null, threads: null };
    const units = unitsAtOnce(network, options);
    expect(units(4)).toBe(Math.max(1, Math.floor(units(1) / 4)));
    expect(unitsAtOnce(network, { ...options, microbatch: 3 })(7)).toBe(3);
    expect(() => unitsAtOnce(network, { ...options, microbatch: 0 })).toThrow(/not possible/);
  });
});

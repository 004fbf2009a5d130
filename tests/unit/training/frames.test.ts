import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createReducer, moveImage, randomMovement } from "../../../src/main/training/frames.ts";

function frameOf(pixels: number, value: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: pixels * pixels }, (_, i) =>
    value(i % pixels, Math.floor(i / pixels)),
  );
}

describe("the reduction of a frame", () => {
  it("takes the mean over each block where the sizes divide", () => {
    const target = new Float32Array(4);
    createReducer(4, 2)(
      Uint8Array.of(0, 255, 10, 10, 255, 0, 10, 10, 100, 100, 7, 8, 100, 100, 9, 12),
      target,
    );
    expect([...target].map((v) => v * 255)).toEqual(
      [127.5, 10, 100, 9].map((v): unknown => expect.closeTo(v, 3)),
    );
  });

  it("shares a pixel between its neighbours where they do not", () => {
    const target = new Float32Array(4);
    createReducer(3, 2)(
      frameOf(3, (x) => [0, 90, 180][x]!),
      target,
    );
    // Left: (0 + 90 / 2) / 1.5; right: (90 / 2 + 180) / 1.5.
    expect(target[0]! * 255).toBeCloseTo(30, 4);
    expect(target[1]! * 255).toBeCloseTo(150, 4);
  });

  it("leaves the mean of a frame as it is, whatever the sizes", () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2, max: 24 })
          .chain((source) =>
            fc.tuple(
              fc.uint8Array({ minLength: source * source, maxLength: source * source }),
              fc.integer({ min: 1, max: source }),
            ),
          ),
        ([frame, targetPixels]) => {
          const target = new Float32Array(targetPixels * targetPixels);
          createReducer(Math.sqrt(frame.length), targetPixels)(frame, target);
          const before = frame.reduce((sum, v) => sum + v, 0) / frame.length / 255;
          const after = target.reduce((sum, v) => sum + v, 0) / target.length;
          expect(after).toBeCloseTo(before, 5);
        },
      ),
      { seed: 1 },
    );
  });

  it("refuses to enlarge", () => {
    expect(() => createReducer(32, 64)).toThrow(RangeError);
  });
});

describe("the movement of an image", () => {
  const pixels = 9;
  const image = Float32Array.from({ length: 81 }, (_, i) => ((i * 37) % 81) / 81);

  it("changes nothing where nothing moves", () => {
    const moved = new Float32Array(81);
    moveImage(image, moved, pixels, { shiftX: 0, shiftY: 0, rotationRadians: 0, contrast: 1 });
    moved.forEach((value, index) => {
      expect(value).toBeCloseTo(image[index]!, 6);
    });
  });

  it("moves the content to the right by a positive shift, and never mirrors it", () => {
    const dot = new Float32Array(81);
    dot[4 * 9 + 2] = 1;
    const moved = new Float32Array(81);
    moveImage(dot, moved, pixels, { shiftX: 1, shiftY: 0, rotationRadians: 0, contrast: 1 });
    expect(moved[4 * 9 + 3]).toBeCloseTo(1, 6);
    for (let seed = 0; seed < 200; seed += 1) {
      const movement = randomMovement(() => ((seed * 7919) % 200) / 200, pixels);
      moveImage(dot, moved, pixels, movement);
      const centre = moved.reduce((sum, value, i) => sum + value * (i % 9), 0);
      const weight = moved.reduce((sum, value) => sum + value, 0);
      expect(centre / weight).toBeLessThan(4);
    }
  });

  it("stays within [0, 1]", () => {
    const moved = new Float32Array(81);
    moveImage(image, moved, pixels, {
      shiftX: 0.4,
      shiftY: -0.7,
      rotationRadians: 0.08,
      contrast: 3,
    });
    expect(Math.min(...moved)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...moved)).toBeLessThanOrEqual(1);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  edgeOfPatientRight,
  flipped,
  isMirrored,
  oppositeEdge,
  turned,
  type Orientation,
} from "../../../src/renderer/features/reading/orientation.ts";

const upright: Orientation = { rotation: 0, hflip: false, vflip: false };
const orientations = fc.record({
  rotation: fc.constantFrom(0, 90, 180, 270),
  hflip: fc.boolean(),
  vflip: fc.boolean(),
});

/** Where a direction of the image lies on screen, by the matrix that cornerstone builds. */
function onScreen(x: number, y: number, { rotation, hflip, vflip }: Orientation) {
  const flippedX = hflip ? -x : x;
  const flippedY = vflip ? -y : y;
  const angle = (rotation * Math.PI) / 180;
  return {
    x: Math.round(flippedX * Math.cos(angle) - flippedY * Math.sin(angle)) + 0,
    y: Math.round(flippedX * Math.sin(angle) + flippedY * Math.cos(angle)) + 0,
  };
}

describe("the sides of a film", () => {
  it("shows the patient's right at the left of an upright frontal film", () => {
    expect(edgeOfPatientRight("PA", upright)).toBe("left");
    expect(edgeOfPatientRight("ap", upright)).toBe("left");
  });

  it("follows each turn and flip as the picture does", () => {
    fc.assert(
      fc.property(orientations, (orientation) => {
        const place = onScreen(-1, 0, orientation);
        const edges = { "-1,0": "left", "1,0": "right", "0,-1": "top", "0,1": "bottom" } as const;
        const expected = edges[`${place.x},${place.y}` as keyof typeof edges];
        expect(edgeOfPatientRight("PA", orientation)).toBe(expected);
      }),
    );
  });

  it("claims no sides for a lateral film or an unknown view", () => {
    expect(edgeOfPatientRight("LL", upright)).toBeNull();
    expect(edgeOfPatientRight(null, upright)).toBeNull();
  });

  it("puts the left opposite", () => {
    expect(oppositeEdge("left")).toBe("right");
    expect(oppositeEdge("top")).toBe("bottom");
  });
});

describe("turning and flipping", () => {
  it("is back after four turns or two flips", () => {
    expect([1, 2, 3, 4].reduce((rotation) => turned(rotation, true), 0)).toBe(0);
    fc.assert(
      fc.property(orientations, fc.constantFrom("horizontal", "vertical"), (before, axis) => {
        const once = { ...before, ...flipped(before, axis) };
        expect({ ...once, ...flipped(once, axis) }).toEqual(before);
        expect(isMirrored(once)).toBe(!isMirrored(before));
      }),
    );
  });

  it("flips along the screen's own axis, however the film lies", () => {
    fc.assert(
      fc.property(orientations, (before) => {
        const after = { ...before, ...flipped(before, "horizontal") };
        const was = onScreen(1, 0, before);
        const now = onScreen(1, 0, after);
        expect({ x: 0 - now.x, y: now.y }).toEqual(was);
      }),
    );
  });

  it("knows a mirror image from a film that was turned over twice", () => {
    expect(isMirrored({ rotation: 0, hflip: true, vflip: false })).toBe(true);
    expect(isMirrored({ rotation: 0, hflip: true, vflip: true })).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import {
  draggedScale,
  draggedWindow,
  windowPresets,
} from "../../../src/renderer/features/reading/windows.ts";

const header = {
  minimum: 0,
  maximum: 4095,
  slope: 1,
  intercept: 0,
  windowCenter: 2000,
  windowWidth: 1000,
  windowFrom: "file",
  invert: false,
} as const;

function preset(title: string, changes: Partial<Parameters<typeof windowPresets>[0]> = {}) {
  return windowPresets({ ...header, ...changes }).find((found) => found.title === title)?.window;
}

describe("window presets", () => {
  it("has one for each of the digits 1 to 5", () => {
    expect(windowPresets(header).map(({ key }) => key)).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("begins with the window that the file states", () => {
    expect(preset("As in the file")).toEqual({ windowCenter: 2000, windowWidth: 1000 });
    expect(windowPresets({ ...header, windowFrom: "range" })[0]?.title).toBe("Standard");
  });

  it("covers all values with the whole range, in modality units", () => {
    expect(preset("Whole range")).toEqual({ windowCenter: 2048, windowWidth: 4096 });
    expect(preset("Whole range", { slope: -2, intercept: 100 })).toEqual({
      windowCenter: (100 - 8090) / 2 + 0.5,
      windowWidth: 8191,
    });
  });

  it("looks for the lungs where the screen is dark, also on an inverted film", () => {
    expect(preset("Lungs")?.windowCenter).toBeLessThan(header.windowCenter);
    expect(preset("Lungs", { invert: true })?.windowCenter).toBeGreaterThan(header.windowCenter);
    expect(preset("Mediastinum")?.windowCenter).toBeGreaterThan(header.windowCenter);
  });
});

describe("dragging", () => {
  const reference = { windowWidth: 1000, panePixels: 800 };

  it("widens to the right and raises the centre downwards", () => {
    const window = { windowCenter: 2000, windowWidth: 1000 };
    expect(draggedWindow(window, { rightPixels: 80, downPixels: 0 }, reference)).toEqual({
      windowCenter: 2000,
      windowWidth: 1200,
    });
    expect(draggedWindow(window, { rightPixels: 0, downPixels: 40 }, reference)).toEqual({
      windowCenter: 2100,
      windowWidth: 1000,
    });
  });

  it("never closes the window or loses the film", () => {
    const window = { windowCenter: 0, windowWidth: 10 };
    const drag = { rightPixels: -5000, downPixels: 0 };
    expect(draggedWindow(window, drag, reference).windowWidth).toBe(1);
    expect(draggedScale(1, 100_000)).toBe(0.05);
    expect(draggedScale(1, -100_000)).toBe(20);
  });

  it("magnifies upwards and comes back by the same way", () => {
    expect(draggedScale(1, -50)).toBeGreaterThan(1);
    expect(draggedScale(draggedScale(1, -50), 50)).toBeCloseTo(1, 12);
  });
});

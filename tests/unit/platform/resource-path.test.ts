import { isAbsolute, join, relative, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pixelsPath } from "../../../src/main/shell/pixels-path.ts";
import { resourcePath } from "../../../src/main/shell/resource-path.ts";

const folder = resolve("/opt/silhouette/out/renderer");

describe("the traversal guard", () => {
  it("names files inside the folder", () => {
    expect(resourcePath(folder, "/index.html")).toBe(join(folder, "index.html"));
    expect(resourcePath(folder, "/assets/a%20b.js")).toBe(join(folder, "assets", "a b.js"));
    expect(resourcePath(folder, "/assets/../index.html")).toBe(join(folder, "index.html"));
  });

  it.each([
    "/",
    "/..",
    "/../preload/index.cjs",
    "/%2e%2e/preload/index.cjs",
    "/assets/..%2f..%2fmain/index.js",
    "/..%5cmain%5cindex.js",
    "/C:/Windows/win.ini",
    "/index.html%00.js",
    "/%E0%A4%A",
  ])("refuses %s", (path) => {
    expect(resourcePath(folder, path)).toBeNull();
  });

  it("never leaves the folder, whatever the address", () => {
    const piece = fc.oneof(
      fc.constantFrom("..", ".", "%2e%2e", "%2f", "..%2f", "%5c", "//", "%00", "~"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const file = resourcePath(folder, `/${pieces.join("/")}`);
        if (file === null) return;
        const inside = relative(folder, file);
        expect(inside.startsWith("..") && !inside.startsWith("...")).toBe(false);
        expect(isAbsolute(inside)).toBe(false);
        expect(inside).not.toBe("");
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});

describe("the addresses of pixels", () => {
  it("consist of a kind and a number", () => {
    expect(pixelsPath("pixels://film/42")).toBe("film/42");
    expect(pixelsPath("pixels://frame/7")).toBe("frame/7");
  });

  it.each([
    "pixels://film/",
    "pixels://film/42/43",
    "pixels://film/-1",
    "pixels://film/4?x",
    "pixels:film/4",
    "app://film/42",
  ])("refuse %s", (address) => {
    expect(pixelsPath(address)).toBeNull();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAllowedRequest, isInterface } from "../../../src/main/shell/addresses.ts";

const server = "http://localhost:5173";

describe("the interface's own addresses", () => {
  it.each(["app://silhouette/index.html", "app://silhouette/assets/a.js?v=1#x"])(
    "holds %s to be the interface",
    (address) => {
      expect(isInterface(address, null)).toBe(true);
    },
  );

  it.each([
    "app://other/index.html",
    "app://silhouette.example/index.html",
    "app://user@silhouette/index.html",
    "http://silhouette/index.html",
    "file:///etc/passwd",
    "about:blank",
    "silhouette/index.html",
    "",
    "http://localhost:5173/index.html",
  ])("holds %s to be foreign in a built application", (address) => {
    expect(isInterface(address, null)).toBe(false);
  });

  it("accepts the development server's origin only while there is one", () => {
    expect(isInterface(`${server}/index.html`, server)).toBe(true);
    expect(isInterface("http://localhost:5174/index.html", server)).toBe(false);
    expect(isInterface("http://localhost.example:5173/", server)).toBe(false);
  });
});

describe("the requests that the window may make", () => {
  it.each([
    "app://silhouette/index.html",
    "pixels://film/42",
    "data:image/png;base64,AAAA",
    "blob:app://silhouette/0b0e5c5e-0000-4000-8000-000000000000",
  ])("allows %s", (address) => {
    expect(isAllowedRequest(address, null)).toBe(true);
  });

  it.each([
    "blob:https://example.org/0b0e5c5e-0000-4000-8000-000000000000",
    "devtools://devtools/bundled/inspector.html",
    "ws://localhost:5173/",
    "file:///etc/passwd",
    "chrome://settings",
    "ftp://example.org/",
  ])("denies %s in a built application", (address) => {
    expect(isAllowedRequest(address, null)).toBe(false);
  });

  it("denies every address of a network", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["http", "https", "ws", "wss"] }), (address) => {
        expect(isAllowedRequest(address, null)).toBe(false);
      }),
      { seed: 1 },
    );
  });

  it("allows the development server and its socket during development, and no other", () => {
    expect(isAllowedRequest(`${server}/@vite/client`, server)).toBe(true);
    expect(isAllowedRequest("ws://localhost:5173/?token=1", server)).toBe(true);
    expect(isAllowedRequest("ws://localhost:9999/", server)).toBe(false);
    expect(isAllowedRequest("https://example.org/", server)).toBe(false);
  });
});

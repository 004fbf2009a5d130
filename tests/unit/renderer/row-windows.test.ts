import { describe, expect, it } from "vitest";
import {
  createRowWindows,
  windowsToLoad,
  type Page,
} from "../../../src/renderer/lib/row-windows.ts";

/** A list of numbers served in pages, which counts what was asked for. */
function listOf(total: number, options: { keep?: number } = {}) {
  const asked: number[] = [];
  const failures: unknown[] = [];
  let changes = 0;
  let shift = 0;
  const fetch = (offset: number, limit: number): Promise<Page<number>> => {
    asked.push(offset);
    const count = Math.max(0, Math.min(limit, total - offset));
    const rows = Array.from({ length: count }, (_, place) => offset + place + shift);
    return Promise.resolve({ total, rows });
  };
  const windows = createRowWindows<number>({
    fetch,
    onChange: () => (changes += 1),
    onFailure: (thrown) => failures.push(thrown),
    size: 100,
    ...options,
  });
  return {
    windows,
    asked,
    failures,
    changes: () => changes,
    shiftBy: (by: number) => (shift = by),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("windows of a long list", () => {
  it("loads what is visible first, then a window to each side", () => {
    expect(windowsToLoad(250, 274, 100, 200_000)).toEqual([2, 1, 3]);
    expect(windowsToLoad(190, 214, 100, 200_000)).toEqual([1, 2, 0, 3]);
  });

  it("loads nothing past either end", () => {
    expect(windowsToLoad(0, 24, 100, 60)).toEqual([0]);
    expect(windowsToLoad(0, 24, 100, null)).toEqual([0, 1]);
    expect(windowsToLoad(5, 4, 100, 60)).toEqual([]);
  });

  it("has every visible row after it was shown, and fetches each window once", async () => {
    const list = listOf(1000);
    list.windows.show(0, 24);
    list.windows.show(10, 34);
    await settled();
    list.windows.show(20, 44);
    await settled();
    expect(list.windows.total).toBe(1000);
    expect(Array.from({ length: 45 }, (_, index) => list.windows.at(index))).toEqual(
      Array.from({ length: 45 }, (_, index) => index),
    );
    expect(list.asked.toSorted((a, b) => a - b)).toEqual([0, 100]);
  });

  it("fetches where a fast scroll ends, and little of what it passed by", async () => {
    const list = listOf(100_000);
    await list.windows.load(0);
    for (let first = 1000; first <= 90_000; first += 1000) list.windows.show(first, first + 24);
    await settled();
    expect(list.windows.at(90_010)).toBe(90_010);
    // The first view's two, the last view's three, and what was there before.
    expect(list.asked).toEqual([0, 1000, 900, 90_000, 89_900, 90_100]);
  });

  it("keeps so many windows and drops those that were not seen for longest", async () => {
    const list = listOf(10_000, { keep: 3 });
    for (const index of [0, 100, 200, 300]) await list.windows.load(index);
    expect(list.windows.at(0)).toBeUndefined();
    expect(list.windows.at(100)).toBe(100);
    expect(list.windows.at(300)).toBe(300);
  });

  it("keeps old rows until new ones have come after a refresh", async () => {
    const list = listOf(50);
    await list.windows.load(0);
    list.shiftBy(1000);
    list.windows.refresh();
    list.windows.show(0, 10);
    expect(list.windows.at(3)).toBe(3);
    await settled();
    expect(list.windows.at(3)).toBe(1003);
  });

  it("has no row past the end or before the start", async () => {
    const list = listOf(5);
    expect(await list.windows.load(5)).toBeUndefined();
    expect(await list.windows.load(-1)).toBeUndefined();
  });

  it("exchanges one row in place", async () => {
    const list = listOf(5);
    await list.windows.load(0);
    const before = list.changes();
    list.windows.replace(2, 42);
    expect(list.windows.at(2)).toBe(42);
    expect(list.windows.at(3)).toBe(3);
    expect(list.changes()).toBe(before + 1);
  });

  it("says nothing more once it is closed", async () => {
    const list = listOf(5);
    list.windows.show(0, 4);
    list.windows.close();
    await settled();
    expect(list.changes()).toBe(0);
  });

  it("reports a failure, and fetches again when asked again", async () => {
    let broken = true;
    const failures: unknown[] = [];
    const windows = createRowWindows<number>({
      fetch: () =>
        broken ? Promise.reject(new Error("gone")) : Promise.resolve({ total: 1, rows: [7] }),
      onChange: () => undefined,
      onFailure: (thrown) => failures.push(thrown),
    });
    expect(await windows.load(0)).toBeUndefined();
    expect(failures).toHaveLength(1);
    broken = false;
    expect(await windows.load(0)).toBe(7);
  });
});

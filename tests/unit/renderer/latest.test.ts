import { describe, expect, it } from "vitest";
import { createLatest } from "../../../src/renderer/lib/latest.ts";

/** Work that ends when the test says so. */
function controlled() {
  const begun: { input: number; end: (output: string) => void; fail: () => void }[] = [];
  const results: [string, boolean][] = [];
  const failures: boolean[] = [];
  const latest = createLatest<number, string>(
    (input) =>
      new Promise((resolve, reject) => {
        begun.push({ input, end: resolve, fail: () => reject(new Error("no")) });
      }),
    (output, isNewest) => results.push([output, isNewest]),
    (_, isNewest) => failures.push(isNewest),
  );
  return { latest, begun, results, failures };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a call for the newest input", () => {
  it("runs one at a time and skips what was asked for in between", async () => {
    const { latest, begun, results } = controlled();
    for (const input of [1, 2, 3, 4]) latest.ask(input);
    expect(begun.map(({ input }) => input)).toEqual([1]);
    begun[0]!.end("one");
    await settled();
    expect(begun.map(({ input }) => input)).toEqual([1, 4]);
    begun[1]!.end("four");
    await settled();
    expect(results).toEqual([
      ["one", false],
      ["four", true],
    ]);
  });

  it("goes on after a failure, and says whether something newer is on its way", async () => {
    const { latest, begun, results, failures } = controlled();
    latest.ask(1);
    latest.ask(2);
    begun[0]!.fail();
    await settled();
    begun[1]!.end("two");
    await settled();
    expect(failures).toEqual([false]);
    expect(results).toEqual([["two", true]]);
  });

  it("says nothing of what was cancelled", async () => {
    const { latest, begun, results } = controlled();
    latest.ask(1);
    latest.ask(2);
    latest.cancel();
    begun[0]!.end("one");
    await settled();
    expect(begun).toHaveLength(1);
    expect(results).toEqual([]);
    latest.ask(3);
    begun[1]!.end("three");
    await settled();
    expect(results).toEqual([["three", true]]);
  });
});

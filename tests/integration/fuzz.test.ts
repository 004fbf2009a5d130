import { describe, expect, it } from "vitest";
import { UserError } from "../../src/shared/errors.ts";
import { mutate } from "../fuzz/mutate.ts";
import { fuzz } from "../fuzz/run.ts";
import { targets } from "../fuzz/targets.ts";

describe("every reader of bytes from outside", () => {
  it("accepts what the mutations start from", async () => {
    for (const target of await targets()) {
      for (const seed of target.seeds) await target.run(target.repair?.(seed) ?? seed);
    }
  });

  it("reads mutated inputs or refuses them in words: no crash, hang or unbounded memory", async () => {
    const report = await fuzz({
      inputs: 3000,
      first: 1_000_000,
      secondsForInput: 10,
      mostMebibytes: 2000,
    });
    expect(report.failures).toEqual([]);
    expect(report.inputs).toBeGreaterThanOrEqual(3000);
    // Mutations that break everything, or nothing, would test little.
    expect(report.refused).toBeGreaterThan(report.inputs * 0.3);
    expect(report.refused).toBeLessThan(report.inputs * 0.98);
  });

  it.each([20_876, 22_770, 28_663])(
    "refuses input %i in words, which it once did not",
    async (n) => {
      const headers = (await targets()).find(({ name }) => name === "DICOM headers");
      expect(() => headers?.run(mutate(headers.seeds, n))).toThrow(UserError);
    },
  );

  it.each([
    ["hangs", "hang"],
    ["throws", "crash"],
  ] as const)("is caught where it %s", async (only, kind) => {
    const report = await fuzz({
      inputs: 1,
      first: 1,
      secondsForInput: 1,
      mostMebibytes: 4000,
      only,
    });
    expect(report.failures).toMatchObject([{ target: only, number: 1, kind }]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  shownGroups,
  shownSubgroups,
  suppressedCounts,
  suppressedPairs,
} from "../../../src/shared/suppression.ts";

describe("suppressedCounts", () => {
  it("hides a small count and one more, which the total would give away", () => {
    expect(suppressedCounts([100, 3, 40], 5).map((one) => one.shown)).toEqual([
      "100",
      "fewer than 5",
      "not shown",
    ]);
  });

  it("hides no more than the small ones where there are two", () => {
    expect(suppressedCounts([100, 3, 2], 5).map((one) => one.shown)).toEqual([
      "100",
      "fewer than 5",
      "fewer than 5",
    ]);
  });

  it("leaves large counts alone", () => {
    expect(suppressedCounts([100, 50], 5).map((one) => one.value)).toEqual([100, 50]);
  });

  it("shows none of nobody where that says nothing, and hides no zero as a complement", () => {
    const shown = suppressedCounts([100, 3, 0, 8], 5, { zerosMayShow: true });
    expect(shown.map((one) => one.shown)).toEqual(["100", "fewer than 5", "0", "not shown"]);
  });

  it("never leaves one hidden cell that the total gives back", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 2, maxLength: 8 }), (counts) => {
        const hidden = suppressedCounts(counts, 5).filter(({ value }) => value === null);
        const small = counts.filter((count) => count < 5);
        expect(hidden.length).toBeGreaterThanOrEqual(small.length);
        // One alone is hidden only where all others are zero, and so hidden themselves.
        expect(hidden.length).not.toBe(1);
      }),
    );
  });
});

describe("positives and negatives by group", () => {
  it("hide both of a row with a small one, and a second row, which the totals would give back", () => {
    const rows = [
      { positives: 40, negatives: 60 },
      { positives: 3, negatives: 57 },
      { positives: 9, negatives: 80 },
    ];
    const texts = suppressedPairs(rows, 5, true).map((row) => [
      row.positives.shown,
      row.negatives.shown,
    ]);
    expect(texts).toEqual([
      ["40", "60"],
      ["fewer than 5", "not shown"],
      ["not shown", "not shown"],
    ]);
    // Rows that are no division hide no neighbour.
    expect(suppressedPairs(rows, 5, false)[2]!.positives.shown).toBe("9");
  });

  it("are given back by no sum over a row or a column whose total is known", () => {
    const pair = fc.record({ positives: fc.nat(40), negatives: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 2, maxLength: 6 }), (rows) => {
        const shown = suppressedPairs(rows, 5, true);
        const hiddenRows = shown.filter(({ positives }) => positives.value === null);
        expect(hiddenRows.length).not.toBe(1);
        shown.forEach(({ positives, negatives }, index) => {
          expect(positives.value === null).toBe(negatives.value === null);
          const small = Math.min(rows[index]!.positives, rows[index]!.negatives) < 5;
          if (small) expect(positives.value).toBeNull();
        });
      }),
    );
  });

  it("are hidden within each attribute by itself, patients and images too", () => {
    const row = (attribute: string, patients: number, positives: number) => ({
      attribute,
      patients,
      images: 2 * patients,
      positives,
      negatives: 50,
    });
    const rows = [row("sex", 30, 20), row("sex", 4, 2), row("age", 17, 11), row("age", 17, 11)];
    expect([...shownSubgroups(rows, 5).values()].map(({ positives }) => positives)).toEqual([
      "not shown",
      "fewer than 5",
      "11",
      "11",
    ]);
    expect([...shownGroups(rows, 5).values()]).toEqual([
      { patients: "not shown", images: "not shown" },
      { patients: "fewer than 5", images: "not shown" },
      { patients: "17", images: "34" },
      { patients: "17", images: "34" },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { inOrder } from "../../../src/renderer/lib/counts.ts";
import { asImportResult, asLabelImportResult } from "../../../src/renderer/lib/job-results.ts";
import { withFilter } from "../../../src/renderer/lib/image-filter.ts";
import { mapColumn, mappedColumn } from "../../../src/renderer/lib/label-mapping.ts";
import { nextStep } from "../../../src/renderer/lib/next-step.ts";
import { pairRuns } from "../../../src/renderer/lib/pairs.ts";
import type { RunSummary } from "../../../src/shared/domain.ts";

describe("the filter of the films", () => {
  it("adds a criterion, and drops it where the control is empty", () => {
    const filtered = withFilter({ sex: "F" }, "part", "test");
    expect(filtered).toEqual({ sex: "F", part: "test" });
    expect(withFilter(filtered, "sex", "")).toEqual({ part: "test" });
  });

  it("reads ages as numbers and ignores what is none", () => {
    expect(withFilter({}, "ageFrom", " 60 ")).toEqual({ ageFrom: 60 });
    expect(withFilter({ ageFrom: 60 }, "ageFrom", "6o")).toEqual({});
  });
});

describe("the mapping of label columns", () => {
  const mapping = {
    patient: "PatientID",
    image: null,
    file: null,
    age: null,
    sex: null,
    comorbidityCount: null,
    study: null,
    view: null,
    part: null,
    subgroups: [],
    findings: { cardiomegaly: "HeartSize" },
  };

  it("moves a field to another column, findings included", () => {
    expect(mappedColumn(mapColumn(mapping, "age", "Age"), "age")).toBe("Age");
    const moved = mapColumn(mapping, { finding: "congestion" }, "PulmonaryCongestion");
    expect(mappedColumn(moved, { finding: "congestion" })).toBe("PulmonaryCongestion");
    expect(mappedColumn(moved, { finding: "cardiomegaly" })).toBe("HeartSize");
  });

  it("leaves a finding out altogether once it has no column", () => {
    expect(mapColumn(mapping, { finding: "cardiomegaly" }, null).findings).toEqual({});
  });
});

describe("distributions", () => {
  it("stand in the order of their numbers, with what is unknown at the end", () => {
    const counts = ["10", "unknown", "2", "1", "3 or more"].map((value) => ({
      value,
      images: 1,
      patients: 1,
    }));
    expect(inOrder(counts).map(({ value }) => value)).toEqual([
      "1",
      "2",
      "3 or more",
      "10",
      "unknown",
    ]);
  });
});

describe("the next step", () => {
  const split = { split: null };
  it("leads from films over labels and split to training", () => {
    expect(nextStep({ images: 0, labelled: 0 }, null)).toBe("add-films");
    expect(nextStep({ images: 3, labelled: 0 }, split)).toBe("import-labels");
    expect(nextStep({ images: 3, labelled: 3 }, split)).toBe("make-split");
    const made = {
      id: 1,
      createdAt: "2026-11-24T00:00:00Z",
      locked: false,
      fractions: { train: 0.7, validation: 0.1, test: 0.2 },
      parts: [],
    };
    expect(nextStep({ images: 3, labelled: 3 }, { split: made })).toBe("train");
  });
});

describe("pairs of runs", () => {
  const run = (id: string, kind: "private" | "reference", pairId: string | null, at: string) =>
    ({ id, kind, pairId, createdAt: at }) as unknown as RunSummary;

  it("puts twins together and the newest pair first", () => {
    const pairs = pairRuns([
      run("a", "private", "b", "2026-01-01"),
      run("b", "reference", "a", "2026-01-01"),
      run("c", "private", "d", "2026-02-01"),
      run("d", "reference", "c", "2026-02-01"),
    ]);
    expect(pairs.map((pair) => [pair.private?.id, pair.reference?.id])).toEqual([
      ["c", "d"],
      ["a", "b"],
    ]);
  });

  it("leaves a run without a twin alone, and never pairs two private runs", () => {
    const pairs = pairRuns([
      run("a", "private", null, "2026-01-01"),
      run("b", "private", null, "2026-01-02"),
    ]);
    expect(pairs.map((pair) => [pair.private?.id, pair.reference])).toEqual([
      ["b", null],
      ["a", null],
    ]);
  });
});

describe("results of jobs", () => {
  it("tells an import of films from one of labels and from anything else", () => {
    const films = { found: 1, imported: 1, duplicates: 0, setAside: 0, quarantined: [] };
    const labels = { rows: 1, matched: 1, unmatched: [], invalid: [] };
    expect(asImportResult(films)).toBe(films);
    expect(asImportResult(labels)).toBeNull();
    expect(asLabelImportResult(labels)).toBe(labels);
    expect(asLabelImportResult(films)).toBeNull();
    for (const other of [null, undefined, "done", 3, {}]) {
      expect(asImportResult(other)).toBeNull();
      expect(asLabelImportResult(other)).toBeNull();
    }
  });
});

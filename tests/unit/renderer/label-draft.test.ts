import { describe, expect, it } from "vitest";
import {
  changed,
  labelsOf,
  lineProblems,
  linesOf,
  noLabels,
  redone,
  undone,
  type DraftLabel,
} from "../../../src/renderer/lib/label-draft.ts";

const line = (name: string, sides: DraftLabel["sides"] = "none"): DraftLabel => ({ name, sides });

describe("the draft of a set of labels", () => {
  it("gives every change back in turn, and again, until another change is made", () => {
    const first = changed(noLabels, [line("Mass")]);
    const second = changed(first, [line("Mass"), line("Tube", "both")]);
    const back = undone(undone(second));
    expect(back.labels).toEqual([]);
    expect(undone(back)).toBe(back);
    expect(redone(redone(back)).labels).toEqual(second.labels);
    const other = changed(undone(second), [line("Nodule")]);
    expect(redone(other)).toBe(other);
    expect(undone(other).labels).toEqual(first.labels);
  });

  it("makes one line of the two sides of a name, where the first stood, and of the line both", () => {
    const lines = linesOf([
      { name: "Tube", side: "left" },
      { name: "Mass", side: null },
      { name: "Tube", side: "right" },
      { name: "Drain", side: "left" },
    ]);
    expect(lines).toEqual([line("Tube", "both"), line("Mass"), line("Drain", "left")]);
    expect(labelsOf(lines)).toEqual([
      { name: "Tube", side: "right" },
      { name: "Tube", side: "left" },
      { name: "Mass", side: null },
      { name: "Drain", side: "left" },
    ]);
  });

  it("shows a problem at the line that has it", () => {
    const problems = lineProblems([line("Tube", "both"), line("Mass"), line("tube", "left")]);
    expect(problems.map((problem) => problem !== null)).toEqual([false, false, true]);
  });
});

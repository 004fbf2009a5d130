import { describe, expect, it } from "vitest";
import { compareRuns } from "../../../src/main/evaluation/compare.ts";
import { metricsFromTable } from "../../../src/main/evaluation/table.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { keysOf } from "../../../src/shared/findings.ts";
import { examplePlan, simulateScores } from "./simulate.ts";

const header = "patient,label,truth,score";

describe("metricsFromTable", () => {
  it("agrees with the comparison of a run in every statistic", async () => {
    const { privateScores: scored } = simulateScores({
      patients: 200,
      seed: 4,
      privateSeparation: 1.4,
      referenceSeparation: 1.8,
    });
    const lines = scored.flatMap((image) =>
      keysOf("sided").map((finding, label) =>
        [
          // Numbers of equal length, so that text and numbers sort alike.
          String(image.patientId).padStart(5, "0"),
          finding,
          image.truth[label] ?? "",
          image.scores[label],
          image.sex ?? "",
          image.ageYears ?? "",
          image.part,
        ].join(","),
      ),
    );
    const table = await metricsFromTable([`${header},sex,age,part`, ...lines].join("\n"), {
      groups: ["sex", "age"],
      bootstrapSamples: 50,
    });
    const { privateRun } = await compareRuns({
      privateRun: {
        runId: "r",
        kind: "private",
        plan: examplePlan("private"),
        stepsDone: 1,
        epsilon: 1,
        scored,
      },
      referenceRun: null,
      bootstrapSamples: 50,
    });
    expect(table.patients).toBe(privateRun?.testPatients);
    expect(table.macroAuroc).toEqual(privateRun?.macroAuroc);
    table.labels.forEach((label, index) => {
      const other = privateRun?.labels[index];
      expect(label.label).toBe(other?.finding);
      expect(label.auroc).toEqual(other?.auroc);
      expect(label.threshold).toEqual(other?.threshold);
      expect(label.sensitivity).toEqual(other?.sensitivity);
      expect([label.positives, label.negatives]).toEqual([other?.positives, other?.negatives]);
    });
    const titles: Record<string, string> = { F: "Female", M: "Male" };
    for (const group of table.groups) {
      const other = privateRun?.fairness.find(
        (one) => one.group === (titles[group.group] ?? group.group),
      );
      expect(group.patients).toBe(other?.patients);
      expect(group.macroAuroc).toEqual(other?.macroAuroc);
      expect(group.accuracyParityDifference).toEqual(other?.accuracyParityDifference);
      expect(group.statisticalParityDifference).toEqual(other?.statisticalParityDifference);
      expect(group.equalOpportunityDifference).toEqual(other?.equalOpportunityDifference);
    }
    expect(table.thresholds).toBe("Youden's index on the validation rows");
  });

  it("counts probabilities from 0.5 as positive where no rows are for validation", async () => {
    const rows = [0.1, 0.2, 0.6, 0.4, 0.8, 0.9].map(
      (score, index) => `p${String(index)},finding,${index < 3 ? "0" : "1"},${String(score)}`,
    );
    const table = await metricsFromTable([header, ...rows].join("\n"), { minimumCell: 1 });
    expect(table.thresholds).toBe("fixed at 0.5");
    expect(table.labels[0]?.sensitivity?.estimate).toBeCloseTo(2 / 3, 12);
    expect(table.labels[0]?.specificity?.estimate).toBeCloseTo(2 / 3, 12);
    // Pairs: 0.4 beats two of three, the others all three.
    expect(table.labels[0]?.auroc?.estimate).toBeCloseTo(8 / 9, 12);
  });

  it("leaves out rows without a truth and thresholds of scores that are no probabilities", async () => {
    const rows = ["a,x,0,-3", "b,x,1,4", "c,x,,1", "d,x,0,0", "e,x,1,2", "f,x,1,3", "g,x,0,-1"];
    const table = await metricsFromTable([header, ...rows].join("\n"), { minimumCell: 1 });
    expect(table.rows).toBe(6);
    expect(table.thresholds).toBe("none");
    expect(table.labels[0]?.accuracy).toBeNull();
    expect(table.labels[0]?.auroc?.estimate).toBe(1);
  });

  it.each([
    ["", /no rows/],
    ["patient,label,truth\na,x,1", /no column "score".*patient, label, truth/],
    [`${header}\na,x,2,0.5`, /Row 2 .* truth "2"/],
    [`${header}\na,x,1,0.5\nb,x,0,high`, /Row 3 .* score "high"/],
    [`${header}\n,x,1,0.5`, /Row 2 .* no patient/],
    [`${header}\na,x,,0.5`, /no row with a truth/],
    [`${header},part\na,x,1,0.5,train`, /part "train"/],
    [`${header},part\na,x,1,0.5,test\na,x,1,0.5,validation`, /validation and in test/],
    [`${header}\na,x,1,0.5,extra`, /not valid CSV/],
  ])("refuses %j with a message that says where", async (text, message) => {
    const error: unknown = await metricsFromTable(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
  });

  it("names a missing group column", async () => {
    await expect(metricsFromTable(`${header}\na,x,1,0.5`, { groups: ["sex"] })).rejects.toThrow(
      /no column "sex"/,
    );
  });
});

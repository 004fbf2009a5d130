import { describe, expect, it } from "vitest";
import { compareRuns, type RunToEvaluate } from "../../../src/main/evaluation/compare.ts";
import { auroc, youdenThreshold } from "../../../src/main/evaluation/roc.ts";
import { shownCount, type ScoredImage } from "../../../src/shared/comparison.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { ageBinOf } from "../../../src/shared/subgroups.ts";
import { examplePlan, simulateScores } from "./simulate.ts";

const { privateScores, referenceScores } = simulateScores({
  patients: 500,
  seed: 21,
  privateSeparation: 1.2,
  referenceSeparation: 1.9,
});
const run = (
  kind: "private" | "reference",
  scored: readonly ScoredImage[],
  runId: string = kind,
): RunToEvaluate => ({
  runId,
  kind,
  plan: examplePlan(kind),
  stepsDone: 1500,
  epsilon: kind === "private" ? 7.89 : null,
  scored,
});
const pair = {
  privateRun: run("private", privateScores),
  referenceRun: run("reference", referenceScores),
};
const comparison = await compareRuns({ ...pair, bootstrapSamples: 200 });

/** One image for each patient, all labels alike. */
interface TinyRow {
  readonly truth: 0 | 1;
  readonly score: number;
  readonly part: ScoredImage["part"];
}
function tiny(rows: readonly TinyRow[]): ScoredImage[] {
  return rows.map((row, index): ScoredImage => ({
    imageId: index + 1,
    patientId: index + 1,
    sex: index % 2 === 0 ? "F" : "M",
    ageYears: 65,
    comorbidityCount: null,
    subgroups: {},
    part: row.part,
    truth: Array.from({ length: 8 }, () => row.truth),
    scores: Array.from({ length: 8 }, () => row.score),
  }));
}

describe("compareRuns", () => {
  it("gives the AUROC of the test images for each label", () => {
    comparison.privateRun?.labels.forEach((label, index) => {
      const known = privateScores.filter(
        (image) => image.part === "test" && image.truth[index] !== null,
      );
      const expected = auroc({
        truth: known.map((image) => image.truth[index] ?? 0),
        scores: known.map((image) => image.scores[index] ?? 0),
      });
      expect(label.auroc?.estimate).toBeCloseTo(expected ?? NaN, 12);
      expect(label.positives + label.negatives).toBe(known.length);
      expect(label.auroc?.low).toBeLessThan(expected ?? 0);
      expect(label.auroc?.high).toBeGreaterThan(expected ?? 1);
    });
  });

  it("means over the labels for the macro AUROC", () => {
    const labels = comparison.referenceRun?.labels ?? [];
    const mean = labels.reduce((sum, label) => sum + (label.auroc?.estimate ?? NaN), 0) / 8;
    expect(comparison.referenceRun?.macroAuroc?.estimate).toBeCloseTo(mean, 12);
    expect(comparison.referenceRun?.macroLabels).toHaveLength(8);
  });

  it("computes subgroups from their own images", () => {
    const subgroups = comparison.privateRun?.subgroups ?? [];
    const check = (group: string, holds: (image: ScoredImage) => boolean): void => {
      const label = subgroups.find(
        (one) => one.group === group && one.finding === "pleural_effusion_right",
      );
      const known = privateScores.filter(
        (image) => image.part === "test" && image.truth[2] !== null && holds(image),
      );
      expect(label?.patients).toBe(new Set(known.map((image) => image.patientId)).size);
      expect(label?.positives).toBe(known.filter((image) => image.truth[2] === 1).length);
      const expected = auroc({
        truth: known.map((image) => image.truth[2] ?? 0),
        scores: known.map((image) => image.scores[2] ?? 0),
      });
      expect(label?.auroc?.estimate).toBeCloseTo(expected ?? NaN, 12);
    };
    check("Female", (image) => image.sex === "F");
    check("60–69", (image) => ageBinOf(image.ageYears) === "60–69");
    check("3 or more", (image) => (image.comorbidityCount ?? 0) >= 3);
    check("intensive care", (image) => image.subgroups["ward"] === "intensive care");
  });

  it("divides by sex, age, co-morbidities and each free subgroup, in both runs alike", () => {
    const attributes = ["sex", "age", "comorbidity", "table:ward"];
    for (const run of [comparison.privateRun, comparison.referenceRun, comparison.difference]) {
      for (const rows of [run?.subgroups, run?.fairness]) {
        expect([...new Set(rows?.map(({ attribute }) => attribute))]).toEqual(attributes);
      }
    }
    const wards = comparison.privateRun?.fairness.filter((one) => one.attribute === "table:ward");
    expect(wards?.map(({ group }) => group)).toEqual(["emergency", "intensive care", "outpatient"]);
    for (const ward of wards ?? []) {
      expect(ward.macroAuroc?.low).toBeLessThan(ward.macroAuroc?.estimate ?? 0);
      expect(ward.macroAuroc?.high).toBeGreaterThan(ward.macroAuroc?.estimate ?? 1);
    }
  });

  it("puts values of a free subgroup with fewer patients than the minimum together", async () => {
    // Values of one, two and many test patients; the names of the rare ones appear nowhere.
    const withRoom = privateScores.map((image): ScoredImage => {
      const room = image.patientId % 50 === 1 ? `Mrs ${String(image.patientId)}` : "hall";
      return { ...image, subgroups: { room } };
    });
    const rare = new Set(
      withRoom
        .filter((image) => image.part === "test" && image.subgroups["room"] !== "hall")
        .map((image) => image.patientId),
    );
    const result = await compareRuns({
      privateRun: run("private", withRoom),
      referenceRun: null,
      bootstrapSamples: 5,
    });
    const rooms = result.privateRun?.fairness.filter(({ attribute }) => attribute === "table:room");
    expect(rooms?.map(({ group, patients }) => [group, patients])).toEqual([
      ["hall", (result.privateRun?.testPatients ?? 0) - rare.size],
      ["other values", rare.size],
    ]);
    expect(rare.size).toBeGreaterThan(1);
    expect(JSON.stringify(result)).not.toContain("Mrs");
  });

  it("computes the study's difference of accuracies as female minus male", () => {
    const accuracy = (sex: string, label: number): number => {
      const threshold = comparison.privateRun?.labels[label]?.threshold ?? NaN;
      const known = privateScores.filter(
        (image) => image.part === "test" && image.sex === sex && image.truth[label] !== null,
      );
      const right = known.filter(
        (image) => ((image.scores[label] ?? 0) >= threshold ? 1 : 0) === image.truth[label],
      );
      return right.length / known.length;
    };
    const female = comparison.privateRun?.fairness.find((one) => one.group === "Female");
    const male = comparison.privateRun?.fairness.find((one) => one.group === "Male");
    expect(female?.labels).toBe(8);
    const expected =
      [0, 1, 2, 3, 4, 5, 6, 7]
        .map((label) => accuracy("F", label) - accuracy("M", label))
        .reduce((sum, value) => sum + value, 0) / 8;
    expect(female?.accuracyParityDifference?.estimate).toBeCloseTo(expected, 12);
    expect(male?.accuracyParityDifference?.estimate).toBeCloseTo(-expected, 12);
  });

  it("finds the reference run better where it separates better", () => {
    expect(comparison.difference?.macroAuroc?.low).toBeGreaterThan(0);
    const estimate =
      (comparison.referenceRun?.macroAuroc?.estimate ?? 0) -
      (comparison.privateRun?.macroAuroc?.estimate ?? 0);
    expect(comparison.difference?.macroAuroc?.estimate).toBeCloseTo(estimate, 12);
  });

  it("pairs the samples: a run differs from itself by exactly nothing", async () => {
    const same = await compareRuns({
      privateRun: run("private", privateScores),
      referenceRun: run("reference", privateScores),
      bootstrapSamples: 50,
    });
    expect(same.difference?.macroAuroc).toEqual({ estimate: 0, low: 0, high: 0 });
    for (const one of same.difference?.labels ?? []) {
      expect(one.auroc).toEqual({ estimate: 0, low: 0, high: 0 });
    }
    expect(same.difference?.dropAgainstReferenceAuroc).toBeNull();
  });

  it("is narrower paired than the two intervals would suggest", () => {
    const width = (interval: { low: number; high: number } | null | undefined): number =>
      interval ? interval.high - interval.low : NaN;
    const paired = width(comparison.difference?.macroAuroc);
    const unpaired = Math.hypot(
      width(comparison.privateRun?.macroAuroc),
      width(comparison.referenceRun?.macroAuroc),
    );
    expect(paired).toBeLessThan(0.9 * unpaired);
  });

  it("fits thresholds on validation patients and never looks at test patients", async () => {
    const thresholds = comparison.privateRun?.labels.map((label) => label.threshold);
    const validation = privateScores.filter((image) => image.part === "validation");
    const expected = [0, 1, 2, 3, 4, 5, 6, 7].map((label) => {
      const known = validation.filter((image) => image.truth[label] !== null);
      return youdenThreshold({
        truth: known.map((image) => image.truth[label] ?? 0),
        scores: known.map((image) => image.scores[label] ?? 0),
      });
    });
    expect(thresholds).toEqual(expected);
    const moved = privateScores.map((image) =>
      image.part === "validation"
        ? image
        : { ...image, scores: image.scores.map((score) => score ** 3 / 2) },
    );
    const again = await compareRuns({
      privateRun: run("private", moved),
      referenceRun: null,
      bootstrapSamples: 2,
    });
    expect(again.privateRun?.labels.map((label) => label.threshold)).toEqual(expected);
    expect(again.privateRun?.labels[0]?.accuracy?.estimate).not.toBe(
      comparison.privateRun?.labels[0]?.accuracy?.estimate,
    );
  });

  it("gives the same result for the same seed in any order of images", async () => {
    const shuffled = await compareRuns({
      privateRun: run("private", [...privateScores].reverse()),
      referenceRun: run("reference", referenceScores),
      bootstrapSamples: 200,
    });
    expect(shuffled).toEqual(comparison);
  });

  it("evaluates a single run without a difference", async () => {
    const alone = await compareRuns({
      privateRun: null,
      referenceRun: pair.referenceRun,
      bootstrapSamples: 200,
    });
    expect(alone.privateRun).toBeNull();
    expect(alone.difference).toBeNull();
    expect(alone.referenceRun).toEqual(comparison.referenceRun);
  });

  it("counts cells under the minimum but computes nothing from them", async () => {
    const rows = Array.from({ length: 40 }, (_, index): TinyRow => ({
      truth: index < 4 ? 1 : 0,
      score: index < 4 ? 0.9 : 0.1,
      part: "test",
    }));
    const small = await compareRuns({
      privateRun: run("private", tiny(rows)),
      referenceRun: null,
      bootstrapSamples: 20,
    });
    const label = small.privateRun?.labels[0];
    expect(label?.positives).toBe(4);
    expect(label?.negatives).toBe(36);
    expect(label?.auroc).toBeNull();
    expect(label?.roc).toEqual([]);
    expect(small.privateRun?.macroAuroc).toBeNull();
    expect(small.privateRun?.macroLabels).toEqual([]);
    expect(small.privateRun?.fairness.every((one) => one.macroAuroc === null)).toBe(true);
  });

  it("leaves what needs a threshold undefined where validation gives none", async () => {
    const rows = Array.from({ length: 60 }, (_, index): TinyRow => ({
      truth: index % 3 === 0 ? 1 : 0,
      score: index / 60,
      part: "test",
    }));
    const result = await compareRuns({
      privateRun: run("private", tiny(rows)),
      referenceRun: null,
      bootstrapSamples: 50,
    });
    const label = result.privateRun?.labels[0];
    expect(label?.auroc).not.toBeNull();
    expect(label?.threshold).toBeNull();
    expect(label?.accuracy).toBeNull();
    expect(label?.sensitivity).toBeNull();
    const female = result.privateRun?.fairness[0];
    expect(female?.macroAuroc).not.toBeNull();
    expect(female?.accuracyParityDifference).toBeNull();
  });

  it("counts patients, not images, for what is large enough", async () => {
    // Six images are positive for all labels; of label 0 those of the test part are of two patients.
    const rows = (["validation", "test"] as const).flatMap((part) =>
      Array.from({ length: 30 }, (_, index): TinyRow => {
        return { truth: index < 6 ? 1 : 0, score: (index % 7) / 7, part };
      }),
    );
    const scored = tiny(rows).map((image): ScoredImage => {
      const inTest = image.imageId - 30;
      const ofTwo = inTest >= 7 && inTest <= 12;
      return {
        ...image,
        patientId: ofTwo ? 100 + (inTest % 2) : image.patientId,
        truth: inTest < 1 ? image.truth : image.truth.with(0, ofTwo ? 1 : 0),
      };
    });
    const { privateRun } = await compareRuns({
      privateRun: run("private", scored),
      referenceRun: null,
      bootstrapSamples: 400,
    });
    expect(privateRun?.labels[0]).toMatchObject({ positives: 6, negatives: 24, auroc: null });
    expect(privateRun?.labels[0]?.roc).toEqual([]);
    expect(privateRun?.macroLabels).toHaveLength(7);
    // Such a label would leave the mean undefined in one sample of seven.
    expect(privateRun?.macroAuroc).not.toBeNull();
  });

  it("gives a subgroup's accuracy its interval by patient, and none to a group that is too small", () => {
    const sized = comparison.privateRun?.subgroups ?? [];
    const large = sized.filter(({ auroc }) => auroc !== null);
    const small = sized.filter(
      ({ positives, negatives }) => Math.min(positives, negatives) < comparison.minimumCell,
    );
    expect(large.length).toBeGreaterThan(0);
    expect(small.length).toBeGreaterThan(0);
    for (const { accuracy } of large) {
      expect(accuracy?.low).toBeLessThan(accuracy?.estimate ?? NaN);
      expect(accuracy?.high).toBeGreaterThan(accuracy?.estimate ?? NaN);
    }
    for (const { accuracy, auroc } of small) expect([accuracy, auroc]).toEqual([null, null]);
    // The accuracy itself is that of the group's own films.
    const [first] = large;
    const label = comparison.privateRun?.labels.findIndex(
      ({ finding }) => finding === first?.finding,
    );
    const threshold = comparison.privateRun?.labels[label ?? 0]?.threshold ?? NaN;
    const films = privateScores.filter(
      (image) =>
        image.part === "test" &&
        image.truth[label ?? 0] !== null &&
        image.sex === (first?.group === "Female" ? "F" : "M"),
    );
    const right = films.filter(
      (image) => ((image.scores[label ?? 0] ?? 0) >= threshold ? 1 : 0) === image.truth[label ?? 0],
    );
    expect(first?.attribute).toBe("sex");
    expect(first?.accuracy?.estimate).toBeCloseTo(right.length / films.length, 12);
  });

  it("holds no number that is not finite", () => {
    const text = JSON.stringify(comparison, (_key, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? "NOT FINITE" : value,
    );
    expect(text).not.toContain("NOT FINITE");
  });

  it("refuses scores of different images, scores that are no numbers, and no scores", async () => {
    const refuse = async (options: Parameters<typeof compareRuns>[0], text: RegExp) => {
      const error: unknown = await compareRuns(options).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(text);
    };
    await refuse(
      { ...pair, referenceRun: run("reference", referenceScores.slice(1)) },
      /different images/,
    );
    const diverged = privateScores.map((image) => ({
      ...image,
      scores: image.scores.map(() => NaN),
    }));
    await refuse({ ...pair, privateRun: run("private", diverged) }, /diverged/);
    await refuse({ privateRun: run("private", []), referenceRun: null }, /no scores/);
  });

  it("refuses a patient in both parts of the split", async () => {
    const leaked = privateScores.map((image, index) =>
      index === 0
        ? { ...image, part: "test" as const }
        : image.patientId === privateScores[0]?.patientId
          ? { ...image, part: "validation" as const }
          : image,
    );
    const extra = {
      ...(privateScores[0] as ScoredImage),
      imageId: 1e6,
      part: "validation" as const,
    };
    await expect(
      compareRuns({ privateRun: run("private", [...leaked, extra]), referenceRun: null }),
    ).rejects.toThrow(/patient is in the validation part and in the test part/);
  });
});

describe("shownCount", () => {
  it("hides counts under the minimum cell", () => {
    expect([0, 4, 5, 12345].map((count) => shownCount(count, 5))).toEqual([
      "fewer than 5",
      "fewer than 5",
      "5",
      "12,345",
    ]);
  });
});

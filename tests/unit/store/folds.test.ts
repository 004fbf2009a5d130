import { describe, expect, it } from "vitest";
import type { SplitPart } from "../../../src/shared/domain.ts";
import { cohortOverview } from "../../../src/main/store/cohort-overview.ts";
import { labelWriter } from "../../../src/main/store/labels.ts";
import { createSplitByFolds, lockSplit } from "../../../src/main/store/splits.ts";
import { addImage, openTestStore } from "./fixtures.ts";

interface Film {
  readonly patient: number;
  readonly part: SplitPart;
  readonly content?: string;
}

function cohortOf(films: readonly Film[]) {
  const { database, cohortId } = openTestStore();
  const writer = labelWriter(database);
  films.forEach(({ patient, part, content }, index) => {
    const imageId = addImage(database, cohortId, {
      patient: `P${patient}`,
      instance: `${index}`,
      content: content ?? `content ${index}`,
    });
    writer.addReading({ imageId, reader: "table", source: "test", grades: { congestion: 0 } });
    writer.setFold(imageId, part, "test");
  });
  const counts = () =>
    Object.fromEntries(
      (cohortOverview(database, cohortId).split?.parts ?? []).map(({ part, patients }) => [
        part,
        patients,
      ]),
    );
  return { database, cohortId, counts };
}

const official: readonly Film[] = Array.from({ length: 30 }, (_, index) => ({
  patient: index,
  part: index < 20 ? "train" : "test",
}));

describe("a split by the data set's own folds", () => {
  it("keeps its test part, and takes validation from training where none is named", () => {
    const { database, cohortId, counts } = cohortOf(official);
    createSplitByFolds(database, cohortId, 0.1);
    expect(counts()).toEqual({ train: 18, validation: 2, test: 10 });
  });

  it("takes patients who share a film into validation together", () => {
    // Each two patients have one film between them.
    const shared = official.flatMap((film) => [
      film,
      { ...film, content: `pair ${Math.floor(film.patient / 2)}` },
    ]);
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { database, cohortId, counts } = cohortOf(shared);
      createSplitByFolds(database, cohortId, 0.1);
      expect(counts()).toEqual({ train: 18, validation: 2, test: 10 });
      database.close();
    }
  });

  it("takes the named validation part as it is", () => {
    const { database, cohortId, counts } = cohortOf([
      ...official,
      { patient: 40, part: "validation" },
    ]);
    createSplitByFolds(database, cohortId, 0.1);
    expect(counts()).toEqual({ train: 20, validation: 1, test: 10 });
  });

  it("is refused where a patient, or one film under two patients, stands on both sides", () => {
    const twice = cohortOf([...official, { patient: 0, part: "test" }]);
    expect(() => createSplitByFolds(twice.database, twice.cohortId)).toThrow(
      /put 1 patient into more than one part/,
    );
    const shared = cohortOf([...official, { patient: 50, part: "test", content: "content 0" }]);
    expect(() => createSplitByFolds(shared.database, shared.cohortId)).toThrow(
      /put 1 film into more than one part/,
    );
    expect(shared.counts()).toEqual({});
  });

  it("is refused without folds, without a test part, and once a run has used the split", () => {
    const without = openTestStore();
    expect(() => createSplitByFolds(without.database, without.cohortId)).toThrow(/No table/);
    const { database, cohortId } = cohortOf(official.filter(({ part }) => part === "train"));
    expect(() => createSplitByFolds(database, cohortId)).toThrow(/no patient for the test part/);
    const used = cohortOf(official);
    lockSplit(used.database, createSplitByFolds(used.database, used.cohortId).id);
    expect(() => createSplitByFolds(used.database, used.cohortId)).toThrow(/no longer changes/);
  });
});

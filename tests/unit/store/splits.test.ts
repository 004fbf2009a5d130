import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelWriter } from "../../../src/main/store/labels.ts";
import { createSplit, currentSplit, lockSplit } from "../../../src/main/store/splits.ts";
import { cohortOverview } from "../../../src/main/store/cohort-overview.ts";
import { addImage, openTestStore } from "./fixtures.ts";

const fractions = { train: 0.7, validation: 0.1, test: 0.2 };

function labelledCohort(patients: number, imagesOf: (patient: number) => number) {
  const { database, cohortId } = openTestStore();
  const writer = labelWriter(database);
  database.transaction(() => {
    for (let patient = 0; patient < patients; patient += 1) {
      for (let image = 0; image < imagesOf(patient); image += 1) {
        const imageId = addImage(database, cohortId, {
          patient: `P${patient}`,
          sex: patient % 2 === 0 ? "F" : "M",
          instance: `${patient}.${image}`,
        });
        writer.addReading({
          imageId,
          reader: "table",
          source: "test",
          grades: { cardiomegaly: patient % 3 === 0 ? 3 : 0 },
        });
      }
    }
  })();
  return { database, cohortId };
}

describe("a split by patient", () => {
  it("puts every labelled patient in exactly one part, in the fractions asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 90 }), (patients) => {
        const { database, cohortId } = labelledCohort(patients, (patient) => 1 + (patient % 3));
        createSplit(database, cohortId, fractions);
        const parts = cohortOverview(database, cohortId).split?.parts ?? [];
        const counts = Object.fromEntries(parts.map((part) => [part.part, part.patients]));
        expect(parts.reduce((total, part) => total + part.patients, 0)).toBe(patients);
        expect(Math.abs((counts["test"] ?? 0) - patients * 0.2)).toBeLessThanOrEqual(1.5);
        expect(Math.abs((counts["validation"] ?? 0) - patients * 0.1)).toBeLessThanOrEqual(1.5);
        database.close();
      }),
      { numRuns: 8, seed: 20240401 },
    );
  });

  it("keeps patients who share a film in one part", () => {
    const { database, cohortId } = labelledCohort(60, () => 1);
    for (let pair = 0; pair < 20; pair += 1) {
      for (const patient of [`P${2 * pair}`, `P${2 * pair + 1}`]) {
        addImage(database, cohortId, {
          patient,
          instance: `shared ${pair} ${patient}`,
          content: `shared ${pair}`,
        });
      }
    }
    createSplit(database, cohortId, fractions);
    const separated = database
      .prepare(
        `SELECT count(*) FROM image a JOIN image b ON a.content_hash = b.content_hash
         JOIN split_member ma ON ma.patient_id = a.patient_id
         JOIN split_member mb ON mb.patient_id = b.patient_id WHERE ma.part <> mb.part`,
      )
      .pluck()
      .get();
    expect(separated).toBe(0);
    database.close();
  });

  it("is not used once a film stands in two of its parts", () => {
    const { database, cohortId } = labelledCohort(60, () => 1);
    const split = createSplit(database, cohortId, fractions);
    const patientIn = (part: string) =>
      database
        .prepare(
          `SELECT pseudonym FROM patient JOIN split_member ON patient_id = patient.id
           WHERE part = ? LIMIT 1`,
        )
        .pluck()
        .get(part) as string;
    for (const part of ["train", "test"]) {
      const patient = patientIn(part);
      addImage(database, cohortId, { patient, instance: `twin ${part}`, content: "twin" });
    }
    expect(() => lockSplit(database, split.id)).toThrow(/^1 film stands in two parts of the split/);
    database.exec("UPDATE image SET status = 'set-aside' WHERE instance_pseudonym = 'twin train'");
    lockSplit(database, split.id);
    expect(currentSplit(database, cohortId)?.lockedAt).not.toBeNull();
    database.close();
  });

  it("spreads sexes and findings over the parts as the cohort has them", () => {
    const { database, cohortId } = labelledCohort(300, () => 1);
    createSplit(database, cohortId, { train: 0.6, validation: 0.2, test: 0.2 });
    const shares = database
      .prepare(
        `SELECT avg(patient.sex = 'F') AS female, avg(consensus.grade >= 2) AS positive
         FROM split_member JOIN patient ON patient.id = split_member.patient_id
         JOIN image ON image.patient_id = patient.id
         JOIN consensus ON consensus.image_id = image.id GROUP BY part`,
      )
      .all() as { female: number; positive: number }[];
    expect(shares).toHaveLength(3);
    for (const { female, positive } of shares) {
      expect(Math.abs(female - 1 / 2)).toBeLessThan(0.04);
      expect(Math.abs(positive - 1 / 3)).toBeLessThan(0.04);
    }
    database.close();
  });

  it("can be made anew until a run has used it, and not after", () => {
    const { database, cohortId } = labelledCohort(40, () => 1);
    createSplit(database, cohortId, fractions);
    const second = createSplit(database, cohortId, fractions);
    lockSplit(database, second.id);
    expect(() => createSplit(database, cohortId, fractions)).toThrow(/no longer changes/);
    expect(currentSplit(database, cohortId)?.id).toBe(second.id);
    database.close();
  });

  it("refuses a cohort without labels, and fractions that do not add to one", () => {
    const { database, cohortId } = openTestStore();
    expect(() => createSplit(database, cohortId, fractions)).toThrow(/at least 10/);
    expect(() => createSplit(database, cohortId, { ...fractions, test: 0.3 })).toThrow(/add to 1/);
    database.close();
  });
});

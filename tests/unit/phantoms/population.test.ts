import { describe, expect, it } from "vitest";

import { FINDING_LABELS } from "../../../src/main/phantoms/findings.ts";
import type { FindingLabel } from "../../../src/main/phantoms/findings.ts";
import { samplePatient } from "../../../src/main/phantoms/population.ts";

const patients = Array.from({ length: 1500 }, (_, index) => samplePatient(5, index, "a"));
const images = patients.flatMap((patient) => patient.images);

function share(values: readonly boolean[]): number {
  return values.filter(Boolean).length / values.length;
}

function positive(label: FindingLabel): boolean[] {
  return images.map(({ findings }) => findings[label] >= 2);
}

/** Share of `label` where `given` holds, minus where it does not. */
function lift(label: FindingLabel, given: readonly boolean[]): number {
  const values = positive(label);
  const yes = values.filter((_, index) => given[index] === true);
  const no = values.filter((_, index) => given[index] === false);
  return share(yes) - share(no);
}

describe("the phantom population", () => {
  it.each(FINDING_LABELS)("shows %s of at least grade 2 in 15 to 35 percent", (label) => {
    expect(share(positive(label))).toBeGreaterThan(0.15);
    expect(share(positive(label))).toBeLessThan(0.35);
  });

  it("lets findings occur together as in practice", () => {
    expect(lift("congestion", positive("cardiomegaly"))).toBeGreaterThan(0.2);
    expect(lift("pleural_effusion_right", positive("congestion"))).toBeGreaterThan(0.15);
    expect(lift("pleural_effusion_left", positive("pleural_effusion_right"))).toBeGreaterThan(0.15);
    expect(lift("atelectasis_left", positive("pleural_effusion_left"))).toBeGreaterThan(0.15);
    expect(lift("atelectasis_right", positive("pleural_effusion_right"))).toBeGreaterThan(0.15);
  });

  it("makes every finding more frequent in the old", () => {
    const old = images.map(({ ageYears }) => ageYears >= 65);
    for (const label of FINDING_LABELS) expect(lift(label, old)).toBeGreaterThan(0.02);
  });

  it("gives one to five images to a patient and sets them on rising study dates", () => {
    const counts = patients.map((patient) => patient.images.length);
    expect(Math.min(...counts)).toBe(1);
    expect(Math.max(...counts)).toBe(5);
    for (const patient of patients) {
      const dates = new Map(patient.images.map((image) => [image.studyIndex, image.studyDate]));
      const ordered = [...dates.values()];
      expect(ordered).toEqual([...new Set(ordered)].sort());
    }
  });

  it("changes the findings little from one study to the next", () => {
    let differing = 0;
    let compared = 0;
    for (const { images: own } of patients) {
      for (let index = 1; index < own.length; index++) {
        const before = own[index - 1]?.findings;
        const after = own[index]?.findings;
        if (!before || !after) continue;
        for (const label of FINDING_LABELS) {
          compared++;
          if (Math.abs(before[label] - after[label]) > 1) differing++;
        }
      }
    }
    expect(differing / compared).toBeGreaterThan(0.01);
    expect(differing / compared).toBeLessThan(0.2);
  });

  it("errs in about three percent of the labels, by one grade", () => {
    let wrong = 0;
    for (const { findings, labels } of images) {
      for (const label of FINDING_LABELS) {
        const error = Math.abs(findings[label] - labels[label]);
        expect(error).toBeLessThanOrEqual(1);
        wrong += error;
      }
    }
    const rate = wrong / (images.length * FINDING_LABELS.length);
    expect(rate).toBeGreaterThan(0.02);
    expect(rate).toBeLessThan(0.04);
  });

  it("counts zero to six co-morbidities, more in the old", () => {
    const counts = patients.map((patient) => patient.comorbidityCount);
    expect(Math.min(...counts)).toBe(0);
    expect(Math.max(...counts)).toBe(6);
    const mean = (group: typeof patients): number =>
      group.reduce((sum, patient) => sum + patient.comorbidityCount, 0) / group.length;
    const isOld = (patient: (typeof patients)[number]): boolean =>
      (patient.images[0]?.ageYears ?? 0) >= 65;
    const old = mean(patients.filter(isOld));
    const young = mean(patients.filter((patient) => !isOld(patient)));
    expect(old).toBeGreaterThan(young + 0.3);
  });

  it("takes mostly PA films, some AP and some lateral ones", () => {
    const views = (view: string): number =>
      share(images.map((image) => image.viewPosition === view));
    expect(views("PA")).toBeGreaterThan(0.7);
    expect(views("AP")).toBeGreaterThan(0.04);
    expect(views("LL")).toBeGreaterThan(0.04);
  });

  it("depends on the seed, the index and the style only", () => {
    expect(samplePatient(5, 17, "a")).toEqual(patients[17]);
    expect(samplePatient(6, 17, "a")).not.toEqual(patients[17]);
    expect(samplePatient(5, 17, "b").patientId).not.toEqual(patients[17]?.patientId);
  });
});

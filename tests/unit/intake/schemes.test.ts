import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findingKeys,
  findingSchemes,
  keysOf,
  mirroredFindings,
  schemeNames,
  sidesOf,
  type FindingKey,
  type Grade,
} from "../../../src/shared/findings.ts";
import { readLabels, type LabelReading } from "../../../src/main/intake/label-reading.ts";
import { gradesInScheme } from "../../../src/main/intake/sides.ts";

/** Reads a table as a cohort of labels without sides takes it. */
function read(name: string, text: string, companions: Record<string, string> = {}): LabelReading {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-schemes-"));
  for (const [other, content] of Object.entries({ ...companions, [name]: text })) {
    writeFileSync(join(folder, other), content);
  }
  return readLabels(join(folder, name), {
    preset: null,
    mapping: null,
    uncertain: "missing",
    positiveAtGrade: 2,
    scheme: "unsided",
  });
}

const gradesOf = ({ rows }: LabelReading) => rows.map(({ grades }) => grades);
const allFive = {
  cardiomegaly: 0,
  congestion: 0,
  pleural_effusion: 0,
  pneumonic_infiltration: 0,
  atelectasis: 0,
};

describe("the sets of labels", () => {
  it("hold each of their findings once, and a mirrored film keeps labels without a side", () => {
    expect(Object.keys(findingSchemes)).toEqual([...schemeNames]);
    for (const scheme of schemeNames) {
      const keys = keysOf(scheme);
      expect(new Set(keys).size).toBe(keys.length);
      expect(mirroredFindings(scheme).toSorted((a, b) => a - b)).toEqual(keys.map((_, at) => at));
    }
    expect(mirroredFindings("unsided")).toEqual([0, 1, 2, 3, 4]);
    expect(sidesOf("atelectasis")).toEqual(["atelectasis_right", "atelectasis_left"]);
    expect(sidesOf("congestion")).toBeNull();
  });

  it("take a finding from its sides: positive from one, negative only from both", () => {
    const said = fc.record(
      Object.fromEntries(
        findingKeys.map((key) => [key, fc.constantFrom<Grade>(0, 1, 2, 3, 4)]),
      ) as Record<FindingKey, fc.Arbitrary<Grade>>,
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(said, fc.constantFrom(1, 2, 3, 4), (row, threshold) => {
        const unsided = gradesInScheme(row, "unsided", threshold);
        for (const key of keysOf("unsided")) {
          const own = row[key];
          const sides = sidesOf(key)?.map((side) => row[side]) ?? [];
          const grade = unsided[key];
          if (own !== undefined) expect(grade).toBe(own);
          else if (sides.some((side) => side !== undefined && side >= threshold)) {
            expect(grade).toBeGreaterThanOrEqual(threshold);
          } else if (sides.length > 0 && sides.every((side) => side !== undefined)) {
            expect(grade).toBeLessThan(threshold);
          } else expect(grade).toBeUndefined();
        }
        const sided = gradesInScheme(row, "sided", threshold);
        for (const key of keysOf("sided")) expect(sided[key]).toBe(row[key]);
        expect(Object.keys(sided).every((key) => keysOf("sided").includes(key as never))).toBe(
          true,
        );
      }),
      { seed: 20260501, numRuns: 500 },
    );
  });
});

describe("a cohort of labels without sides", () => {
  it("takes all findings of CheXpert, and says nothing of ones left out", () => {
    const reading = read(
      "train.csv",
      "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Edema,Consolidation,Pneumonia,Atelectasis,Pleural Effusion\n" +
        "C/train/patient1/study1/view1_frontal.jpg,Male,60,Frontal,AP,1.0,,,,,,\n" +
        "C/train/patient2/study1/view1_frontal.jpg,Male,60,Frontal,AP,,,,1.0,0.0,0.0,1.0\n" +
        "C/train/patient3/study1/view1_frontal.jpg,Male,60,Frontal,AP,,,,,-1.0,-1.0,\n",
    );
    expect(gradesOf(reading)).toEqual([
      allFive,
      { pneumonic_infiltration: 2, atelectasis: 0, pleural_effusion: 2 },
      {},
    ]);
    expect(reading.tally.map(({ finding }) => finding)).toEqual(keysOf("unsided"));
    expect(reading.tally.find(({ finding }) => finding === "atelectasis")).toMatchObject({
      positive: 0,
      negative: 2,
      missing: 1,
      uncertain: 1,
    });
    const words = [...reading.notes, ...reading.meanings.map(({ meaning }) => meaning)].join(" ");
    expect(words).not.toMatch(/side|not used/);
  });

  it("takes all findings of NIH ChestX-ray14", () => {
    const reading = read(
      "Data_Entry_2017.csv",
      "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n" +
        "1_0.png,No Finding,0,1,58,M,PA\n2_0.png,Effusion|Infiltration,0,2,58,M,PA\n",
    );
    expect(gradesOf(reading)).toEqual([
      allFive,
      { ...allFive, pleural_effusion: 2, pneumonic_infiltration: 2 },
    ]);
  });

  it("takes all findings of MIMIC-CXR-JPG", () => {
    const reading = read(
      "mimic-cxr-2.0.0-chexpert.csv",
      "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,No Finding,Pleural Effusion,Pneumonia\n" +
        "10,50,1.0,,,,,0.0,\n",
      {
        "mimic-cxr-2.0.0-metadata.csv":
          "dicom_id,subject_id,study_id,ViewPosition,StudyDate\na,10,50,PA,21800506\n",
      },
    );
    expect(gradesOf(reading)).toEqual([{ atelectasis: 2, pleural_effusion: 0 }]);
  });

  it("takes all findings of VinDr-CXR, and each reader's reading of them", () => {
    const reading = read(
      "image_labels_train.csv",
      "image_id,rad_id,Aortic enlargement,Cardiomegaly,Edema,Pleural effusion,Atelectasis,Pneumonia,Infiltration,Consolidation\n" +
        "a,R1,0,0,0,1,0,0,0,0\na,R2,0,0,0,1,0,0,0,1\na,R3,0,0,0,0,0,0,0,0\n",
    );
    expect(gradesOf(reading)).toEqual([{ ...allFive, pleural_effusion: 2 }]);
    expect(reading.rows[0]?.readings.map(({ grades }) => grades.pneumonic_infiltration)).toEqual([
      0, 2, 0,
    ]);
  });

  it("takes the sides of TAIX-Ray and of an own table together", () => {
    const taix = read(
      "annotations.csv",
      "UID,PatientID,HeartSize,PulmonaryCongestion,PleuralEffusion_Right,PleuralEffusion_Left,PulmonaryOpacities_Right,PulmonaryOpacities_Left,Atelectasis_Right,Atelectasis_Left\n" +
        "a,1,Normal,None,None,++,None,None,(+),-1\n",
    );
    // One side of atelectasis is not known, so that the other's grade below "mild" says nothing.
    expect(gradesOf(taix)).toEqual([
      { cardiomegaly: 0, congestion: 0, pleural_effusion: 3, pneumonic_infiltration: 0 },
    ]);
    const own = read(
      "labels.csv",
      "image_id,atelectasis,pleural_effusion_right,pleural_effusion_left\n1,3,0,4\n2,0,1,0\n",
    );
    expect(gradesOf(own)).toEqual([
      { atelectasis: 3, pleural_effusion: 4 },
      { atelectasis: 0, pleural_effusion: 1 },
    ]);
  });
});

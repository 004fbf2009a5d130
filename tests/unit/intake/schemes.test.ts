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
  type Grade,
} from "../../../src/shared/findings.ts";
import {
  readLabels,
  type LabelReading,
  type LabelReadingOptions,
} from "../../../src/main/intake/label-reading.ts";
import { gradesInScheme } from "../../../src/main/intake/sides.ts";

/** Reads a table as a cohort of labels without sides takes it. */
function read(
  name: string,
  text: string,
  companions: Record<string, string> = {},
  options: Partial<LabelReadingOptions> = {},
): LabelReading {
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
    ...options,
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
      Object.fromEntries(findingKeys.map((key) => [key, fc.constantFrom<Grade>(0, 1, 2, 3, 4)])),
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

describe("a cohort of a public set's own labels", () => {
  const chexpertHeader =
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly," +
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax," +
    "Pleural Effusion,Pleural Other,Fracture,Support Devices\n";
  const film = (patient: number, view = "view1_frontal.jpg,Female,68,Frontal,AP") =>
    `CheXpert-v1.0-small/train/patient${patient}/study1/${view}`;

  it("takes CheXpert's fourteen observations, and devices as no finding's neighbour", () => {
    const { rows, tally, notes, meanings } = read(
      "train.csv",
      chexpertHeader +
        `${film(1)},1.0,,,,,,,,,0.0,,,,1.0\n` +
        `${film(2)},,,-1.0,1.0,,-1.0,-1.0,,-1.0,,1.0,,1.0,\n` +
        `${film(3)},1.0,,,,,,,,,,,,,\n`,
      {},
      { scheme: "chexpert" },
    );
    const negative = Object.fromEntries(keysOf("chexpert").map((key) => [key, 0]));
    expect(rows[0]?.grades).toEqual({ ...negative, no_finding: 2, support_devices: 2 });
    expect(rows[1]?.grades).toEqual({
      no_finding: 0,
      lung_opacity: 2,
      pleural_effusion: 2,
      fracture: 2,
    });
    expect(rows[2]?.grades).toEqual({
      ...Object.fromEntries(Object.entries(negative).filter(([key]) => key !== "support_devices")),
      no_finding: 2,
    });
    expect(tally.map(({ finding }) => finding)).toEqual(keysOf("chexpert"));
    expect(tally.find(({ finding }) => finding === "edema")).toMatchObject({ uncertain: 1 });
    expect(meanings.map(({ column }) => column)).toEqual(
      expect.arrayContaining(chexpertHeader.trim().split(",").slice(5)),
    );
    expect([...notes, ...meanings.map(({ meaning }) => meaning)].join(" ")).not.toMatch(
      /congestion|without a side/i,
    );
  });

  it("takes MIMIC-CXR-JPG's fourteen from its alphabetical columns", () => {
    const { rows } = read(
      "mimic-cxr-2.0.0-negbio.csv",
      "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum," +
        "Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia," +
        "Pneumothorax,Support Devices\n10,50,1.0,,,0.0,,,,1.0,,,,,-1.0,1.0\n",
      { "mimic-cxr-2.0.0-metadata.csv": "dicom_id,subject_id,study_id,ViewPosition\na,10,50,PA\n" },
      { scheme: "chexpert", uncertain: "positive" },
    );
    expect(rows[0]?.grades).toEqual({
      no_finding: 0,
      atelectasis: 2,
      edema: 0,
      lung_opacity: 2,
      pneumothorax: 2,
      support_devices: 2,
    });
  });

  it("takes NIH's fourteen findings, the unlisted as negative", () => {
    const { rows } = read(
      "Data_Entry_2017_v2020.csv",
      "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Sex,View Position," +
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n" +
        "1_000.png,Effusion|Pleural_Thickening|Hernia,0,1,57,M,PA,2682,2749,0.143,0.143,\n" +
        "2_000.png,No Finding,0,2,57,M,PA,2682,2749,0.143,0.143,\n",
      {},
      { scheme: "nih" },
    );
    const negative = Object.fromEntries(keysOf("nih").map((key) => [key, 0]));
    expect(rows[0]?.grades).toEqual({
      ...negative,
      pleural_effusion: 2,
      pleural_thickening: 2,
      hernia: 2,
    });
    expect(rows[1]?.grades).toEqual(negative);
  });

  it("takes VinDr-CXR's 28 labels from both tables, whose last but one differs in a letter", () => {
    const header = (last: string, reader: string) =>
      `image_id,${reader}Aortic enlargement,Atelectasis,Calcification,Cardiomegaly,Clavicle fracture,` +
      "Consolidation,Edema,Emphysema,Enlarged PA,ILD,Infiltration,Lung Opacity,Lung cavity,Lung cyst," +
      "Mediastinal shift,Nodule/Mass,Pleural effusion,Pleural thickening,Pneumothorax," +
      `Pulmonary fibrosis,Rib fracture,Other lesion,COPD,Lung tumor,Pneumonia,Tuberculosis,${last},No finding\n`;
    const row = (positive: readonly number[]) =>
      Array.from({ length: 28 }, (_, index) => (positive.includes(index) ? 1 : 0)).join(",");
    const train = read(
      "image_labels_train.csv",
      header("Other diseases", "rad_id,") +
        `a,R1,${row([15, 26])}\na,R2,${row([15])}\na,R3,${row([26])}\n`,
      {},
      { scheme: "vindr" },
    );
    const positives = ({ rows }: LabelReading) =>
      Object.entries(rows[0]?.grades ?? {}).flatMap(([key, grade]) => (grade >= 2 ? [key] : []));
    expect(positives(train)).toEqual(["nodule_or_mass", "other_diseases"]);
    expect(Object.keys(train.rows[0]?.grades ?? {})).toHaveLength(28);
    const test = read(
      "image_labels_test.csv",
      header("Other disease", "") + `b,${row([9, 19, 26])}\n`,
      {},
      { scheme: "vindr" },
    );
    expect(positives(test)).toEqual(["interstitial_lung_disease", "fibrosis", "other_diseases"]);
  });

  it("takes PadChest's frequent findings with the narrower terms below them", () => {
    const { rows } = read(
      "labels.csv",
      "ImageID,PatientID,PatientBirth,PatientSex_DICOM,Projection,Labels,LabelsLocalizationsBySentence\n" +
        `1.png,P1,1946.0,M,PA,"['apical pleural thickening', 'COPD signs', nan]","[['COPD signs']]"\n` +
        `2.png,P2,1950.0,F,PA,"['normal']","[['normal'], ['normal']]"\n`,
      {},
      { scheme: "padchest" },
    );
    const negative = Object.fromEntries(keysOf("padchest").map((key) => [key, 0]));
    expect(rows[0]?.grades).toEqual({ ...negative, copd: 2, pleural_thickening: 2 });
    expect(rows[1]?.grades).toEqual({ ...negative, no_finding: 2 });
  });

  it("maps an own table's columns by their names, and reads 1 as positive where nothing is graded", () => {
    const own =
      "patient,file,No Finding,Pleural Effusion,Lung Opacity,Support Devices\n" +
      "A,1.png,1,0,,1\nB,2.png,0,1,-1,0\nC,3.png,1,1,0,0\n";
    const { rows, invalid, notes } = read("own.csv", own, {}, { scheme: "chexpert" });
    expect(rows.map(({ grades }) => grades)).toEqual([
      { no_finding: 2, pleural_effusion: 0, support_devices: 2 },
      { no_finding: 0, pleural_effusion: 2, support_devices: 0 },
    ]);
    expect(invalid).toEqual([
      { row: 4, reason: "says no finding, and names one: Pleural effusion" },
    ]);
    expect(notes.join(" ")).toMatch(/4 columns of findings hold only 1, 0 and -1.*as missing/);
  });
});

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readLabels, type LabelReadingOptions } from "../../../src/main/intake/label-reading.ts";
import { UserError } from "../../../src/shared/errors.ts";

/** Reads the first of some files as a table; the others stand beside it. */
function read(files: Readonly<Record<string, string>>, options: Partial<LabelReadingOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-presets-"));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
  }
  return readLabels(join(folder, Object.keys(files)[0] ?? ""), {
    preset: null,
    mapping: null,
    uncertain: "missing",
    positiveAtGrade: 2,
    scheme: "sided",
    ...options,
  });
}

const chexpertHeader =
  "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly," +
  "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax," +
  "Pleural Effusion,Pleural Other,Fracture,Support Devices\n";
const chexpert = {
  "train.csv":
    chexpertHeader +
    "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n" +
    "CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Male,87,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,1.0,,1.0,\n" +
    "CheXpert-v1.0-small/valid/patient00003/study1/view2_lateral.jpg,Male,83,Lateral,,,,1.0,,,0.0,,,,,1.0,,,\n",
};

describe("CheXpert", () => {
  it("is recognised and gives patient, study, view, part, age and sex", () => {
    const { preset, rows } = read(chexpert);
    expect(preset?.name).toBe("chexpert");
    expect(rows[0]).toMatchObject({
      patient: "patient00001",
      study: "patient00001/study1",
      viewPosition: "AP",
      part: "train",
      ageYears: 68,
      sex: "F",
    });
    expect(rows[2]).toMatchObject({ viewPosition: "LL", part: "validation" });
  });

  it("makes blanks negative only where the row says No Finding", () => {
    const { rows } = read(chexpert);
    expect(rows[0]?.grades).toEqual({ cardiomegaly: 0, congestion: 0 });
    expect(rows[2]?.grades).toEqual({ cardiomegaly: 2, congestion: 0 });
  });

  it.each([
    ["missing", {}],
    ["positive", { cardiomegaly: 2, congestion: 2 }],
    ["negative", { cardiomegaly: 0, congestion: 0 }],
  ] as const)(
    "takes uncertain labels as %s, counts them, and says so in its source",
    (policy, grades) => {
      const { rows, tally, source } = read(chexpert, { uncertain: policy });
      expect(rows[1]?.grades).toEqual(grades);
      expect(tally.find(({ finding }) => finding === "cardiomegaly")?.uncertain).toBe(1);
      expect(source).toMatch(new RegExp(`^CheXpert, table [0-9a-f]{16}, uncertain as ${policy}$`));
    },
  );

  it("gives a positive label the grade from which the cohort counts", () => {
    const { rows, tally } = read(chexpert, { positiveAtGrade: 4 });
    expect(rows[2]?.grades.cardiomegaly).toBe(4);
    expect(tally[0]).toMatchObject({ finding: "cardiomegaly", positive: 1, negative: 1 });
  });

  it("puts no finding without a side on a side, and says how many are left out", () => {
    const { rows, notes } = read(chexpert, { uncertain: "positive" });
    for (const { grades } of rows) {
      expect(Object.keys(grades).filter((key) => /right|left/.test(key))).toEqual([]);
    }
    expect(notes.join(" ")).toContain("Pleural effusion: 3 rows, 2 positive, without a side");
  });
});

describe("MIMIC-CXR-JPG", () => {
  const labels =
    "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum," +
    "Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia," +
    "Pneumothorax,Support Devices\n" +
    "10000032,50414267,,1.0,,,,,,,,,,,,\n" +
    "10000033,50414999,,,,,,,,,1.0,,,,,\n";
  const metadata =
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate\n" +
    "aa-1,10000032,50414267,CHEST,PA,3056,2544,21800506\n" +
    "aa-2,10000032,50414267,CHEST,LATERAL,3056,2544,21800506\n";
  const split = "dicom_id,study_id,subject_id,split\naa-1,50414267,10000032,validate\n";
  const patients =
    "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n10000032,F,52,2180,2014 - 2016,\n";
  const main = "mimic-cxr-2.0.0-chexpert.csv.gz";

  it("joins labels, metadata, split and patients by image, study and patient", () => {
    const { rows, invalid } = read({
      [main]: labels,
      "mimic-cxr-2.0.0-metadata.csv.gz": metadata,
      "mimic-cxr-2.0.0-split.csv": split,
      "patients.csv": patients,
    });
    expect(rows[0]).toMatchObject({
      image: "aa-1",
      file: "p10/p10000032/s50414267/aa-1.jpg",
      patient: "10000032",
      study: "50414267",
      viewPosition: "PA",
      part: "validation",
      sex: "F",
      ageYears: 52,
      grades: { cardiomegaly: 2 },
    });
    expect(rows[1]).toMatchObject({ viewPosition: "LL", part: null, grades: { cardiomegaly: 2 } });
    expect(invalid).toEqual([{ row: 3, reason: "the study is not in the metadata" }]);
  });

  it("knows oblique and decubitus films, and the view where only its code's meaning tells", () => {
    const line = (id: string, view: string, meaning: string) =>
      `${id},10000032,50414267,CHEST (PA AND LAT),${view},3056,2544,21800506,213014.531,CHEST (PA AND LAT),${meaning},Erect\n`;
    const { rows } = read({
      [main]: labels,
      "mimic-cxr-2.0.0-metadata.csv.gz":
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime," +
        "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning\n" +
        line("a", "PA", "postero-anterior") +
        line("b", "", "antero-posterior") +
        line("c", "", "left lateral") +
        line("d", "XTABLE LATERAL", "lateral") +
        line("e", "AP LLD", "") +
        line("f", "", ""),
    });
    expect(rows.map(({ viewPosition }) => viewPosition)).toEqual([
      "PA",
      "AP",
      "LL",
      "LL",
      "OTH",
      null,
    ]);
  });

  it("asks for the metadata where they are not beside it", () => {
    const { problems } = read({ [main]: labels });
    expect(problems.join(" ")).toContain("mimic-cxr-2.0.0-metadata.csv is needed");
  });
});

describe("NIH ChestX-ray14", () => {
  it("reads piped labels, impossible ages and the official lists", () => {
    const { preset, rows, notes } = read({
      "Data_Entry_2017.csv":
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position," +
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n" +
        "00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n" +
        "00000002_000.png,No Finding,0,2,414,F,AP,2500,2048,0.168,0.168,\n",
      "train_val_list.txt": "00000001_000.png\n",
      "test_list.txt": "00000002_000.png\n",
    });
    expect(preset?.name).toBe("nih-chestxray14");
    expect(rows[0]).toMatchObject({
      patient: "1",
      ageYears: 58,
      sex: "M",
      part: "train",
      grades: { cardiomegaly: 2, congestion: 0 },
    });
    expect(rows[1]).toMatchObject({ ageYears: null, part: "test", viewPosition: "AP" });
    expect(notes.join(" ")).toContain("1 row states an impossible age");
  });
});

describe("VinDr-CXR", () => {
  const header = "image_id,rad_id,Aortic enlargement,Cardiomegaly,Edema,Pleural effusion\n";

  it("takes the majority of an image's readers and says where they disagree", () => {
    const { rows, notes, imageStandsForPatient } = read({
      "image_labels_train.csv":
        header + "a,R1,0,1,0,1\na,R2,0,1,0,0\na,R3,0,0,0,0\nb,R1,0,0,0,0\nb,R2,0,0,1,0\n",
    });
    expect(rows.map(({ image, grades }) => [image, grades])).toEqual([
      ["a", { cardiomegaly: 2, congestion: 0 }],
      // One of two readers: a tie is uncertain, and uncertain counts as missing here.
      ["b", { cardiomegaly: 0 }],
    ]);
    expect(rows.map(({ readings }) => readings)).toEqual([
      [
        { reader: "VinDr-CXR R1", grades: { cardiomegaly: 2, congestion: 0 } },
        { reader: "VinDr-CXR R2", grades: { cardiomegaly: 2, congestion: 0 } },
        { reader: "VinDr-CXR R3", grades: { cardiomegaly: 0, congestion: 0 } },
      ],
      [
        { reader: "VinDr-CXR R1", grades: { cardiomegaly: 0, congestion: 0 } },
        { reader: "VinDr-CXR R2", grades: { cardiomegaly: 0, congestion: 2 } },
      ],
    ]);
    expect(imageStandsForPatient).toBe(true);
    expect(notes.join(" ")).toContain("disagree on 3 labels");
    expect(notes.join(" ")).toContain("names no patients");
  });
});

describe("PadChest", () => {
  const header =
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,Projection," +
    "PhotometricInterpretation_DICOM,Labels,LabelsLocalizationsBySentence\n";
  const row = (labels: string, places: string, projection = "PA") =>
    `0,1_2.png,0,20140915,S1,P1,1946.0,M,${projection},MONOCHROME2,"${labels}","${places}"\n`;

  it("takes sides from the places that the report names", () => {
    const { rows } = read({
      "labels.csv":
        header +
        row(
          "['pleural effusion', 'cardiomegaly']",
          "['pleural effusion', 'loc right', 'loc basal', 'cardiomegaly']",
        ) +
        row("['atelectasis']", "['atelectasis', 'loc bilateral basal']") +
        row(
          "['pleural effusion']",
          "['pleural effusion', 'loc right'], ['pleural effusion', 'loc left']",
        ),
    });
    expect(rows[0]?.grades).toMatchObject({
      cardiomegaly: 2,
      pleural_effusion_right: 2,
      pleural_effusion_left: 0,
    });
    expect(rows[1]?.grades).toMatchObject({ atelectasis_right: 2, atelectasis_left: 2 });
    expect(rows[2]?.grades).toMatchObject({ pleural_effusion_right: 2, pleural_effusion_left: 2 });
  });

  it("leaves both sides open where one mention names no side", () => {
    const { rows, notes } = read({
      "labels.csv":
        header +
        row("['pleural effusion']", "['pleural effusion', 'loc right'], ['pleural effusion']"),
    });
    expect(rows[0]?.grades).not.toHaveProperty("pleural_effusion_right");
    expect(rows[0]?.grades).not.toHaveProperty("pleural_effusion_left");
    expect(notes.join(" ")).toContain("Pleural effusion: 1 row, 1 positive, without a side");
  });

  it("knows each projection, and sets what the data set excludes aside", () => {
    const projections = ["PA", "L", "AP", "AP_horizontal", "COSTAL", "EXCLUDE", "UNK", ""];
    const { rows } = read({
      "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv":
        header + projections.map((each) => row("['normal']", "[['normal']]", each)).join(""),
    });
    expect(rows.map(({ viewPosition }) => viewPosition)).toEqual([
      "PA",
      "LL",
      "AP",
      "AP",
      null,
      "OTH",
      null,
      null,
    ]);
  });

  it("says nothing for unlabelled films, and keeps an age but no birth year", () => {
    const { rows } = read({
      "labels.csv":
        header + row("['unchanged']", "", "L") + row("['normal']", "['normal']", "COSTAL"),
    });
    expect(rows[0]).toMatchObject({ grades: {}, ageYears: 68, sex: "M", viewPosition: "LL" });
    expect(rows[1]).toMatchObject({ bodyPart: "RIB", viewPosition: null });
    expect(JSON.stringify(rows)).not.toContain("1946");
  });
});

describe("TAIX-Ray", () => {
  const header =
    "UID,Fold,Split,PatientID,PhysicianID,StudyDate,Age,Sex,HeartSize,PulmonaryCongestion," +
    "PleuralEffusion_Right,PleuralEffusion_Left,PulmonaryOpacities_Right,PulmonaryOpacities_Left," +
    "Atelectasis_Right,Atelectasis_Left\n";

  it("takes its grades for each side", () => {
    const { rows, preset } = read({
      "labels.csv": header + "u1,0,train,p1,d1,2020-01-01,61,F,Enlarged,(+),None,+,++,+++,None,\n",
    });
    expect(preset?.name).toBe("taix-ray");
    expect(rows[0]).toMatchObject({ patient: "p1", part: "train", ageYears: 61 });
    expect(rows[0]?.grades).toEqual({
      cardiomegaly: 3,
      congestion: 1,
      pleural_effusion_right: 0,
      pleural_effusion_left: 2,
      pneumonic_infiltration_right: 3,
      pneumonic_infiltration_left: 4,
      atelectasis_right: 0,
    });
  });

  it("takes ages in days and the parts of split.csv, as the data set's own script writes them", () => {
    const { rows, notes } = read({
      "annotation.csv":
        "UID,PatientID,PhysicianID,StudyDate,Age,Sex,HeartSize,PulmonaryCongestion," +
        "PleuralEffusion_Right,PleuralEffusion_Left,PulmonaryOpacities_Right," +
        "PulmonaryOpacities_Left,Atelectasis_Right,Atelectasis_Left\n" +
        "u1,p1,d1,2013-05-25,21915,M,2,0,2,2,0,0,2,-1\nu2,p2,d1,2013-05-03,12,F,3,4,1,0,0,0,0,0\n",
      "split.csv": "UID,Fold,Split\nu1,1,train\nu1,0,val\nu2,1,val\nu2,0,test\n",
    });
    expect(rows[0]?.ageYears).toBeCloseTo(60, 2);
    expect(rows[1]?.ageYears).toBeCloseTo(0.03, 2);
    expect(rows.map(({ part }) => part)).toEqual(["validation", "test"]);
    expect(rows[0]?.grades).toMatchObject({ cardiomegaly: 3, atelectasis_right: 2 });
    expect(rows[0]?.grades).not.toHaveProperty("atelectasis_left");
    expect(rows[1]?.grades).toMatchObject({ cardiomegaly: 4, congestion: 4 });
    expect(notes.join(" ")).toContain("Ages are in days");
  });

  it("takes a film once where it is listed for several folds", () => {
    const row = (fold: number, split: string) =>
      `u1,${fold},${split},p1,d1,2020-01-01,61,F,Normal,None,None,None,None,None,None,None\n`;
    const { rows, notes } = read({ "labels.csv": header + row(0, "test") + row(1, "train") });
    expect(rows.map(({ part }) => part)).toEqual(["test"]);
    expect(notes.join(" ")).toContain("1 row repeats a film");
  });
});

describe("any preset", () => {
  it("reads a table with a byte order mark, Windows line ends and gzip alike", () => {
    const plain = chexpert["train.csv"];
    const windows = `\uFEFF${plain.replaceAll("\n", "\r\n")}`;
    const rows = read(chexpert).rows;
    expect(read({ "train.csv": windows }).rows).toEqual(rows);
    expect(read({ "train.csv.gz": windows }).rows).toEqual(rows);
  });
});

describe("a table of one's own", () => {
  const mapping = {
    patient: "who",
    image: null,
    file: null,
    age: null,
    sex: null,
    comorbidityCount: null,
    study: null,
    view: null,
    part: "set",
    subgroups: ["site"],
    findings: {},
  };

  it("can carry folds and free subgroups without a finding", () => {
    const { rows, problems } = read({ "own.csv": "who,set,site\nA,val,North\n" }, { mapping });
    expect(problems).toEqual([]);
    expect(rows[0]).toMatchObject({ part: "validation", subgroups: { site: "North" } });
  });

  it("is refused where a subgroup has too many values", () => {
    const lines = Array.from({ length: 13 }, (_, index) => `A${index},train,v${index}`);
    const { problems } = read({ "own.csv": `who,set,site\n${lines.join("\n")}\n` }, { mapping });
    expect(problems.join(" ")).toContain('"site" has 13 values; a subgroup has at most 12');
  });

  it("is refused where a subgroup tells patients apart, and not where they share it", () => {
    const refused = read(
      { "own.csv": "who,set,site\nA,train,x1\nA,val,x1\nB,val,x2\nC,val,x3\n" },
      { mapping },
    );
    expect(refused.problems.join(" ")).toMatch(/"site" belongs to one patient alone/);
    const shared = read(
      { "own.csv": "who,set,site\nA,train,x1\nB,val,x2\nC,val,x3\nD,val,x1\n" },
      { mapping },
    );
    expect(shared.problems).toEqual([]);
  });

  it("is not read by a preset whose columns it lacks", () => {
    const { problems } = read({ "own.csv": "who,set\nA,val\n" }, { preset: "padchest" });
    expect(problems.join(" ")).toContain('PadChest has a column "ImageID"');
    expect(() => read({ "own.csv": "" })).toThrow(UserError);
  });
});

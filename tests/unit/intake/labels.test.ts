import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { proposeMapping } from "../../../src/main/intake/label-mapping.ts";
import { mappedReading } from "../../../src/main/intake/label-reading.ts";
import { readLabelTable } from "../../../src/main/intake/label-table.ts";
import { importLabels } from "../../../src/main/intake/labels.ts";
import { keptComparison } from "../../../src/main/store/comparisons.ts";
import { imageRows } from "../../../src/main/store/image-table.ts";
import { addImage, openTestStore } from "../store/fixtures.ts";

const keys = {
  patient: (identifier: string) => `p:${identifier}`,
  instance: (uid: string) => `i:${uid}`,
  fileName: (name: string) => `f:${name}`,
};

/** Both films lie in one folder. */
const pathsOf = (imageId: number) => [`/films/study1/${imageId}.dcm`];

function tableOf(text: string) {
  const file = join(mkdtempSync(join(tmpdir(), "silhouette-labels-")), "labels.csv");
  writeFileSync(file, text);
  return readLabelTable(file);
}

function cohortOfTwo() {
  const { database, cohortId } = openTestStore();
  addImage(database, cohortId, { patient: "p:A", instance: "i:1", file: "f:1.dcm", sex: "F" });
  addImage(database, cohortId, { patient: "p:B", instance: "i:2", file: "f:2.dcm" });
  const rows = () =>
    imageRows(database, {
      cohortId,
      filter: {},
      sort: { column: "id", descending: false },
      offset: 0,
      limit: 10,
    }).rows;
  return { database, cohortId, rows };
}

/** The study's labels. */
const study = { positiveAtGrade: 2, scheme: "sided" } as const;

describe("a table of labels", () => {
  it("is read with commas, semicolons or tabs, with or without a byte-order mark", () => {
    for (const [delimiter, mark] of [
      [",", ""],
      [";", "\uFEFF"],
      ["\t", ""],
    ] as const) {
      const table = tableOf(`${mark}patient_id${delimiter}cardiomegaly\nA${delimiter}3\n`);
      expect(table.rows).toEqual([{ patient_id: "A", cardiomegaly: "3" }]);
      expect(proposeMapping(table.columns, "sided").patient).toBe("patient_id");
    }
  });

  it("labels the image that a row names, and fills what the film does not say", () => {
    const { database, cohortId, rows } = cohortOfTwo();
    const table = tableOf(
      "patient_id,image_id,age,sex,comorbidity_count,cardiomegaly,pleural_effusion_left\n" +
        "A,1,61,F,2,3,0\nB,2,45,M,0,,severe\n",
    );
    const result = importLabels({
      database,
      cohortId,
      reading: mappedReading(table, null, study),
      keys,
      pathsOf,
    });
    expect(result).toMatchObject({ rows: 2, matched: 2, unmatched: [], invalid: [] });
    const [first, second] = rows();
    expect(first).toMatchObject({ ageYears: 61, sex: "F", comorbidityCount: 2 });
    expect(first?.grades).toMatchObject({ cardiomegaly: 3, pleural_effusion_left: 0 });
    expect(second).toMatchObject({ sex: "M" });
    expect(second?.grades).toMatchObject({ pleural_effusion_left: 4 });
  });

  it("never labels a film by the row of another film of the same name", () => {
    const { database, cohortId, rows } = cohortOfTwo();
    // Patient A's film lies in study1; the table speaks of a film of study2 that is not here.
    const label = (text: string) => () => {
      const reading = mappedReading(tableOf(text), null, study);
      return importLabels({ database, cohortId, reading, keys, pathsOf });
    };
    const column = "patient_id,file,cardiomegaly\n";
    expect(label(`${column}A,A/study2/1.dcm,3\n`)).toThrow(/not in this cohort/);
    expect(label(`${column}A,study2/1.dcm,3\n`)).toThrow(/not in this cohort/);
    expect(rows().map(({ grades }) => grades.cardiomegaly)).toEqual([undefined, undefined]);
    expect(label(`${column}A,study2/1.dcm,4\nA,study1/1.dcm,3\nB,2.dcm,1\n`)()).toMatchObject({
      matched: 2,
      unmatched: [{ row: 2 }],
    });
    expect(rows().map(({ grades }) => grades.cardiomegaly)).toEqual([3, 1]);
    // The outermost folder is the data set's own name, which all rows share.
    expect(label(`${column}A,Set-1/study1/1.dcm,3\nB,Set-1/study1/2.dcm,0\n`)()).toMatchObject({
      matched: 2,
    });
    expect(rows().map(({ grades }) => grades.cardiomegaly)).toEqual([3, 0]);
  });

  it("is imported twice without adding a reading", () => {
    const { database, cohortId } = cohortOfTwo();
    const table = tableOf("image_id,cardiomegaly\n1,3\n2,0\n");
    importLabels({ database, cohortId, reading: mappedReading(table, null, study), keys, pathsOf });
    importLabels({ database, cohortId, reading: mappedReading(table, null, study), keys, pathsOf });
    expect(database.prepare("SELECT count(*) FROM reading").pluck().get()).toBe(2);
  });

  it("lists rows that fit no film, cannot be read or contradict another, and takes none of them", () => {
    const { database, cohortId, rows } = cohortOfTwo();
    const table = tableOf(
      "patient_id,image_id,cardiomegaly\nA,1,3\nA,7,3\nB,1,3\nB,2,many\nA,1,0\n",
    );
    const result = importLabels({
      database,
      cohortId,
      reading: mappedReading(table, null, study),
      keys,
      pathsOf,
    });
    expect(result.matched).toBe(1);
    expect(result.unmatched).toEqual([
      { row: 3, reason: "the film is not in this cohort" },
      { row: 4, reason: "the film belongs to another patient" },
    ]);
    expect(result.invalid.map((entry) => entry.row)).toEqual([5, 6]);
    expect(rows()[0]?.grades.cardiomegaly).toBe(3);
    expect(rows()[1]?.grades.cardiomegaly).toBeUndefined();
  });

  it("keeps the film's sex where the table says another, and says so", () => {
    const { database, cohortId, rows } = cohortOfTwo();
    const table = tableOf("image_id,sex,cardiomegaly\n1,M,0\n");
    const result = importLabels({
      database,
      cohortId,
      reading: mappedReading(table, null, study),
      keys,
      pathsOf,
    });
    expect(result.invalid[0]?.reason).toMatch(/differs from the film's F/);
    expect(rows()[0]?.sex).toBe("F");
  });

  it("with unknown columns or patients is refused with what was expected, and changes nothing", () => {
    const { database, cohortId } = cohortOfTwo();
    const attempt = (text: string) => () =>
      importLabels({
        database,
        cohortId,
        reading: mappedReading(tableOf(text), null, study),
        keys,
        pathsOf,
      });
    expect(attempt("name,score\nA,1\n")).toThrow(/No column names the film/);
    expect(attempt("patient_id,score\nA,1\n")).toThrow(/No column carries a finding/);
    expect(attempt("patient_id,cardiomegaly\nZ,1\n")).toThrow(/No row of labels.csv fits/);
    expect(database.prepare("SELECT count(*) FROM reading").pluck().get()).toBe(0);
  });

  it("makes the cohort's comparisons forgotten, since they were computed from other labels", () => {
    const { database, cohortId } = cohortOfTwo();
    database.exec(
      `INSERT INTO split (id, cohort_id, created_at, train_fraction, validation_fraction,
         test_fraction) VALUES (1, ${cohortId}, 'now', 0.7, 0.1, 0.2);
       INSERT INTO run (id, cohort_id, split_id, kind, state, plan, created_at)
         VALUES ('p-1', ${cohortId}, 1, 'private', 'finished', '{}', 'now');
       INSERT INTO comparison VALUES ('p-1', '', '{"of": "this cohort"}', 'now');
       INSERT INTO comparison VALUES ('p-9', '', '{"of": "another cohort"}', 'now');`,
    );
    importLabels({
      database,
      cohortId,
      reading: mappedReading(tableOf("image_id,cardiomegaly\n1,3\n"), null, study),
      keys,
      pathsOf,
    });
    expect(keptComparison(database, "p-1", null)).toBeNull();
    expect(keptComparison(database, "p-9", null)).not.toBeNull();
  });

  it("never has a reading changed or deleted", () => {
    const { database, cohortId } = cohortOfTwo();
    const table = tableOf("image_id,cardiomegaly\n1,3\n");
    importLabels({ database, cohortId, reading: mappedReading(table, null, study), keys, pathsOf });
    expect(() => database.exec("UPDATE reading SET grades = '{}'")).toThrow(/append-only/);
    expect(() => database.exec("DELETE FROM reading")).toThrow(/append-only/);
  });
});

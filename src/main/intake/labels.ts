import { basename } from "node:path";
import type { LabelMapping } from "../../shared/contract.ts";
import type { LabelImportResult } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { forgetComparisons } from "../store/comparisons.ts";
import { transaction, type Database } from "../store/database.ts";
import { imageFinder, labelWriter } from "../store/labels.ts";
import {
  mappingProblems,
  proposeMapping,
  readLabelRow,
  type LabelRow,
  type LabelTable,
} from "./label-table.ts";

/** Pseudonyms as intake gave them, so that a table's identifiers can be matched to images. */
export interface LabelKeys {
  readonly patient: (identifier: string) => string;
  readonly instance: (uid: string) => string;
  readonly fileName: (name: string) => string;
}

export interface LabelImport {
  readonly database: Database;
  readonly cohortId: number;
  readonly table: LabelTable;
  readonly keys: LabelKeys;
  /** Null takes the columns by their names. */
  readonly mapping: LabelMapping | null;
  readonly onProgress?: (done: number, total: number) => void;
}

interface Matched {
  readonly row: number;
  readonly values: LabelRow;
  readonly images: readonly number[];
}

const reader = "table";

/**
 * Imports a table of labels: each row becomes a reading of the images that it names, by image
 * identifier, else by file name, else by patient (all images of the patient). All readings are
 * written in one transaction. Importing the same table again changes nothing.
 *
 * @throws UserError "input" where the mapping does not fit the table, or no row matches.
 */
export function importLabels(task: LabelImport): LabelImportResult {
  const { database, cohortId, table, keys } = task;
  const mapping = task.mapping ?? proposeMapping(table.columns);
  const problems = mappingProblems(table, mapping);
  if (problems.length > 0) throw new UserError("input", `${table.name}: ${problems.join(" ")}`);

  const finder = imageFinder(database, cohortId);
  const unmatched: { row: number; reason: string }[] = [];
  const invalid: { row: number; reason: string }[] = [];
  const matched: Matched[] = [];
  const claimed = new Map<number, Matched>();

  table.rows.forEach((cells, index) => {
    // The header is line 1, as a spreadsheet counts.
    const row = index + 2;
    const read = readLabelRow(cells, mapping);
    if ("problem" in read) {
      invalid.push({ row, reason: read.problem });
      return;
    }
    const found = imagesOf(read.row, finder, keys);
    if ("problem" in found) {
      unmatched.push({ row, reason: found.problem });
      return;
    }
    const contradiction = found.images
      .map((image) => claimed.get(image))
      .find((other) => other !== undefined && !sameGrades(other.values, read.row));
    if (contradiction !== undefined) {
      invalid.push({
        row,
        reason: `contradicts row ${contradiction.row}, which labels the same image; neither its grades nor its attributes were taken`,
      });
      return;
    }
    const match = { row, values: read.row, images: found.images };
    matched.push(match);
    for (const image of found.images) claimed.set(image, match);
  });

  if (matched.length === 0) {
    const first = unmatched[0] ?? invalid[0];
    throw new UserError(
      "input",
      `No row of ${table.name} fits an image of this cohort` +
        (first === undefined ? "." : ` (row ${first.row}: ${first.reason}).`) +
        " Import the films first, and check which columns name the film and the patient.",
    );
  }

  transaction(database, () => {
    const writer = labelWriter(database);
    const source = `table ${table.fingerprint}`;
    matched.forEach(({ row, values, images }, index) => {
      for (const imageId of images) {
        if (Object.keys(values.grades).length > 0) {
          writer.addReading({ imageId, reader, source, grades: values.grades });
        }
        if (values.ageYears !== null) writer.fillAge(imageId, values.ageYears);
      }
      const patients = new Set(images.map((imageId) => finder.patientOf(imageId).id));
      for (const patient of patients) {
        if (values.comorbidityCount !== null) {
          writer.setAttribute(patient, "comorbidity_count", values.comorbidityCount, source);
        }
        const stored = values.sex === null ? null : writer.fillSex(patient, values.sex);
        if (stored !== null) {
          invalid.push({
            row,
            reason: `sex ${values.sex} differs from the film's ${stored}; the film's was kept`,
          });
        }
      }
      if (index % 500 === 0) task.onProgress?.(index, matched.length);
    });
    // With the labels, so that no figure outlives what it was computed from.
    forgetComparisons(database, cohortId);
  });
  task.onProgress?.(matched.length, matched.length);
  return { rows: table.rows.length, matched: matched.length, unmatched, invalid };
}

function sameGrades(a: LabelRow, b: LabelRow): boolean {
  return JSON.stringify(a.grades) === JSON.stringify(b.grades);
}

function imagesOf(
  row: LabelRow,
  finder: ReturnType<typeof imageFinder>,
  keys: LabelKeys,
): { readonly images: readonly number[] } | { readonly problem: string } {
  const patient = row.patient === null ? null : keys.patient(row.patient);
  const named = imagesNamed(row, finder, keys);
  if (named === null) {
    if (patient === null) return { problem: "names neither a film nor a patient" };
    const images = finder.byPatient(patient);
    return images.length > 0 ? { images } : { problem: "the patient has no image in this cohort" };
  }
  if (named.length === 0) return { problem: "the film is not in this cohort" };
  // Two folders may hold files of one name: the patient then tells which is meant.
  const ofPatient =
    patient === null
      ? named
      : named.filter((image) => finder.patientOf(image).pseudonym === patient);
  if (ofPatient.length === 0) return { problem: "the film belongs to another patient" };
  if (ofPatient.length > 1) return { problem: "the name fits more than one film" };
  return { images: ofPatient };
}

/** Images by identifier or file name; null where the row has neither. */
function imagesNamed(
  row: LabelRow,
  finder: ReturnType<typeof imageFinder>,
  keys: LabelKeys,
): readonly number[] | null {
  if (row.image !== null) {
    const images = finder.byInstance(keys.instance(row.image));
    if (images.length > 0 || row.file === null) return images;
  }
  if (row.file !== null) return finder.byFileName(keys.fileName(basename(row.file)));
  return null;
}

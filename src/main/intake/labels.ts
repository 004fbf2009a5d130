import type { RowProblem } from "../../shared/contract.ts";
import type { LabelImportResult } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { forgetComparisons } from "../store/comparisons.ts";
import { transaction, type Database } from "../store/database.ts";
import { imageFinder, labelWriter } from "../store/labels.ts";
import { foldersFit, partsOf, sharedFolder } from "./folders.ts";
import type { LabelReading } from "./label-reading.ts";
import type { LabelRow } from "./label-row.ts";

/** Pseudonyms as intake gave them, so that a table's identifiers can be matched to images. */
export interface LabelKeys {
  readonly patient: (identifier: string) => string;
  readonly instance: (uid: string) => string;
  readonly fileName: (name: string) => string;
}

export interface LabelImport {
  readonly database: Database;
  readonly cohortId: number;
  readonly reading: LabelReading;
  readonly keys: LabelKeys;
  /** The paths from which an image was imported, as far as they are known. */
  readonly pathsOf: (imageId: number) => readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a table fits, worked out without writing anything. */
export interface LabelMatch {
  readonly matched: readonly Matched[];
  readonly unmatched: readonly RowProblem[];
  readonly invalid: readonly RowProblem[];
  /** Included films of the cohort that no row names. */
  readonly filmsWithoutRow: readonly number[];
}

interface Matched {
  readonly values: LabelRow;
  readonly images: readonly number[];
}

const reader = "table";
const pathsListed = 200;

/**
 * Finds the films that each row names: by image identifier, else by file name, else by patient (all
 * images of the patient). Folders that a row gives before a file name must be the film's own.
 */
export function matchLabels({
  database,
  cohortId,
  reading,
  keys,
  pathsOf,
}: Omit<LabelImport, "onProgress">): LabelMatch {
  const finder = imageFinder(database, cohortId);
  const names: FilmNames = { finder, keys, pathsOf, shared: sharedFolder(reading.rows) };
  const unmatched: RowProblem[] = [];
  const invalid: RowProblem[] = [...reading.invalid];
  const matched: Matched[] = [];
  const claimed = new Map<number, Matched>();
  for (const values of reading.rows) {
    const row = values.line;
    const found = imagesOf(values, names);
    if ("problem" in found) {
      unmatched.push({ row, reason: found.problem });
      continue;
    }
    const contradiction = found.images
      .map((image) => claimed.get(image))
      .find((other) => other !== undefined && !sameGrades(other.values, values));
    if (contradiction !== undefined) {
      invalid.push({
        row,
        reason: `contradicts row ${contradiction.values.line}, which labels the same image; neither its grades nor its attributes were taken`,
      });
      continue;
    }
    const match = { values, images: found.images };
    matched.push(match);
    for (const image of found.images) claimed.set(image, match);
  }
  const filmsWithoutRow = finder.includedImages().filter((image) => !claimed.has(image));
  return { matched, unmatched, invalid, filmsWithoutRow };
}

/**
 * Imports a table of labels: each row becomes a reading of the images that it names, and fills
 * what the films do not say themselves. All is written in one transaction. Importing the same
 * table again changes nothing.
 *
 * @throws UserError "input" where the table cannot be read as chosen, or no row matches.
 */
export function importLabels(task: LabelImport): LabelImportResult {
  const { database, cohortId, reading } = task;
  const { table, problems, source } = reading;
  if (problems.length > 0) throw new UserError("input", `${table.name}: ${problems.join(" ")}`);
  const { matched, unmatched, invalid: unreadable, filmsWithoutRow } = matchLabels(task);
  const invalid = [...unreadable];
  if (matched.length === 0) throw nothingFits(table.name, unmatched[0] ?? invalid[0]);

  transaction(database, () => {
    const writer = labelWriter(database);
    const finder = imageFinder(database, cohortId);
    matched.forEach(({ values, images }, index) => {
      for (const imageId of images) {
        for (const single of values.readings) {
          const of = { imageId, source, reader: single.reader, grades: single.grades };
          if (Object.keys(single.grades).length > 0) writer.addReading(of, false);
        }
        if (Object.keys(values.grades).length > 0) {
          writer.addReading({ imageId, reader, source, grades: values.grades });
        }
        if (values.ageYears !== null) writer.fillAge(imageId, values.ageYears, source);
        if (values.part !== null) writer.setFold(imageId, values.part, source);
        for (const [name, value] of Object.entries(values.subgroups)) {
          writer.setSubgroup(imageId, name, value, source);
        }
      }
      const patients = new Set(images.map((imageId) => finder.patientOf(imageId).id));
      for (const patient of patients) {
        if (values.comorbidityCount !== null) {
          writer.setAttribute(patient, "comorbidity_count", values.comorbidityCount, source);
        }
        const stored = values.sex === null ? null : writer.fillSex(patient, values.sex, source);
        if (stored !== null) {
          invalid.push({
            row: values.line,
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
  return {
    rows: reading.rows.length + reading.invalid.length,
    matched: matched.length,
    source,
    filmsWithoutRow: {
      count: filmsWithoutRow.length,
      first: filmsWithoutRow
        .slice(0, pathsListed)
        .map((image) => task.pathsOf(image)[0] ?? `image ${image}`),
    },
    unmatched,
    invalid,
  };
}

function nothingFits(name: string, first: RowProblem | undefined): UserError {
  const example = first === undefined ? "." : ` (row ${first.row}: ${first.reason}).`;
  return new UserError(
    "input",
    `No row of ${name} fits an image of this cohort${example} Import the films first, and check ` +
      "which columns name the film and the patient.",
  );
}

function sameGrades(a: LabelRow, b: LabelRow): boolean {
  return JSON.stringify(a.grades) === JSON.stringify(b.grades);
}

type Finder = ReturnType<typeof imageFinder>;

/** What the names in a table are looked up with. */
interface FilmNames extends Pick<LabelImport, "keys" | "pathsOf"> {
  readonly finder: Finder;
  /** The outermost folder that all rows share; the films need not have it. */
  readonly shared: string | null;
}

function imagesOf(
  row: LabelRow,
  names: FilmNames,
): { readonly images: readonly number[] } | { readonly problem: string } {
  const { finder, keys } = names;
  const patient = row.patient === null ? null : keys.patient(row.patient);
  const named = imagesNamed(row, names);
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

/** Endings that a data set's own name of a film may lack. */
const endings = ["", ".dcm", ".dicom", ".png", ".jpg", ".jpeg"];

/** Images by identifier or file name; null where the row has neither. */
function imagesNamed(row: LabelRow, films: FilmNames): readonly number[] | null {
  const { finder, keys } = films;
  const names = [row.image, row.file].filter((name) => name !== null);
  if (names.length === 0) return null;
  // Films that came with a table bear the name that the table gives them.
  for (const name of names) {
    const images = finder.byInstance(keys.instance(name));
    if (images.length > 0) return images;
  }
  for (const path of names.toReversed()) {
    const folders = partsOf(path);
    const name = folders.pop() ?? "";
    for (const ending of endings) {
      const images = finder
        .byFileName(keys.fileName(`${name}${ending}`))
        .filter((image) => liesIn(image, folders, films));
      if (images.length > 0) return images;
    }
  }
  return [];
}

/**
 * Whether a film lies in the folders that a row gives. Data sets call many films by one name
 * ("study1/view1.dcm", "study2/view1.dcm"): where one of them is missing, its row must not label
 * another.
 */
function liesIn(image: number, wanted: readonly string[], { pathsOf, shared }: FilmNames): boolean {
  const inner = shared !== null && wanted[0] === shared ? wanted.slice(1) : wanted;
  return (
    inner.length === 0 ||
    pathsOf(image).some((path) => foldersFit(inner, partsOf(path).slice(0, -1)))
  );
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "csv-parse/sync";
import type { LabelMapping } from "../../shared/contract.ts";
import { messageOf, UserError } from "../../shared/errors.ts";
import {
  findingKeys,
  findings,
  gradeTitles,
  type FindingKey,
  type Grade,
} from "../../shared/findings.ts";
import type { Sex } from "../../shared/subgroups.ts";

/** A table of labels as read from a file: every cell is text. */
export interface LabelTable {
  readonly name: string;
  /** Names the content, so that readings can say where they came from without naming the file. */
  readonly fingerprint: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** What one row says, once its mapping has been applied. */
export interface LabelRow {
  readonly image: string | null;
  readonly file: string | null;
  readonly patient: string | null;
  readonly ageYears: number | null;
  readonly sex: Sex | null;
  readonly comorbidityCount: number | null;
  /** Only the findings that the row has a value for. */
  readonly grades: Readonly<Partial<Record<FindingKey, Grade>>>;
}

/**
 * Reads a comma-, semicolon- or tab-separated file in UTF-8 with a header line.
 *
 * @throws UserError "input" where the file cannot be read as such a table.
 */
export function readLabelTable(path: string): LabelTable {
  const content = contentOf(path);
  const name = basename(path);
  const firstLine = content.subarray(0, 65_536).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
  const delimiter = [",", ";", "\t"].toSorted(
    (a, b) => firstLine.split(b).length - firstLine.split(a).length,
  )[0] as string;
  let records: string[][];
  try {
    records = parse(content, {
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: 1_000_000,
    });
  } catch (thrown) {
    throw new UserError(
      "input",
      `${name} could not be read as a table: ${messageOf(thrown)}. Save it as CSV in UTF-8 and try again.`,
      { cause: thrown },
    );
  }
  const header = records[0];
  if (header === undefined || header.length < 2) {
    throw new UserError(
      "input",
      `${name} has no header line with at least two columns. The first line must name the columns.`,
    );
  }
  const repeated = header.find((column, index) => header.indexOf(column) !== index);
  if (repeated !== undefined) {
    throw new UserError(
      "input",
      `${name} has two columns named "${repeated}". Rename one of them and try again.`,
    );
  }
  return {
    name,
    fingerprint: createHash("sha256").update(content).digest("hex").slice(0, 16),
    columns: header,
    rows: records
      .slice(1)
      .map((cells) => Object.fromEntries(header.map((column, i) => [column, cells[i] ?? ""]))),
  };
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new UserError(
      "input",
      `${basename(path)} could not be read: ${messageOf(thrown)}. Check the path and your permission.`,
      { cause: thrown },
    );
  }
}

const synonyms: Readonly<Record<Exclude<keyof LabelMapping, "findings">, readonly string[]>> = {
  patient: ["patient_id", "patientid", "patient", "subject_id", "pat_id"],
  image: ["image_id", "sopinstanceuid", "sop_instance_uid", "instance_uid", "uid", "image_uid"],
  file: ["file", "filename", "file_name", "path", "image_file"],
  age: ["age", "age_years", "patient_age", "patientage"],
  sex: ["sex", "gender", "patient_sex", "patientsex"],
  comorbidityCount: ["comorbidity_count", "comorbidities", "comorbidity", "co_morbidities"],
};

/** The meaning of the columns as far as their names tell it. */
export function proposeMapping(columns: readonly string[]): LabelMapping {
  const normalised = columns.map((column) => column.toLowerCase().replaceAll(/[\s-]+/g, "_"));
  const columnNamed = (names: readonly string[]): string | null => {
    for (const name of names) {
      const index = normalised.indexOf(name);
      if (index >= 0) return columns[index] ?? null;
    }
    return null;
  };
  const findingColumns: Partial<Record<FindingKey, string>> = {};
  for (const key of findingKeys) {
    const column = columnNamed([key, `${key}_grade`]);
    if (column !== null) findingColumns[key] = column;
  }
  return {
    patient: columnNamed(synonyms.patient),
    image: columnNamed(synonyms.image),
    file: columnNamed(synonyms.file),
    age: columnNamed(synonyms.age),
    sex: columnNamed(synonyms.sex),
    comorbidityCount: columnNamed(synonyms.comorbidityCount),
    findings: findingColumns,
  };
}

/** Why a table cannot be imported with this mapping; empty where it can. */
export function mappingProblems(table: LabelTable, mapping: LabelMapping): string[] {
  const problems: string[] = [];
  const mapped = [
    mapping.patient,
    mapping.image,
    mapping.file,
    mapping.age,
    mapping.sex,
    mapping.comorbidityCount,
    ...Object.values(mapping.findings),
  ].filter((column) => column !== null);
  for (const column of mapped) {
    if (!table.columns.includes(column)) problems.push(`There is no column "${column}".`);
  }
  const twice = mapped.find((column, index) => mapped.indexOf(column) !== index);
  if (twice !== undefined) problems.push(`The column "${twice}" is mapped twice.`);
  if (mapping.image === null && mapping.file === null && mapping.patient === null) {
    problems.push(
      "No column names the film: map the image identifier, the file name or the patient. " +
        `The columns are: ${table.columns.join(", ")}.`,
    );
  }
  if (Object.keys(mapping.findings).length === 0) {
    problems.push(
      `No column carries a finding. Expected one or more of: ${findingKeys.join(", ")}.`,
    );
  }
  if (table.rows.length === 0) problems.push("The table has no rows below its header.");
  return problems;
}

/**
 * Applies a mapping to one row.
 *
 * @returns what the row says, or the reason why it cannot be read; the reason names the column and
 *   never repeats an identifier.
 */
export function readLabelRow(
  cells: Readonly<Record<string, string>>,
  mapping: LabelMapping,
): { readonly row: LabelRow } | { readonly problem: string } {
  const cell = (column: string | null | undefined): string | null => {
    if (column === null || column === undefined) return null;
    const text = cells[column]?.trim() ?? "";
    return text === "" ? null : text;
  };
  const grades: Partial<Record<FindingKey, Grade>> = {};
  for (const { key, title } of findings) {
    const text = cell(mapping.findings[key]);
    if (text === null) continue;
    const grade = gradeOf(text);
    if (grade === null) {
      return {
        problem: `${title}: "${text}" is not a grade; expected 0 to 4 or ${gradeTitles.join(", ")}`,
      };
    }
    grades[key] = grade;
  }
  const ageText = cell(mapping.age);
  const ageYears = ageText === null ? null : Number(ageText.replace(/y$/i, ""));
  if (ageYears !== null && !(ageYears >= 0 && ageYears <= 130)) {
    return { problem: `age: "${ageText}" is not a number of years from 0 to 130` };
  }
  const sexText = cell(mapping.sex);
  const sex = sexText === null ? null : sexOf(sexText);
  if (sexText !== null && sex === null) {
    return { problem: `sex: "${sexText}" is not one of F, M, O` };
  }
  const comorbidityText = cell(mapping.comorbidityCount);
  const comorbidityCount = comorbidityText === null ? null : Number(comorbidityText);
  if (comorbidityCount !== null && !(Number.isInteger(comorbidityCount) && comorbidityCount >= 0)) {
    return { problem: `co-morbidity count: "${comorbidityText}" is not a whole number` };
  }
  return {
    row: {
      image: cell(mapping.image),
      file: cell(mapping.file),
      patient: cell(mapping.patient),
      ageYears,
      sex,
      comorbidityCount,
      grades,
    },
  };
}

function gradeOf(text: string): Grade | null {
  const named = gradeTitles.indexOf(text.toLowerCase());
  const value = named >= 0 ? named : /^[0-4](\.0+)?$/.test(text) ? Number(text) : null;
  return value as Grade | null;
}

function sexOf(text: string): Sex | null {
  const first = text.trim().toUpperCase();
  if (["F", "FEMALE", "W"].includes(first)) return "F";
  if (["M", "MALE"].includes(first)) return "M";
  if (["O", "OTHER", "D", "DIVERSE"].includes(first)) return "O";
  return null;
}

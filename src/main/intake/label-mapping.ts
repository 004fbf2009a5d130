import type { LabelMapping, RowProblem } from "../../shared/contract.ts";
import {
  besideNoFinding,
  gradeTitles,
  keysOf,
  mappableFindings,
  titleIn,
  type FindingKey,
  type Grade,
  type Scheme,
} from "../../shared/findings.ts";
import { columnSynonyms, keyOfName, labelsOfColumns } from "../../shared/own-labels.ts";
import { ageOfText, cellText, gradeOf, partOf, sexOf, type LabelRow } from "./label-row.ts";
import type { LabelTable } from "./label-table.ts";
import { statedIn, type LabelState } from "./presets/preset.ts";

/** Most values of a free subgroup: with more, no group is large enough to say anything of. */
export const mostSubgroupValues = 12;

/** The meaning of the columns as far as their names tell it. */
export function proposeMapping(columns: readonly string[], scheme: Scheme): LabelMapping {
  const normalised = columns.map((column) => column.toLowerCase().replaceAll(/[\s-]+/g, "_"));
  const columnNamed = (names: readonly string[]): string | null => {
    for (const name of names) {
      const index = normalised.indexOf(name);
      if (index >= 0) return columns[index] ?? null;
    }
    return null;
  };
  const findingColumns: Record<FindingKey, string> = {};
  const labels = labelsOfColumns(columns).map(({ name, side }) =>
    side === null ? keyOfName(name) : `${keyOfName(name)}_${side}`,
  );
  for (const key of mappableFindings(scheme)) {
    const column = columnNamed([key, `${key}_grade`]) ?? columns[labels.indexOf(key)] ?? null;
    if (column !== null) findingColumns[key] = column;
  }
  return {
    patient: columnNamed(columnSynonyms.patient),
    image: columnNamed(columnSynonyms.image),
    file: columnNamed(columnSynonyms.file),
    age: columnNamed(columnSynonyms.age),
    sex: columnNamed(columnSynonyms.sex),
    comorbidityCount: columnNamed(columnSynonyms.comorbidityCount),
    study: columnNamed(columnSynonyms.study),
    view: columnNamed(columnSynonyms.view),
    // Folds are taken only when a person says so: any column may be called "split".
    part: null,
    subgroups: [],
    findings: findingColumns,
  };
}

/** Why a table cannot be read with this mapping; empty where it can. */
export function mappingProblems(
  table: LabelTable,
  mapping: LabelMapping,
  scheme: Scheme,
): string[] {
  const problems: string[] = [];
  const mapped = [
    mapping.patient,
    mapping.image,
    mapping.file,
    mapping.age,
    mapping.sex,
    mapping.comorbidityCount,
    mapping.study,
    mapping.view,
    mapping.part,
    ...mapping.subgroups,
    ...Object.values(mapping.findings),
  ].filter((column) => column !== null);
  for (const column of mapped) {
    if (!table.columns.includes(column)) problems.push(`There is no column "${column}".`);
  }
  const twice = mapped.find((column, index) => mapped.indexOf(column) !== index);
  if (twice !== undefined) problems.push(`The column "${twice}" is mapped twice.`);
  const carried = mappableFindings(scheme);
  for (const key of Object.keys(mapping.findings)) {
    if (!carried.includes(key)) problems.push(`The cohort has no label "${key}".`);
  }
  if (mapping.image === null && mapping.file === null && mapping.patient === null) {
    problems.push(
      "No column names the film: map the image identifier, the file name or the patient. " +
        `The columns are: ${table.columns.join(", ")}.`,
    );
  }
  if (!carriesAnything(mapping)) {
    problems.push(
      `No column carries a finding. Expected one or more of: ${keysOf(scheme).join(", ")}.`,
    );
  }
  if (table.rows.length === 0) problems.push("The table has no rows below its header.");
  for (const column of mapping.subgroups) {
    const values = new Set(table.rows.map((cells) => cellText(cells[column])));
    values.delete(null);
    if (values.size > mostSubgroupValues) {
      problems.push(
        `The column "${column}" has ${values.size} values; a subgroup has at most ` +
          `${mostSubgroupValues}. Put values together, or leave the column out.`,
      );
    } else if (namesSinglePatients(table, mapping, column)) {
      problems.push(
        `Each value of the column "${column}" belongs to one patient alone, as an identifier does. ` +
          "A subgroup is shared by several patients. Leave the column out.",
      );
    }
  }
  return problems;
}

/** Whether a column tells patients apart (rows, where no column names the patient): it is no group. */
function namesSinglePatients(table: LabelTable, mapping: LabelMapping, column: string): boolean {
  const { patient } = mapping;
  const owners = new Map<string, string | number>();
  for (const [index, cells] of table.rows.entries()) {
    const value = cellText(cells[column]);
    if (value === null) continue;
    const owner = patient === null ? index : (cellText(cells[patient]) ?? index);
    if (owners.has(value) && owners.get(value) !== owner) return false;
    owners.set(value, owner);
  }
  return owners.size >= 3;
}

/** A table without findings can still give attributes, subgroups or folds. */
function carriesAnything(mapping: LabelMapping): boolean {
  const { age, sex, comorbidityCount, part, subgroups, findings: graded } = mapping;
  const attributes = [age, sex, comorbidityCount, part, ...subgroups];
  return Object.keys(graded).length > 0 || attributes.some((column) => column !== null);
}

/** Applies a mapping to all rows: each is read, or listed with the reason why it cannot be. */
export function readMappedRows(
  table: LabelTable,
  mapping: LabelMapping,
  { positiveAtGrade, scheme, gradeOfState }: MappedReading,
): { readonly rows: readonly LabelRow[]; readonly invalid: readonly RowProblem[] } {
  const rows: LabelRow[] = [];
  const invalid: RowProblem[] = [];
  const binary = gradeOfState === null ? [] : statedColumns(table, mapping);
  const states: States | null =
    gradeOfState === null ? null : { columns: new Set(binary), gradeOf: gradeOfState };
  table.rows.forEach((cells, index) => {
    const line = index + 2;
    const read = readMappedRow(cells, mapping, { line, positiveAtGrade, scheme, states });
    if ("problem" in read) invalid.push({ row: line, reason: read.problem });
    else rows.push(read.row);
  });
  return { rows, invalid };
}

/** How the columns of findings are to be read. */
export interface MappedReading {
  /** The cohort's grade from which a finding counts as positive. */
  readonly positiveAtGrade: number;
  /** The cohort's set of labels. */
  readonly scheme: Scheme;
  /**
   * The grade of a label that is only positive, negative or uncertain; null takes every column as
   * grades, so that 1 is grade 1.
   */
  readonly gradeOfState: ((state: LabelState | null) => Grade | null) | null;
}

interface States {
  /** The columns that hold nothing but 0, 1 and -1, or words for them. */
  readonly columns: ReadonlySet<string>;
  readonly gradeOf: (state: LabelState | null) => Grade | null;
}

interface RowReading {
  readonly line: number;
  readonly positiveAtGrade: number;
  readonly scheme: Scheme;
  readonly states: States | null;
}

/** The mapped columns of findings that hold nothing but states and blanks: no grades. */
export function statedColumns(table: LabelTable, mapping: LabelMapping): readonly string[] {
  return Object.values(mapping.findings).filter((column) =>
    table.rows.every((cells) => {
      const text = cellText(cells[column]);
      return text === null || statedIn(text) !== null;
    }),
  );
}

/** Why a row that says that there is no finding, and names one, cannot be taken; null where it can. */
function besideNothing(
  grades: Readonly<Record<FindingKey, Grade>>,
  { scheme, positiveAtGrade }: Pick<MappedReading, "scheme" | "positiveAtGrade">,
): string | null {
  const isPositive = (key: FindingKey): boolean => (grades[key] ?? 0) >= positiveAtGrade;
  if (!isPositive("no_finding")) return null;
  const other = mappableFindings(scheme).find(
    (key) => key !== "no_finding" && !besideNoFinding.includes(key) && isPositive(key),
  );
  return other === undefined ? null : `says no finding, and names one: ${titleIn(scheme, other)}`;
}

function readMappedRow(
  cells: Readonly<Record<string, string>>,
  mapping: LabelMapping,
  { line, positiveAtGrade, scheme, states }: RowReading,
): { readonly row: LabelRow } | { readonly problem: string } {
  const cell = (column: string | null | undefined): string | null =>
    column === null || column === undefined ? null : cellText(cells[column]);
  const grades: Record<FindingKey, Grade> = {};
  for (const [key, column] of Object.entries(mapping.findings)) {
    const text = cell(column);
    if (text === null) continue;
    if (states?.columns.has(column) === true) {
      const stated = states.gradeOf(statedIn(text));
      if (stated !== null) grades[key] = stated;
      continue;
    }
    const grade = gradeOf(text);
    if (grade === null) {
      return {
        problem: `${titleIn(scheme, key)}: "${text}" is not a grade; expected 0 to 4 or ${gradeTitles.join(", ")}`,
      };
    }
    grades[key] = grade;
  }
  const contradiction = besideNothing(grades, { scheme, positiveAtGrade });
  if (contradiction !== null) return { problem: contradiction };
  const ageText = cell(mapping.age);
  const ageYears = ageOfText(ageText);
  if (ageText !== null && ageYears === null) {
    return { problem: `age: "${ageText}" is not a number of years from 0 to 130` };
  }
  const sexText = cell(mapping.sex);
  const sex = sexOf(sexText);
  if (sexText !== null && sex === null) {
    return { problem: `sex: "${sexText}" is not one of F, M, O` };
  }
  const comorbidityText = cell(mapping.comorbidityCount);
  const comorbidityCount = comorbidityText === null ? null : Number(comorbidityText);
  if (comorbidityCount !== null && !(Number.isInteger(comorbidityCount) && comorbidityCount >= 0)) {
    return { problem: `co-morbidity count: "${comorbidityText}" is not a whole number` };
  }
  const partText = cell(mapping.part);
  const part = partOf(partText);
  if (partText !== null && part === null) {
    return { problem: `split: "${partText}" is not one of train, validation, test` };
  }
  const subgroups = mapping.subgroups.flatMap((column) => {
    const value = cell(column);
    return value === null ? [] : [[column, value] as const];
  });
  return {
    row: {
      line,
      image: cell(mapping.image),
      file: cell(mapping.file),
      patient: cell(mapping.patient),
      study: cell(mapping.study),
      viewPosition: cell(mapping.view)?.toUpperCase() ?? null,
      bodyPart: null,
      ageYears,
      sex,
      comorbidityCount,
      part,
      grades,
      readings: [],
      subgroups: Object.fromEntries(subgroups),
    },
  };
}

import { formatCounted } from "../../shared/format.ts";
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type {
  ColumnMeaning,
  FindingTally,
  LabelMapping,
  PresetName,
  RowProblem,
  UncertainPolicy,
} from "../../shared/contract.ts";
import { UserError } from "../../shared/errors.ts";
import {
  findingKeys,
  findingNamed,
  hasStudyLabels,
  keysOf,
  type FindingKey,
  type Grade,
  type Scheme,
} from "../../shared/findings.ts";
import { mappingProblems, proposeMapping, readMappedRows, statedColumns } from "./label-mapping.ts";
import type { LabelRow } from "./label-row.ts";
import { gradesInScheme } from "./sides.ts";
import { readLabelTable, readNameList, type LabelTable } from "./label-table.ts";
import { presets, recognisePreset } from "./presets/index.ts";
import { sidelessKeys, type LabelState, type Preset, type PresetRow } from "./presets/preset.ts";

/** How a table is to be read. */
export interface LabelReadingOptions {
  /** "own": by the mapping, whatever the columns look like. Null: as recognised. */
  readonly preset: PresetName | "own" | null;
  /** For an own table; null takes the columns by their names. */
  readonly mapping: LabelMapping | null;
  readonly uncertain: UncertainPolicy;
  /** The cohort's grade from which a finding counts as positive. */
  readonly positiveAtGrade: number;
  /** The cohort's set of labels. */
  readonly scheme: Scheme;
}

/** A table as understood, before it is matched with films. */
export interface LabelReading {
  readonly table: LabelTable;
  readonly preset: Preset | null;
  readonly mapping: LabelMapping;
  readonly meanings: readonly ColumnMeaning[];
  readonly rows: readonly LabelRow[];
  readonly invalid: readonly RowProblem[];
  /** What a person should know before it is imported. */
  readonly notes: readonly string[];
  /** Why it cannot be imported; empty where it can. */
  readonly problems: readonly string[];
  readonly tally: readonly FindingTally[];
  readonly imageStandsForPatient: boolean;
  /** Where readings and attributes say that they came from. */
  readonly source: string;
}

/**
 * Reads a table of labels by a preset or by a mapping of its columns.
 *
 * @throws UserError "input" where the file or one that belongs to it cannot be read.
 */
export function readLabels(file: string, options: LabelReadingOptions): LabelReading {
  const table = readLabelTable(file);
  const preset = presetOf(table, options);
  return preset === null
    ? mappedReading(table, options.mapping, options)
    : presetReading(table, preset, dirname(file), options);
}

function presetOf(table: LabelTable, { preset, mapping }: LabelReadingOptions): Preset | null {
  if (preset === "own" || (preset === null && mapping !== null)) return null;
  if (preset === null) return recognisePreset(table.columns);
  const named = presets.find(({ name }) => name === preset);
  if (named === undefined) throw new UserError("input", `There is no preset "${preset}".`);
  return named;
}

/** Reads a table by a mapping; null takes the columns by their names. */
export function mappedReading(
  table: LabelTable,
  mapping: LabelMapping | null,
  {
    positiveAtGrade,
    scheme,
    uncertain = "missing",
  }: Pick<LabelReadingOptions, "positiveAtGrade" | "scheme"> & {
    readonly uncertain?: UncertainPolicy;
  },
): LabelReading {
  const used = mapping ?? proposeMapping(table.columns, scheme);
  const problems = mappingProblems(table, used, scheme);
  // The study's labels are graded; those of public sets are not.
  const stated = hasStudyLabels(scheme)
    ? null
    : (state: LabelState | null) =>
        gradeOfState(state ?? undefined, { uncertain, positiveAtGrade });
  const ungraded = stated === null ? 0 : statedColumns(table, used).length;
  const { rows: read, invalid } =
    problems.length > 0
      ? { rows: [], invalid: [] }
      : readMappedRows(table, used, { positiveAtGrade, scheme, gradeOfState: stated });
  const rows = read.map((row) => ({
    ...row,
    grades: gradesInScheme(row.grades, scheme, positiveAtGrade),
  }));
  return {
    table,
    preset: null,
    mapping: used,
    meanings: [],
    rows,
    invalid,
    notes: ungraded === 0 ? [] : [ungradedNote(ungraded, uncertain)],
    problems,
    tally: tallyOf(rows, positiveAtGrade, scheme),
    imageStandsForPatient: false,
    source: `table ${table.fingerprint}`,
  };
}

function ungradedNote(columns: number, uncertain: UncertainPolicy): string {
  return (
    `${formatCounted(columns, "column")} of findings ${columns === 1 ? "holds" : "hold"} only 1, 0 ` +
    `and -1, or words for them, which are read as positive, negative and uncertain; uncertain counts as ${uncertain}.`
  );
}

function presetReading(
  table: LabelTable,
  preset: Preset,
  folder: string,
  options: LabelReadingOptions,
): LabelReading {
  const missing = preset.recognisedBy.filter((column) => !table.columns.includes(column));
  const companions = findCompanions(preset, folder);
  const absent = preset.companions.filter(({ key, required }) => required && !companions.has(key));
  const problems = [
    ...missing.map((column) => `${preset.title} has a column "${column}"; this table has not.`),
    ...absent.map(({ title }) => `${title} is needed too: put it into the same folder.`),
    ...(table.rows.length === 0 ? ["The table has no rows below its header."] : []),
  ];
  const { rows, invalid, notes } =
    problems.length > 0
      ? { rows: [], invalid: [], notes: [] }
      : preset.read({
          table,
          companion: (key) => readIf(companions.get(key), readLabelTable),
          list: (key) => readIf(companions.get(key), readNameList),
        });
  const labelled = rows.map((row) => toLabelRow(row, options));
  return {
    table,
    preset,
    mapping: proposeMapping(table.columns, options.scheme),
    meanings: meaningsOf(preset, options.scheme),
    rows: labelled,
    invalid,
    notes: [
      ...notes,
      ...(hasStudyLabels(options.scheme) ? preset.studyNotes : []),
      ...sidelessNotes(rows, options.scheme),
      ...companionNotes(preset, companions),
    ],
    problems,
    tally: tallyOf(labelled, options.positiveAtGrade, options.scheme, rows),
    imageStandsForPatient: preset.imageStandsForPatient,
    source: `${preset.title}, table ${table.fingerprint}, uncertain as ${options.uncertain}`,
  };
}

function readIf<T>(path: string | undefined, read: (path: string) => T): T | null {
  return path === undefined ? null : read(path);
}

/** The companions' paths by key: the first in the folder that bears the name. */
function findCompanions(preset: Preset, folder: string): ReadonlyMap<string, string> {
  if (preset.companions.length === 0) return new Map();
  const names = readdirSync(folder).sort();
  return new Map(
    preset.companions.flatMap(({ key, pattern }) => {
      const name = names.find((candidate) => pattern.test(candidate));
      return name === undefined ? [] : [[key, join(folder, name)] as const];
    }),
  );
}

function companionNotes(preset: Preset, found: ReadonlyMap<string, string>): string[] {
  return preset.companions.map(({ key, title }) => {
    const path = found.get(key);
    return path === undefined
      ? `${title} is not in the same folder, so what it says is missing.`
      : `Read together with ${basename(path)} from the same folder.`;
  });
}

/** What a preset's columns mean in a cohort with these labels. */
function meaningsOf(preset: Preset, scheme: Scheme): ColumnMeaning[] {
  const { meanings, findingMeanings, own } = preset;
  const ofFindings = hasStudyLabels(scheme)
    ? findingMeanings.map(([column, meaning]) => [
        column,
        scheme === "unsided" ? meaning.replace(" without a side: not used", "") : meaning,
      ])
    : own?.scheme === scheme
      ? own.meanings
      : [["Findings", "Those that the cohort's set of labels has too"]];
  return [...meanings, ...ofFindings].map(([column = "", meaning = ""]) => ({ column, meaning }));
}

/** Says of each finding without a side how many rows are left out for it. */
function sidelessNotes(rows: readonly PresetRow[], scheme: Scheme): string[] {
  if (scheme !== "sided") return [];
  const notes = sidelessKeys.flatMap((finding) => {
    const stated = rows.flatMap(({ sideless }) => sideless[finding] ?? []);
    const positive = stated.filter((state) => state === "positive").length;
    return stated.length === 0
      ? []
      : [
          `${findingNamed(finding).title}: ${formatCounted(stated.length, "row")}, ${positive} positive, ` +
            "without a side, so they label neither the right nor the left.",
        ];
  });
  return notes.length === 0
    ? []
    : [
        ...notes,
        "A cohort of labels without sides, or of the data set's own, chosen when it is created, takes them.",
      ];
}

/** A label without grades becomes the lowest grade that is a finding and counts as positive. */
function toLabelRow(row: PresetRow, options: LabelReadingOptions): LabelRow {
  const { states, sideless, readers = [], ...rest } = row;
  return {
    ...rest,
    grades: gradesOf({ states, sideless }, options, row.grades),
    readings: readers.map(({ reader, ...said }) => ({ reader, grades: gradesOf(said, options) })),
  };
}

function gradesOf(
  { states, sideless }: Pick<PresetRow, "states" | "sideless">,
  options: LabelReadingOptions,
  graded: PresetRow["grades"] = {},
): LabelRow["grades"] {
  const grades: Record<FindingKey, Grade> = { ...graded };
  for (const finding of findingKeys) {
    const stated = states[finding] ?? (sideless as typeof states)[finding];
    const grade = gradeOfState(stated, options);
    if (grade !== null) grades[finding] = grade;
  }
  return gradesInScheme(grades, options.scheme, options.positiveAtGrade);
}

function gradeOfState(
  state: LabelState | undefined,
  { uncertain, positiveAtGrade }: Pick<LabelReadingOptions, "uncertain" | "positiveAtGrade">,
): Grade | null {
  if (state === undefined) return null;
  const effective = state === "uncertain" ? uncertain : state;
  if (effective === "missing") return null;
  return effective === "negative" ? 0 : (Math.max(2, positiveAtGrade) as Grade);
}

function tallyOf(
  rows: readonly LabelRow[],
  positiveAtGrade: number,
  scheme: Scheme,
  stated: readonly PresetRow[] = [],
): FindingTally[] {
  return keysOf(scheme).map((finding) => {
    const given = rows.flatMap(({ grades }) => grades[finding] ?? []);
    const positive = given.filter((grade) => grade >= positiveAtGrade).length;
    return {
      finding,
      positive,
      negative: given.length - positive,
      missing: rows.length - given.length,
      uncertain: stated.filter(({ states, sideless }) =>
        [states, sideless as typeof states].some((said) => said[finding] === "uncertain"),
      ).length,
    };
  });
}

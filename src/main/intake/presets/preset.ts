import type { PresetName, RowProblem } from "../../../shared/contract.ts";
import type { FindingKey, Grade, SchemeName } from "../../../shared/findings.ts";
import type { LabelRow } from "../label-row.ts";
import type { LabelTable } from "../label-table.ts";

/** What a data set says of a finding that it does not grade. */
export type LabelState = "positive" | "negative" | "uncertain";

/** Findings that the study has for each side, where a data set gives none. */
export const sidelessKeys = ["pleural_effusion", "pneumonic_infiltration", "atelectasis"] as const;
export type SidelessKey = (typeof sidelessKeys)[number];

/** A row as a preset reads it; states become grades by the policy for uncertain labels. */
export interface PresetRow extends Omit<LabelRow, "grades"> {
  readonly states: Readonly<Partial<Record<FindingKey, LabelState>>>;
  /** Single readers, where the data set names them. */
  readonly readers?: readonly (Pick<PresetRow, "states" | "sideless"> & {
    readonly reader: string;
  })[];
  readonly grades: Readonly<Record<FindingKey, Grade>>;
  /** Findings without a side: labels of a scheme without sides, else counted and never put on one. */
  readonly sideless: Readonly<Partial<Record<SidelessKey, LabelState>>>;
}

/** Another file of the data set that stands in the same folder. */
export interface Companion {
  readonly key: string;
  /** Matches the bare file name. */
  readonly pattern: RegExp;
  readonly title: string;
  readonly required: boolean;
  /** A list of names, one on each line, instead of a table. */
  readonly list?: boolean;
}

export interface PresetInput {
  readonly table: LabelTable;
  readonly companion: (key: string) => LabelTable | null;
  readonly list: (key: string) => readonly string[] | null;
}

export interface PresetOutput {
  readonly rows: readonly PresetRow[];
  readonly invalid: readonly RowProblem[];
  /** What a person should know before the table is imported. */
  readonly notes: readonly string[];
}

type Meanings = readonly (readonly [column: string, meaning: string])[];

/** How a public data set's tables are read. */
export interface Preset {
  readonly name: PresetName;
  readonly title: string;
  /** Columns that tell the table apart from others. */
  readonly recognisedBy: readonly string[];
  readonly companions: readonly Companion[];
  /** What each column that is used means, but for the findings. */
  readonly meanings: Meanings;
  /** What the columns of findings mean in a cohort of the study's labels, with or without sides. */
  readonly findingMeanings: Meanings;
  /** The data set's full list of labels, where there is a set of it. */
  readonly own?: { readonly scheme: SchemeName; readonly meanings: Meanings };
  /** What a person should know where the cohort has the study's labels. */
  readonly studyNotes: readonly string[];
  /** The data set gives no patient: each image then counts as a patient of its own. */
  readonly imageStandsForPatient: boolean;
  read(input: PresetInput): PresetOutput;
}

/** 1, 0, -1 and blank, as the CheXpert labeller writes them (also as "1.0"). */
export function stateOf(text: string | undefined): LabelState | null {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  if (value === 1) return "positive";
  if (value === 0) return "negative";
  return value === -1 ? "uncertain" : null;
}

const words: Readonly<Record<string, LabelState>> = {
  positive: "positive",
  yes: "positive",
  true: "positive",
  present: "positive",
  negative: "negative",
  no: "negative",
  false: "negative",
  absent: "negative",
  uncertain: "uncertain",
  unsure: "uncertain",
};

/** The same, or in words, as a table of one's own may have it. */
export function statedIn(text: string): LabelState | null {
  const word = text.trim().toLowerCase();
  return stateOf(text) ?? (Object.hasOwn(words, word) ? (words[word] ?? null) : null);
}

/** The state of a finding that several labels name: any positive counts, then any uncertain. */
export function combined(states: readonly (LabelState | null)[]): LabelState | null {
  for (const state of ["positive", "uncertain", "negative"] as const) {
    if (states.includes(state)) return state;
  }
  return null;
}

/** Leaves out the findings of which nothing is known. */
export function known<Key extends string>(
  states: Readonly<Record<Key, LabelState | null>>,
): Partial<Record<Key, LabelState>> {
  const entries = Object.entries(states) as [Key, LabelState | null][];
  return Object.fromEntries(entries.filter(([, state]) => state !== null)) as Partial<
    Record<Key, LabelState>
  >;
}

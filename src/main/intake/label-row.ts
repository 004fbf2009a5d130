import type { SplitPart } from "../../shared/domain.ts";
import { gradeTitles, type FindingKey, type Grade } from "../../shared/findings.ts";
import type { Sex } from "../../shared/subgroups.ts";

/** What one row of a table says of a film, once its preset or mapping has been applied. */
export interface LabelRow {
  /** As a spreadsheet counts: the header is line 1. */
  readonly line: number;
  /** The film's identifier in its data set, or its SOP Instance UID. */
  readonly image: string | null;
  /** A file name or a path, with forward slashes. */
  readonly file: string | null;
  readonly patient: string | null;
  readonly study: string | null;
  /** As the attribute View Position: PA, AP, LL. */
  readonly viewPosition: string | null;
  /** As the attribute Body Part Examined; null where the table says nothing of it. */
  readonly bodyPart: string | null;
  readonly ageYears: number | null;
  readonly sex: Sex | null;
  readonly comorbidityCount: number | null;
  /** The part that the data set's own folds give it. */
  readonly part: SplitPart | null;
  /** Only the findings that the row has a value for. */
  readonly grades: Readonly<Record<FindingKey, Grade>>;
  /**
   * What each of several readers said, where a data set names them; `grades` is then what follows
   * from them all.
   */
  readonly readings: readonly {
    readonly reader: string;
    readonly grades: Readonly<Record<FindingKey, Grade>>;
  }[];
  /** Free subgroups: the value by the column's name. */
  readonly subgroups: Readonly<Record<string, string>>;
}

/** A row that says nothing yet; presets fill in what their table holds. */
export const emptyRow: Omit<LabelRow, "line"> = {
  image: null,
  file: null,
  patient: null,
  study: null,
  viewPosition: null,
  bodyPart: null,
  ageYears: null,
  sex: null,
  comorbidityCount: null,
  part: null,
  grades: {},
  readings: [],
  subgroups: {},
};

/** A cell's text without surrounding space; null where it is empty or says that it is. */
export function cellText(value: string | undefined): string | null {
  const text = value?.trim() ?? "";
  return text === "" || /^(nan|null|n\/a)$/i.test(text) ? null : text;
}

/** A grade by its number or name; null where the text is no grade. */
export function gradeOf(text: string): Grade | null {
  const named = gradeTitles.indexOf(text.toLowerCase());
  const value = named >= 0 ? named : /^[0-4](\.0+)?$/.test(text) ? Number(text) : null;
  return value as Grade | null;
}

/** The sex that a text names; null where it names none. */
export function sexOf(text: string | null): Sex | null {
  const first = text?.trim().toUpperCase() ?? "";
  if (["F", "FEMALE", "W"].includes(first)) return "F";
  if (["M", "MALE"].includes(first)) return "M";
  if (["O", "OTHER", "D", "DIVERSE"].includes(first)) return "O";
  return null;
}

/** Years of age from "61", "61.0" or "061Y"; null where the text is no age from 0 to 130. */
export function ageOfText(text: string | null): number | null {
  const match = /^(\d{1,3}(?:\.\d+)?)\s*Y?$/i.exec(text ?? "");
  const years = match === null ? Number.NaN : Number(match[1]);
  return years >= 0 && years <= 130 ? years : null;
}

/** A view that a data set names and that is neither frontal nor lateral. */
export const otherView = "OTH";

/** The part of a split that a data set's word for it means; null where it is none of them. */
export function partOf(text: string | null): SplitPart | null {
  const word = text?.trim().toLowerCase() ?? "";
  if (["train", "training"].includes(word)) return "train";
  if (["validate", "validation", "valid", "val", "dev"].includes(word)) return "validation";
  return ["test", "testing", "holdout"].includes(word) ? "test" : null;
}

import { z } from "zod";
import { UserError } from "./errors.ts";
import type { Finding, OwnScheme } from "./findings.ts";

/** One label of a cohort's own set, as a person names it. */
export const ownLabelSchema = z.object({
  name: z.string(),
  /** The patient's side; null where the label has none. */
  side: z.enum(["right", "left"]).nullable(),
});
export type OwnLabel = z.infer<typeof ownLabelSchema>;

export const mostOwnLabels = 64;
export const longestLabelName = 60;

/**
 * What columns of a table that are no findings are called, by what they carry. No label can have
 * the key of one of them: its own column would not be told apart.
 */
export const columnSynonyms = {
  patient: ["patient_id", "patientid", "patient", "subject_id", "pat_id"],
  image: ["image_id", "sopinstanceuid", "sop_instance_uid", "instance_uid", "uid", "image_uid"],
  file: ["file", "filename", "file_name", "path", "image_file"],
  age: ["age", "age_years", "patient_age", "patientage"],
  sex: ["sex", "gender", "patient_sex", "patientsex"],
  study: ["study_id", "studyid", "study"],
  view: ["view_position", "viewposition", "view", "projection"],
  comorbidityCount: ["comorbidity_count", "comorbidities", "comorbidity", "co_morbidities"],
} as const;

/** Further columns of the table of scores, and of tables with folds. */
const otherColumns = ["note", "part", "split", "fold"];

const reservedKeys: ReadonlySet<string> = new Set([
  ...Object.values(columnSynonyms).flat(),
  ...otherColumns,
]);

/**
 * Characters that a report cannot set (report/layout/fonts.ts): it has Latin, Greek and Cyrillic
 * letters, and labels that it showed as question marks would not be told apart.
 */
const notSettable =
  /[^\u0020-\u007e\u00a0-\u024f\u0370-\u03ff\u0400-\u045f\u1e00-\u1eff\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u2032\u2033\u20ac\u2191\u2193\u2212]/u;

const sideWords = { right: "right", rechts: "right", left: "left", links: "left" } as const;
const sideWord = /(?<![\p{L}\p{N}])(right|rechts|left|links)(?![\p{L}\p{N}])/iu;

/**
 * The stable key that a name has in tables and files: letters and digits in lower case without
 * accents, all else as single underscores. Empty where the name has neither letter nor digit.
 */
export function keyOfName(name: string): string {
  const key = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .normalize("NFC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .replaceAll(/^_|_$/g, "");
  // A key is a property's name: one of a number would change places, one of an object's own clash.
  const isPlain = /^\p{L}/u.test(key) && !(key in Object.prototype);
  return key === "" || isPlain ? key : `label_${key}`;
}

function findingOf({ name, side }: OwnLabel): Finding {
  const title = name.trim().normalize("NFC");
  const key = keyOfName(title);
  return side === null
    ? { key, title, side }
    : { key: `${key}_${side}`, title: `${title}, ${side}`, side };
}

/** For each label why it cannot stand in the set; null where it can. */
export function ownLabelProblems(labels: readonly OwnLabel[]): readonly (string | null)[] {
  const seen = new Set<string>();
  return labels.map((label) => {
    const { name, side } = label;
    const { key, title } = findingOf(label);
    if (name.trim() === "") return "Give the label a name.";
    if (/\p{C}/u.test(name)) return "The name holds control or invisible characters.";
    if (name.trim().length > longestLabelName) {
      return `The name has more than ${longestLabelName} characters.`;
    }
    const odd = notSettable.exec(title)?.[0];
    if (odd !== undefined) {
      return `Reports cannot print “${odd}”: they have Latin, Greek and Cyrillic letters.`;
    }
    if (keyOfName(name) === "") return "The name needs a letter or a digit.";
    if (sideWord.test(name)) {
      return "The name holds a side: take it out and choose the side, so that mirrored films are labelled correctly.";
    }
    if (side === null && reservedKeys.has(key)) {
      return "Tables call another column so, which is no finding. Choose another name.";
    }
    if (seen.has(key))
      return `Another label is called “${title}”, or so alike that files cannot tell them apart.`;
    seen.add(key);
    return null;
  });
}

/** Why a set cannot be a cohort's, as one sentence; null where it can. */
export function ownSetProblem(labels: readonly OwnLabel[]): string | null {
  if (labels.length === 0) return "Name at least one label.";
  if (labels.length > mostOwnLabels) {
    return `A cohort has at most ${mostOwnLabels} labels; these are ${labels.length}.`;
  }
  const problems = ownLabelProblems(labels);
  const place = problems.findIndex((problem) => problem !== null);
  return place < 0
    ? null
    : `Label ${place + 1}, “${labels[place]?.name ?? ""}”: ${problems[place] ?? ""}`;
}

/**
 * The set that these labels make, in their order.
 *
 * @throws UserError "input" where a name is missing, too long, reserved or not unique.
 */
export function ownScheme(labels: readonly OwnLabel[]): OwnScheme {
  const problem = ownSetProblem(labels);
  if (problem !== null) throw new UserError("input", problem);
  return { findings: labels.map(findingOf) };
}

/** The label that each column would be: its words as a name, and the side that they say. */
export function labelsOfColumns(columns: readonly string[]): readonly OwnLabel[] {
  const lower = new Set(columns.map((column) => column.toLowerCase()));
  return columns.map((column) => {
    // "effusion_r" says a side only beside "effusion_l".
    const letter = /^(.+[\s_-])([rl])$/i.exec(column);
    const other = letter?.[2]?.toLowerCase() === "r" ? "l" : "r";
    if (letter?.[1] !== undefined && lower.has(`${letter[1]}${other}`.toLowerCase())) {
      return { name: nameOfText(letter[1]), side: other === "l" ? "right" : "left" };
    }
    const text = column.replaceAll("_", " ").replace(/\s+grade$/i, "");
    const word = sideWord.exec(text)?.[1]?.toLowerCase() as keyof typeof sideWords | undefined;
    if (word === undefined) return { name: nameOfText(text), side: null };
    return { name: nameOfText(text.replace(sideWord, " ")), side: sideWords[word] };
  });
}

/** Words as a name: single spaces, no brackets or commas left over at the ends, a capital in front. */
function nameOfText(text: string): string {
  const words = text
    .replaceAll("_", " ")
    .replaceAll(/\(\s*\)|\[\s*\]/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/^[\s,;:/-]+|[\s,;:/-]+$/g, "");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

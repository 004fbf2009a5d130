import { ownLabelProblems, type OwnLabel } from "../../shared/own-labels.ts";

/** One line of the form: a label, or one of each side. */
export interface DraftLabel {
  readonly name: string;
  readonly sides: "none" | "both" | "right" | "left";
}

/** A set of labels while it is made, with what it was before and what was undone. */
export interface LabelDraft {
  readonly labels: readonly DraftLabel[];
  readonly past: readonly (readonly DraftLabel[])[];
  readonly future: readonly (readonly DraftLabel[])[];
}

export const noLabels: LabelDraft = { labels: [], past: [], future: [] };

export const sideTitles = [
  { value: "none", title: "No side" },
  { value: "both", title: "Right and left" },
  { value: "right", title: "Right only" },
  { value: "left", title: "Left only" },
] as const satisfies readonly { value: DraftLabel["sides"]; title: string }[];

/** The draft with other labels; what it was can be had back. */
export function changed(draft: LabelDraft, labels: readonly DraftLabel[]): LabelDraft {
  return { labels, past: [...draft.past, draft.labels], future: [] };
}

export function undone(draft: LabelDraft): LabelDraft {
  const labels = draft.past.at(-1);
  if (labels === undefined) return draft;
  return { labels, past: draft.past.slice(0, -1), future: [draft.labels, ...draft.future] };
}

export function redone(draft: LabelDraft): LabelDraft {
  const [labels, ...future] = draft.future;
  if (labels === undefined) return draft;
  return { labels, past: [...draft.past, draft.labels], future };
}

/** The labels that the lines stand for, in their order; right comes before left. */
export function labelsOf(lines: readonly DraftLabel[]): OwnLabel[] {
  return lines.flatMap(sidesOf);
}

function sidesOf({ name, sides }: DraftLabel): OwnLabel[] {
  const all = sides === "both" ? (["right", "left"] as const) : [sides];
  return all.map((side) => ({ name, side: side === "none" ? null : side }));
}

/** Lines for labels; the two sides of one become one line, where the first of them stood. */
export function linesOf(labels: readonly OwnLabel[]): DraftLabel[] {
  const lines: DraftLabel[] = [];
  for (const { name, side } of labels) {
    const place = lines.findIndex(
      (line) => line.name === name && line.sides === (side === "right" ? "left" : "right"),
    );
    if (side !== null && place >= 0) lines[place] = { name, sides: "both" };
    else lines.push({ name, sides: side ?? "none" });
  }
  return lines;
}

/** For each line why it cannot stand; null where it can. */
export function lineProblems(lines: readonly DraftLabel[]): readonly (string | null)[] {
  const problems = ownLabelProblems(labelsOf(lines));
  let from = 0;
  return lines.map((line) => {
    const own = problems.slice(from, (from += sidesOf(line).length));
    return own.find((problem) => problem !== null) ?? null;
  });
}

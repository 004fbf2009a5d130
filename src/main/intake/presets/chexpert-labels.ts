import { combined, known, stateOf, type LabelState, type PresetRow } from "./preset.ts";

/** The columns of the CheXpert labeller that our findings are taken from. */
export const chexpertColumns = [
  "Cardiomegaly",
  "Edema",
  "Pleural Effusion",
  "Pneumonia",
  "Consolidation",
  "Atelectasis",
  "No Finding",
] as const;

export const chexpertMeanings = [
  ["Cardiomegaly", "Cardiomegaly"],
  ["Edema", "Congestion"],
  ["Pleural Effusion", "Pleural effusion without a side: not used"],
  ["Pneumonia, Consolidation", "Pneumonic infiltration without a side: not used"],
  ["Atelectasis", "Atelectasis without a side: not used"],
  ["No Finding", "1 makes findings that are left blank negative"],
] as const;

export const chexpertNotes = [
  "1 is positive, 0 negative, -1 uncertain; a blank says nothing and stays missing, except where " +
    "No Finding is 1.",
  "Edema stands for congestion, which the data set does not label.",
];

/** The fourteen labels of one row (Irvin et al. 2019, arXiv 1901.07031, section 3). */
export function readChexpertLabels(
  cells: Readonly<Record<string, string>>,
): Pick<PresetRow, "states" | "sideless"> {
  const blank: LabelState | null = stateOf(cells["No Finding"]) === "positive" ? "negative" : null;
  const state = (column: (typeof chexpertColumns)[number]) => stateOf(cells[column]) ?? blank;
  return {
    states: known({ cardiomegaly: state("Cardiomegaly"), congestion: state("Edema") }),
    sideless: known({
      pleural_effusion: state("Pleural Effusion"),
      pneumonic_infiltration: combined([state("Pneumonia"), state("Consolidation")]),
      atelectasis: state("Atelectasis"),
    }),
  };
}

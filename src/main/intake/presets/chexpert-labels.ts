import { besideNoFinding, findingNamed, keysOf } from "../../../shared/findings.ts";
import {
  combined,
  known,
  stateOf,
  type LabelState,
  type Preset,
  type PresetRow,
} from "./preset.ts";

/** The labeller's fourteen columns, by our key for each; No Finding first. */
const columns = {
  no_finding: "No Finding",
  enlarged_cardiomediastinum: "Enlarged Cardiomediastinum",
  cardiomegaly: "Cardiomegaly",
  lung_opacity: "Lung Opacity",
  lung_lesion: "Lung Lesion",
  edema: "Edema",
  consolidation: "Consolidation",
  pneumonia: "Pneumonia",
  atelectasis: "Atelectasis",
  pneumothorax: "Pneumothorax",
  pleural_effusion: "Pleural Effusion",
  pleural_other: "Pleural Other",
  fracture: "Fracture",
  support_devices: "Support Devices",
} as const;
type Column = (typeof columns)[keyof typeof columns];

const findingMeanings = [
  ["Cardiomegaly", "Cardiomegaly"],
  ["Edema", "Congestion"],
  ["Pleural Effusion", "Pleural effusion without a side: not used"],
  ["Pneumonia, Consolidation", "Pneumonic infiltration without a side: not used"],
  ["Atelectasis", "Atelectasis without a side: not used"],
  ["No Finding", "1 makes findings that are left blank negative"],
] as const;

/** For a cohort of the data set's own labels. */
const ownMeanings = keysOf("chexpert").map((key) => {
  const { title } = findingNamed(key);
  const negates = "; 1 makes findings that are left blank negative, but for support devices";
  return [
    columns[key as keyof typeof columns],
    key === "no_finding" ? `${title}${negates}` : title,
  ] as const;
});

export const chexpertNotes = [
  "1 is positive, 0 negative, -1 uncertain; a blank says nothing and stays missing, except where " +
    "No Finding is 1. A finding that is positive makes a blank No Finding negative.",
];

/** What the labeller's columns mean, in the presets of all data sets that it labelled. */
export const chexpertLabelling: Pick<Preset, "findingMeanings" | "own" | "studyNotes"> = {
  findingMeanings,
  own: { scheme: "chexpert", meanings: ownMeanings },
  studyNotes: ["Edema stands for congestion, which the data set does not label."],
};

/** What a film without a finding does not have. */
const findingColumns = Object.entries(columns).flatMap(([key, column]) =>
  key === "no_finding" || besideNoFinding.includes(key) ? [] : [column],
);

/** The fourteen labels of one row (Irvin et al. 2019, arXiv 1901.07031, section 3). */
export function readChexpertLabels(
  cells: Readonly<Record<string, string>>,
): Pick<PresetRow, "states" | "sideless"> {
  const blank: LabelState | null = stateOf(cells["No Finding"]) === "positive" ? "negative" : null;
  const state = (column: Column) =>
    stateOf(cells[column]) ?? (column === columns.support_devices ? null : blank);
  const { pleural_effusion, atelectasis, ...others } = columns;
  const own = Object.fromEntries(
    Object.entries(others).map(([key, column]) => [key, state(column)]),
  ) as Record<keyof typeof others, LabelState | null>;
  // The labeller writes 1 or nothing: a finding that is there says that there is one.
  const found = findingColumns.some((column) => stateOf(cells[column]) === "positive");
  return {
    states: known({
      ...own,
      no_finding: own.no_finding ?? (found ? "negative" : null),
      congestion: own.edema,
    }),
    sideless: known({
      pleural_effusion: state(pleural_effusion),
      pneumonic_infiltration: combined([own.pneumonia, own.consolidation]),
      atelectasis: state(atelectasis),
    }),
  };
}

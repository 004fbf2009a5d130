import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import { findingNamed, keysOf, type FindingKey } from "../../../shared/findings.ts";
import { cellText, emptyRow } from "../label-row.ts";
import {
  combined,
  known,
  sidelessKeys,
  stateOf,
  type SidelessKey,
  type LabelState,
  type Preset,
  type PresetRow,
} from "./preset.ts";

type Cells = Readonly<Record<string, string>>;

/** The columns that a finding is taken from; the tables of training and test differ in one word. */
const columns: Readonly<Record<FindingKey, readonly string[]>> = {
  aortic_enlargement: ["Aortic enlargement"],
  atelectasis: ["Atelectasis"],
  calcification: ["Calcification"],
  cardiomegaly: ["Cardiomegaly"],
  clavicle_fracture: ["Clavicle fracture"],
  consolidation: ["Consolidation"],
  edema: ["Edema"],
  emphysema: ["Emphysema"],
  enlarged_pulmonary_artery: ["Enlarged PA"],
  interstitial_lung_disease: ["ILD"],
  infiltration: ["Infiltration"],
  lung_opacity: ["Lung Opacity"],
  lung_cavity: ["Lung cavity"],
  lung_cyst: ["Lung cyst"],
  mediastinal_shift: ["Mediastinal shift"],
  nodule_or_mass: ["Nodule/Mass"],
  pleural_effusion: ["Pleural effusion"],
  pleural_thickening: ["Pleural thickening"],
  pneumothorax: ["Pneumothorax"],
  fibrosis: ["Pulmonary fibrosis"],
  rib_fracture: ["Rib fracture"],
  other_lesion: ["Other lesion"],
  copd: ["COPD"],
  lung_tumor: ["Lung tumor"],
  pneumonia: ["Pneumonia"],
  tuberculosis: ["Tuberculosis"],
  other_diseases: ["Other diseases", "Other disease"],
  no_finding: ["No finding"],
  congestion: ["Edema"],
  pneumonic_infiltration: ["Pneumonia", "Infiltration", "Consolidation"],
};

/**
 * VinDr-CXR: image_labels_train.csv with a row for each of three readers, image_labels_test.csv
 * with their consensus (Nguyen et al. 2022, Sci Data 9:429).
 */
export const vindr: Preset = {
  name: "vindr-cxr",
  title: "VinDr-CXR",
  recognisedBy: ["image_id", "Aortic enlargement", "Cardiomegaly", "Pleural effusion"],
  companions: [],
  meanings: [
    ["image_id", "Film and file name"],
    ["rad_id", "Reader: each one's reading is kept, and the majority labels the film"],
  ],
  findingMeanings: [
    ["Cardiomegaly", "Cardiomegaly"],
    ["Edema", "Congestion"],
    ["Pleural effusion", "Pleural effusion without a side: not used"],
    ["Pneumonia, Infiltration, Consolidation", "Pneumonic infiltration without a side: not used"],
    ["Atelectasis", "Atelectasis without a side: not used"],
  ],
  own: {
    scheme: "vindr",
    meanings: keysOf("vindr").map((key) => [
      (columns[key] ?? []).join(" or "),
      findingNamed(key).title,
    ]),
  },
  studyNotes: ["Edema stands for congestion, which the data set does not label."],
  imageStandsForPatient: true,
  read({ table }) {
    const readings = new Map<string, { readonly line: number; readonly cells: Cells[] }>();
    const invalid: RowProblem[] = [];
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const image = cellText(cells.image_id);
      if (image === null) {
        invalid.push({ row: line, reason: "names no image" });
        return;
      }
      const of = readings.get(image);
      if (of === undefined) readings.set(image, { line, cells: [cells] });
      else of.cells.push(cells);
    });
    const own = new Set<FindingKey>(keysOf("vindr"));
    let disputed = 0;
    const part = table.columns.includes("rad_id") ? "train" : "test";
    const rows = [...readings].map(([image, { line, cells }]): PresetRow => {
      const single = cells.map((reader) => ({
        reader: `VinDr-CXR ${cellText(reader.rad_id) ?? "reader"}`,
        votes: votesOf(reader),
      }));
      const agreed = (finding: FindingKey): LabelState | null => {
        const cast = single.flatMap(({ votes }) => votes[finding] ?? []);
        if (new Set(cast).size > 1 && own.has(finding)) disputed++;
        return majority(cast);
      };
      return {
        ...emptyRow,
        line,
        image,
        file: image,
        part,
        ...labelled(Object.fromEntries(votedKeys.map((key) => [key, agreed(key)]))),
        readers:
          single.length < 2
            ? []
            : single.map(({ reader, votes }) => ({ reader, ...labelled(votes) })),
      };
    });
    const notes = [
      "The table names no patients. A film whose file names none either counts as a patient of " +
        "its own; a patient with several films is then protected for each film only.",
      ...(disputed === 0
        ? []
        : [
            `The readers disagree on ${formatCounted(disputed, "label")}; the majority is taken, and a tie counts ` +
              "as uncertain.",
          ]),
    ];
    return { rows, invalid, notes };
  },
};

const votedKeys = [
  ...keysOf("vindr").filter((key) => !(sidelessKeys as readonly FindingKey[]).includes(key)),
  "congestion",
  ...sidelessKeys,
] as const;
type Votes = Readonly<Record<FindingKey, LabelState | null>>;

/** What one reader says of the data set's findings, and of the study's that follow from them. */
function votesOf(cells: Cells): Votes {
  return Object.fromEntries(
    votedKeys.map((key) => [
      key,
      combined((columns[key] ?? []).map((column) => stateOf(cells[column]))),
    ]),
  );
}

function labelled(votes: Votes): Pick<PresetRow, "states" | "sideless"> {
  const sideless = Object.fromEntries(sidelessKeys.map((key) => [key, votes[key] ?? null]));
  const states = Object.fromEntries(
    Object.entries(votes).filter(([key]) => !(sidelessKeys as readonly string[]).includes(key)),
  );
  return {
    states: known(states as Record<FindingKey, LabelState | null>),
    sideless: known(sideless as Record<SidelessKey, LabelState | null>),
  };
}

function majority(votes: readonly LabelState[]): LabelState | null {
  if (votes.length === 0) return null;
  const positive = votes.filter((vote) => vote === "positive").length;
  const negative = votes.filter((vote) => vote === "negative").length;
  if (positive * 2 > votes.length) return "positive";
  return negative * 2 > votes.length ? "negative" : "uncertain";
}

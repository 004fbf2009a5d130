import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import { cellText, emptyRow } from "../label-row.ts";
import {
  combined,
  known,
  sidelessKeys,
  stateOf,
  type LabelState,
  type Preset,
  type PresetRow,
} from "./preset.ts";

type Cells = Readonly<Record<string, string>>;

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
    ["Cardiomegaly", "Cardiomegaly"],
    ["Edema", "Congestion"],
    ["Pleural effusion", "Pleural effusion without a side: not used"],
    ["Pneumonia, Infiltration, Consolidation", "Pneumonic infiltration without a side: not used"],
    ["Atelectasis", "Atelectasis without a side: not used"],
  ],
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
    let disputed = 0;
    const part = table.columns.includes("rad_id") ? "train" : "test";
    const rows = [...readings].map(([image, { line, cells }]): PresetRow => {
      const single = cells.map((reader) => ({
        reader: `VinDr-CXR ${cellText(reader.rad_id) ?? "reader"}`,
        votes: votesOf(reader),
      }));
      const agreed = (finding: VotedKey): LabelState | null => {
        const cast = single.flatMap(({ votes }) => votes[finding] ?? []);
        if (new Set(cast).size > 1) disputed++;
        return majority(cast);
      };
      return {
        ...emptyRow,
        line,
        image,
        file: image,
        part,
        ...labelled(Object.fromEntries(votedKeys.map((key) => [key, agreed(key)])) as Votes),
        readers:
          single.length < 2
            ? []
            : single.map(({ reader, votes }) => ({ reader, ...labelled(votes) })),
      };
    });
    const notes = [
      "The table names no patients. A film whose file names none either counts as a patient of " +
        "its own; a patient with several films is then protected for each film only.",
      "Edema stands for congestion, which the data set does not label.",
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

const votedKeys = ["cardiomegaly", "congestion", ...sidelessKeys] as const;
type VotedKey = (typeof votedKeys)[number];
type Votes = Readonly<Record<VotedKey, LabelState | null>>;

/** What one reader says of our findings. */
function votesOf(cells: Cells): Votes {
  const state = (...columns: readonly string[]): LabelState | null =>
    combined(columns.map((column) => stateOf(cells[column])));
  return {
    cardiomegaly: state("Cardiomegaly"),
    congestion: state("Edema"),
    pleural_effusion: state("Pleural effusion"),
    pneumonic_infiltration: state("Pneumonia", "Infiltration", "Consolidation"),
    atelectasis: state("Atelectasis"),
  };
}

function labelled(votes: Votes): Pick<PresetRow, "states" | "sideless"> {
  const { cardiomegaly, congestion, ...sideless } = votes;
  return { states: known({ cardiomegaly, congestion }), sideless: known(sideless) };
}

function majority(votes: readonly LabelState[]): LabelState | null {
  if (votes.length === 0) return null;
  const positive = votes.filter((vote) => vote === "positive").length;
  const negative = votes.filter((vote) => vote === "negative").length;
  if (positive * 2 > votes.length) return "positive";
  return negative * 2 > votes.length ? "negative" : "uncertain";
}

import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import { ageOfText, cellText, emptyRow, sexOf } from "../label-row.ts";
import { keysOf, type FindingKey } from "../../../shared/findings.ts";
import { known, type LabelState, type Preset, type PresetRow } from "./preset.ts";

/** NIH ChestX-ray14: Data_Entry_2017.csv and its official lists (Wang et al. 2017, arXiv 1705.02315). */
export const nih: Preset = {
  name: "nih-chestxray14",
  title: "NIH ChestX-ray14",
  recognisedBy: ["Image Index", "Finding Labels", "Patient ID", "View Position"],
  companions: [
    {
      key: "train",
      pattern: /^train_val_list(_NIH)?\.txt$/i,
      title: "train_val_list.txt",
      required: false,
      list: true,
    },
    {
      key: "test",
      pattern: /^test_list(_NIH)?\.txt$/i,
      title: "test_list.txt",
      required: false,
      list: true,
    },
  ],
  meanings: [
    ["Image Index", "Film and file name"],
    ["Patient ID", "Patient"],
    ["Follow-up #", "Study of the patient"],
    ["Patient Age", "Age"],
    ["Patient Gender or Patient Sex", "Sex"],
    ["View Position", "View"],
    ["train_val_list.txt, test_list.txt", "Part of the split"],
  ],
  findingMeanings: [
    ["Finding Labels: Cardiomegaly", "Cardiomegaly"],
    ["Finding Labels: Edema", "Congestion"],
    ["Finding Labels: Effusion", "Pleural effusion without a side: not used"],
    [
      "Finding Labels: Pneumonia, Infiltration, Consolidation",
      "Pneumonic infiltration without a side: not used",
    ],
    ["Finding Labels: Atelectasis", "Atelectasis without a side: not used"],
  ],
  own: {
    scheme: "nih",
    meanings: [["Finding Labels", "The data set's fourteen findings; all others are negative"]],
  },
  studyNotes: ["Edema stands for congestion, which the data set does not label."],
  imageStandsForPatient: false,
  read({ table, list }) {
    const train = new Set(list("train") ?? []);
    const test = new Set(list("test") ?? []);
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    let impossibleAges = 0;
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const image = cellText(cells["Image Index"]);
      const patient = cellText(cells["Patient ID"]);
      const labels = cellText(cells["Finding Labels"]);
      if (image === null || patient === null || labels === null) {
        invalid.push({ row: line, reason: "names no image, patient or finding labels" });
        return;
      }
      const ageText = cellText(cells["Patient Age"]);
      const ageYears = ageOfText(ageText);
      if (ageText !== null && ageYears === null) impossibleAges++;
      const followUp = cellText(cells["Follow-up #"]);
      rows.push({
        ...emptyRow,
        line,
        image,
        file: image,
        patient,
        study: followUp === null ? null : `${patient}/${followUp}`,
        viewPosition: cellText(cells["View Position"]),
        ageYears,
        sex: sexOf(cellText(cells["Patient Gender"]) ?? cellText(cells["Patient Sex"])),
        part: test.has(image) ? "test" : train.has(image) ? "train" : null,
        ...readLabels(labels),
      });
    });
    const notes = [
      "A finding that a row does not list counts as negative, as the data set defines it.",
      ...(impossibleAges === 0
        ? []
        : [
            `${formatCounted(impossibleAges, "row states", "rows state")} an impossible age, which is left out.`,
          ]),
      ...(test.size > 0 && train.size > 0
        ? ["The official lists give training and test; validation is taken from training."]
        : []),
    ];
    return { rows, invalid, notes };
  },
};

/** The data set's word for a finding where it is not our key. */
const words: Readonly<Record<FindingKey, string>> = { pleural_effusion: "effusion" };

function readLabels(text: string): Pick<PresetRow, "states" | "sideless"> {
  const labels = new Set(text.split("|").map((label) => label.trim().toLowerCase()));
  const any = (...names: readonly string[]): LabelState =>
    names.some((name) => labels.has(name)) ? "positive" : "negative";
  const own = Object.fromEntries(
    keysOf("nih").map((key): [FindingKey, LabelState] => [key, any(words[key] ?? key)]),
  );
  const { pleural_effusion, atelectasis, ...states } = own;
  return {
    states: {
      ...states,
      no_finding: any("no finding"),
      congestion: any("edema"),
    },
    sideless: known({
      pleural_effusion: pleural_effusion ?? null,
      pneumonic_infiltration: any("pneumonia", "infiltration", "consolidation"),
      atelectasis: atelectasis ?? null,
    }),
  };
}

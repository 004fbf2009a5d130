import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import type { FindingKey, Grade } from "../../../shared/findings.ts";
import { ageOfText, cellText, emptyRow, partOf, sexOf } from "../label-row.ts";
import type { Preset, PresetRow } from "./preset.ts";

/** Grades as the data set words them; also as numbers from 0. */
const grades: Readonly<Record<string, Grade>> = {
  none: 0,
  "(+)": 1,
  "+": 2,
  "++": 3,
  "+++": 4,
  "0": 0,
  "1": 1,
  "2": 2,
  "3": 3,
  "4": 4,
};

/** The heart has four grades: an enlarged one is a moderate finding, as in the study's labels. */
const heartGrades: Readonly<Record<string, Grade>> = {
  normal: 0,
  borderline: 1,
  enlarged: 3,
  massively: 4,
  "0": 0,
  "1": 1,
  "2": 3,
  "3": 4,
};

const columns: Readonly<Partial<Record<FindingKey, string>>> = {
  cardiomegaly: "HeartSize",
  congestion: "PulmonaryCongestion",
  pleural_effusion_right: "PleuralEffusion_Right",
  pleural_effusion_left: "PleuralEffusion_Left",
  pneumonic_infiltration_right: "PulmonaryOpacities_Right",
  pneumonic_infiltration_left: "PulmonaryOpacities_Left",
  atelectasis_right: "Atelectasis_Right",
  atelectasis_left: "Atelectasis_Left",
};

/** TAIX-Ray: graded, for each side, from the hospital of the study. */
export const taixRay: Preset = {
  name: "taix-ray",
  title: "TAIX-Ray",
  recognisedBy: ["UID", "PatientID", "HeartSize", "PulmonaryCongestion", "PleuralEffusion_Right"],
  companions: [],
  meanings: [
    ["UID", "Film and file name"],
    ["PatientID", "Patient"],
    ["Split", "Part of the split, of the first fold"],
    ["Age", "Age"],
    ["Sex", "Sex"],
    ["HeartSize", "Cardiomegaly: Normal 0, Borderline 1, Enlarged 3, Massively 4"],
    ["PulmonaryCongestion", "Congestion: None 0, (+) 1, + 2, ++ 3, +++ 4"],
    ["PleuralEffusion_Right, _Left", "Pleural effusion, right and left"],
    ["PulmonaryOpacities_Right, _Left", "Pneumonic infiltration, right and left"],
    ["Atelectasis_Right, _Left", "Atelectasis, right and left"],
  ],
  imageStandsForPatient: false,
  read({ table }) {
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    const firstFold = cellText(table.rows[0]?.Fold);
    const seen = new Set<string>();
    let otherFolds = 0;
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const image = cellText(cells.UID);
      if (image === null) {
        invalid.push({ row: line, reason: "names no film" });
        return;
      }
      if (cellText(cells.Fold) !== firstFold && seen.has(image)) {
        otherFolds++;
        return;
      }
      seen.add(image);
      const read = gradesOf(cells);
      if ("problem" in read) {
        invalid.push({ row: line, reason: read.problem });
        return;
      }
      rows.push({
        ...emptyRow,
        line,
        image,
        file: image,
        patient: cellText(cells.PatientID),
        ageYears: ageOfText(cellText(cells.Age)),
        sex: sexOf(cellText(cells.Sex)),
        part: cellText(cells.Fold) === firstFold ? partOf(cellText(cells.Split)) : null,
        grades: read.grades,
        states: {},
        sideless: {},
      });
    });
    const notes = [
      "The data set grades each finding and side, so nothing is left out.",
      ...(otherFolds === 0
        ? []
        : [`${formatCounted(otherFolds, "row repeats", "rows repeat")} a film for another fold.`]),
    ];
    return { rows, invalid, notes };
  },
};

function gradesOf(
  cells: Readonly<Record<string, string>>,
): { readonly grades: Partial<Record<FindingKey, Grade>> } | { readonly problem: string } {
  const found: Partial<Record<FindingKey, Grade>> = {};
  for (const [finding, column] of Object.entries(columns) as [FindingKey, string][]) {
    // "None" is a grade here, so the usual words for an empty cell do not apply.
    const text = cells[column]?.trim().toLowerCase().replace(/\.0$/, "") ?? "";
    if (text === "" || text === "-1" || text === "nan") continue;
    const grade = (finding === "cardiomegaly" ? heartGrades : grades)[text];
    if (grade === undefined) return { problem: `${column}: "${text}" is not one of its grades` };
    found[finding] = grade;
  }
  return { grades: found };
}

import { formatCounted } from "../../../shared/format.ts";
import type { RowProblem } from "../../../shared/contract.ts";
import type { FindingKey, Grade } from "../../../shared/findings.ts";
import type { SplitPart } from "../../../shared/domain.ts";
import { ageOfText, cellText, emptyRow, partOf, sexOf } from "../label-row.ts";
import type { LabelTable } from "../label-table.ts";
import type { Preset, PresetRow } from "./preset.ts";

type Cells = Readonly<Record<string, string>>;

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

const columns: Readonly<Record<FindingKey, string>> = {
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
  companions: [
    {
      key: "split",
      pattern: /^split\.csv(\.gz)?$/i,
      title: "split.csv",
      required: false,
    },
  ],
  meanings: [
    ["UID", "Film and file name"],
    ["PatientID", "Patient"],
    ["Split, here or in split.csv", "Part of the split, of the first fold"],
    ["Age", "Age in days, as the data set has it; in years where none is above 130"],
    ["Sex", "Sex"],
  ],
  findingMeanings: [
    ["HeartSize", "Cardiomegaly: Normal 0, Borderline 1, Enlarged 3, Massively 4"],
    ["PulmonaryCongestion", "Congestion: None 0, (+) 1, + 2, ++ 3, +++ 4"],
    ["PleuralEffusion_Right, _Left", "Pleural effusion, right and left"],
    ["PulmonaryOpacities_Right, _Left", "Pneumonic infiltration, right and left"],
    ["Atelectasis_Right, _Left", "Atelectasis, right and left"],
  ],
  studyNotes: ["The data set grades each finding and side, so nothing is left out."],
  imageStandsForPatient: false,
  read({ table, companion }) {
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    const firstFold = foldsOf(table)[0] ?? null;
    const parts = partsByFilm(companion("split"));
    const inDays = table.rows.some(({ Age }) => Number(cellText(Age)) > 130);
    const listed = new Set(
      table.rows.flatMap(({ UID, Fold }) => (cellText(Fold) === firstFold ? [cellText(UID)] : [])),
    );
    const seen = new Set<string>();
    let otherFolds = 0;
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const image = cellText(cells.UID);
      if (image === null) {
        invalid.push({ row: line, reason: "names no film" });
        return;
      }
      if (cellText(cells.Fold) !== firstFold && (seen.has(image) || listed.has(image))) {
        otherFolds++;
        return;
      }
      seen.add(image);
      const read = gradesOf(cells);
      if ("problem" in read) {
        invalid.push({ row: line, reason: read.problem });
        return;
      }
      const part = cellText(cells.Fold) === firstFold ? partOf(cellText(cells.Split)) : null;
      rows.push({
        ...emptyRow,
        line,
        image,
        file: image,
        patient: cellText(cells.PatientID),
        ageYears: ageOf(cellText(cells.Age), inDays),
        sex: sexOf(cellText(cells.Sex)),
        part: part ?? parts.get(image) ?? null,
        grades: read.grades,
        states: {},
        sideless: {},
      });
    });
    const notes = [
      ...(inDays ? ["Ages are in days, and become years."] : []),
      ...(otherFolds === 0
        ? []
        : [`${formatCounted(otherFolds, "row repeats", "rows repeat")} a film for another fold.`]),
    ];
    return { rows, invalid, notes };
  },
};

/** The folds that a table has, the lowest first. */
function foldsOf(table: LabelTable): string[] {
  const folds = new Set(table.rows.flatMap(({ Fold }) => cellText(Fold) ?? []));
  return [...folds].sort((a, b) => Number(a) - Number(b));
}

/** What split.csv, which lists each film once for each of five folds, says for its first fold. */
function partsByFilm(split: LabelTable | null): ReadonlyMap<string, SplitPart> {
  const rows: readonly Cells[] = split?.rows ?? [];
  const first = split === null ? null : (foldsOf(split)[0] ?? null);
  return new Map(
    rows.flatMap((cells): [string, SplitPart][] => {
      const image = cellText(cells.UID);
      const part = partOf(cellText(cells.Split));
      const counts = cellText(cells.Fold) === first && image !== null && part !== null;
      return counts ? [[image, part]] : [];
    }),
  );
}

function ageOf(text: string | null, inDays: boolean): number | null {
  if (!inDays) return ageOfText(text);
  const years = Number(text ?? Number.NaN) / daysOfAYear;
  return years >= 0 && years <= 130 ? years : null;
}

const daysOfAYear = 365.2425;

function gradesOf(
  cells: Readonly<Record<string, string>>,
): { readonly grades: Record<FindingKey, Grade> } | { readonly problem: string } {
  const found: Record<FindingKey, Grade> = {};
  for (const [finding, column] of Object.entries(columns)) {
    // "None" is a grade here, so the usual words for an empty cell do not apply.
    const text = cells[column]?.trim().toLowerCase().replace(/\.0$/, "") ?? "";
    if (text === "" || text === "-1" || text === "nan") continue;
    const grade = (finding === "cardiomegaly" ? heartGrades : grades)[text];
    if (grade === undefined) return { problem: `${column}: "${text}" is not one of its grades` };
    found[finding] = grade;
  }
  return { grades: found };
}

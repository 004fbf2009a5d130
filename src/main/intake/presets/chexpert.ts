import type { RowProblem } from "../../../shared/contract.ts";
import { ageOfText, cellText, emptyRow, partOf, sexOf } from "../label-row.ts";
import { chexpertLabelling, chexpertNotes, readChexpertLabels } from "./chexpert-labels.ts";
import type { Preset, PresetRow } from "./preset.ts";

/** CheXpert: train.csv and valid.csv (Irvin et al. 2019, arXiv 1901.07031). */
export const chexpert: Preset = {
  name: "chexpert",
  title: "CheXpert",
  recognisedBy: ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "Pleural Effusion"],
  companions: [],
  meanings: [
    ["Path", "File, patient, study and part of the split"],
    ["Sex", "Sex"],
    ["Age", "Age"],
    ["Frontal/Lateral, AP/PA", "View"],
  ],
  ...chexpertLabelling,
  imageStandsForPatient: false,
  read({ table }) {
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    table.rows.forEach((cells, index) => {
      const line = index + 2;
      const path = cellText(cells.Path);
      const place = /(patient\d+)\/(study\d+)\//.exec(path ?? "");
      const [, patient, study] = place ?? [];
      if (path === null || patient === undefined || study === undefined) {
        invalid.push({ row: line, reason: "Path names no patient and study" });
        return;
      }
      const folder = path.slice(0, place?.index).split("/").at(-2) ?? null;
      rows.push({
        ...emptyRow,
        line,
        image: path,
        file: path,
        patient,
        study: `${patient}/${study}`,
        viewPosition: viewOf(cellText(cells["Frontal/Lateral"]), cellText(cells["AP/PA"])),
        ageYears: ageOfText(cellText(cells.Age)),
        sex: sexOf(cellText(cells.Sex)),
        part: partOf(folder),
        ...readChexpertLabels(cells),
      });
    });
    return { rows, invalid, notes: chexpertNotes };
  },
};

function viewOf(plane: string | null, projection: string | null): string | null {
  if (plane?.toLowerCase() === "lateral") return "LL";
  return projection === "AP" || projection === "PA" ? projection : null;
}

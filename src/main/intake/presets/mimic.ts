import type { RowProblem } from "../../../shared/contract.ts";
import { cellText, emptyRow, otherView, partOf, sexOf } from "../label-row.ts";
import type { LabelTable } from "../label-table.ts";
import { chexpertLabelling, chexpertNotes, readChexpertLabels } from "./chexpert-labels.ts";
import type { Preset, PresetRow } from "./preset.ts";

type Cells = Readonly<Record<string, string>>;

/**
 * MIMIC-CXR-JPG 2: labels for each study, metadata and split for each image in tables of their own
 * (Johnson et al. 2019, arXiv 1901.07042), joined by study and by image.
 */
export const mimic: Preset = {
  name: "mimic-cxr-jpg",
  title: "MIMIC-CXR-JPG",
  recognisedBy: ["subject_id", "study_id", "Pleural Effusion", "No Finding"],
  companions: [
    {
      key: "metadata",
      pattern: /^mimic-cxr.*-metadata\.csv(\.gz)?$/i,
      title: "mimic-cxr-2.0.0-metadata.csv",
      required: true,
    },
    {
      key: "split",
      pattern: /^mimic-cxr.*-split\.csv(\.gz)?$/i,
      title: "mimic-cxr-2.0.0-split.csv",
      required: false,
    },
    {
      key: "patients",
      pattern: /^patients\.csv(\.gz)?$/i,
      title: "patients.csv of MIMIC-IV",
      required: false,
    },
  ],
  meanings: [
    ["subject_id", "Patient"],
    ["study_id", "Study; joins labels and metadata"],
    ["dicom_id (metadata)", "Film and file name"],
    ["ViewPosition, else ViewCodeSequence_CodeMeaning (metadata)", "View"],
    ["split (split table)", "Part of the split"],
    ["gender, anchor_age (patients)", "Sex, and age at the study"],
  ],
  ...chexpertLabelling,
  imageStandsForPatient: false,
  read({ table, companion }) {
    const metadata = companion("metadata");
    if (metadata === null) return { rows: [], invalid: [], notes: [] };
    const labels = byKey(table, "study_id");
    const parts = byKey(companion("split"), "dicom_id");
    const people = byKey(companion("patients"), "subject_id");
    const rows: PresetRow[] = [];
    const invalid: RowProblem[] = [];
    const used = new Set<string>();
    metadata.rows.forEach((cells, index) => {
      const [image, patient, study] = ["dicom_id", "subject_id", "study_id"].map((column) =>
        cellText(cells[column]),
      );
      if (image == null || patient == null || study == null) {
        invalid.push({ row: index + 2, reason: "the metadata name no film, patient or study" });
        return;
      }
      const labelled = labels.get(study);
      used.add(study);
      const person = people.get(patient)?.cells;
      rows.push({
        ...emptyRow,
        line: labelled?.line ?? index + 2,
        image,
        file: `p${patient.slice(0, 2)}/p${patient}/s${study}/${image}.jpg`,
        patient,
        study,
        viewPosition: viewOf(
          cellText(cells.ViewPosition) ?? cellText(cells.ViewCodeSequence_CodeMeaning),
        ),
        ageYears: person === undefined ? null : ageAt(person, cellText(cells.StudyDate)),
        sex: sexOf(cellText(person?.gender)),
        part: partOf(cellText(parts.get(image)?.cells.split)),
        ...(labelled === undefined
          ? { states: {}, sideless: {} }
          : readChexpertLabels(labelled.cells)),
      });
    });
    for (const [study, { line }] of labels) {
      if (!used.has(study)) invalid.push({ row: line, reason: "the study is not in the metadata" });
    }
    return { rows, invalid, notes: chexpertNotes };
  },
};

function byKey(table: LabelTable | null, column: string) {
  const found = new Map<string, { readonly cells: Cells; readonly line: number }>();
  table?.rows.forEach((cells, index) => {
    const key = cellText(cells[column]);
    if (key !== null && !found.has(key)) found.set(key, { cells, line: index + 2 });
  });
  return found;
}

/**
 * PA, AP, LATERAL and LL are nearly all; decubitus, oblique, axial and swimmer's views are a few dozen.
 * Some 16,000 films leave View Position blank and name the view by its code's meaning.
 */
function viewOf(view: string | null): string | null {
  const text = view?.toUpperCase() ?? "";
  if (text === "") return null;
  if (text === "PA" || text === "POSTERO-ANTERIOR") return "PA";
  if (text === "AP" || text === "ANTERO-POSTERIOR") return "AP";
  return text === "LL" || /\bLATERAL$/.test(text) ? "LL" : otherView;
}

/** MIMIC-IV gives an age in one year of the patient's shifted time; studies stand in the same. */
function ageAt(person: Cells, studyDate: string | null): number | null {
  const age = Number(cellText(person.anchor_age) ?? Number.NaN);
  const year = Number(cellText(person.anchor_year) ?? Number.NaN);
  const years = age + Number(studyDate?.slice(0, 4) ?? Number.NaN) - year;
  return years >= 0 && years <= 130 ? years : null;
}

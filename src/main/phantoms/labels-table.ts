import { FINDING_LABELS } from "./findings.ts";
import type { Findings } from "./findings.ts";
import type { ViewPosition } from "./population.ts";

/** One line of labels.csv: one image. */
export interface LabelRow {
  patientId: string;
  /** SOP Instance UID. */
  imageId: string;
  /** Relative to the folder, with forward slashes. */
  file: string;
  /** YYYYMMDD */
  studyDate: string;
  ageYears: number;
  sex: "F" | "M";
  viewPosition: ViewPosition;
  comorbidityCount: number;
  labels: Findings;
}

export const LABEL_COLUMNS = [
  "patient_id",
  "image_id",
  "file",
  "study_date",
  "age",
  "sex",
  "view_position",
  "comorbidity_count",
  ...FINDING_LABELS,
] as const;

/** labels.csv: a header, then a line for each image. No value needs quoting. */
export function formatLabels(rows: readonly LabelRow[]): string {
  const lines = rows.map((row) =>
    [
      row.patientId,
      row.imageId,
      row.file,
      row.studyDate,
      row.ageYears,
      row.sex,
      row.viewPosition,
      row.comorbidityCount,
      ...FINDING_LABELS.map((label) => row.labels[label]),
    ].join(","),
  );
  return [LABEL_COLUMNS.join(","), ...lines, ""].join("\n");
}

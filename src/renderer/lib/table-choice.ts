import type {
  LabelMapping,
  LabelPreview,
  PresetName,
  UncertainPolicy,
} from "../../shared/contract.ts";

/** How a table is to be read, as far as a person has chosen. */
export interface TableChoice {
  readonly preset: PresetName | "own" | null;
  readonly mapping: LabelMapping | null;
  readonly uncertain: UncertainPolicy;
}

/** As recognised, with uncertain labels left out. */
export const recognisedTable: TableChoice = { preset: null, mapping: null, uncertain: "missing" };

export const presetTitles = [
  { value: "own", title: "A table of your own" },
  { value: "taix-ray", title: "TAIX-Ray" },
  { value: "chexpert", title: "CheXpert" },
  { value: "mimic-cxr-jpg", title: "MIMIC-CXR-JPG" },
  { value: "nih-chestxray14", title: "NIH ChestX-ray14" },
  { value: "vindr-cxr", title: "VinDr-CXR" },
  { value: "padchest", title: "PadChest" },
] as const satisfies readonly { value: NonNullable<TableChoice["preset"]>; title: string }[];

export const uncertainTitles = [
  { value: "missing", title: "Missing: they are left out" },
  { value: "positive", title: "Positive" },
  { value: "negative", title: "Negative" },
] as const satisfies readonly { value: TableChoice["uncertain"]; title: string }[];

/** Whether the data set marks labels as uncertain at all. */
export function marksUncertain({ preset }: LabelPreview): boolean {
  return preset !== null && ["chexpert", "mimic-cxr-jpg", "vindr-cxr"].includes(preset.name);
}

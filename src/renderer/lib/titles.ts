import type {
  LedgerEntryKind,
  LedgerRelease,
  RunKind,
  RunState,
  SplitPart,
  AsideCode,
  ReviewFlag,
  ReviewPolicy,
} from "../../shared/domain.ts";

export const partTitles: Readonly<Record<SplitPart, string>> = {
  train: "Training",
  validation: "Validation",
  test: "Test",
};

export const runKindTitles: Readonly<Record<RunKind, string>> = {
  private: "Private run",
  reference: "Reference run",
};

export const runStateTitles: Readonly<Record<RunState, string>> = {
  queued: "Waiting",
  running: "Running",
  stopped: "Stopped",
  failed: "Failed",
  finished: "Finished",
};

export const entryTitles: Readonly<Record<LedgerEntryKind, string>> = {
  "run-planned": "Run planned",
  "run-resumed": "Run resumed",
  "run-ended": "Run ended",
  "class-counts": "Class counts drawn",
  "cap-changed": "Budget cap changed",
  release: "Held-out statistics",
  "gap-acknowledged": "Missing entries acknowledged",
  restored: "Restored from a backup",
};

export const releaseTitles: Readonly<Record<LedgerRelease["what"], string>> = {
  comparison: "Comparison shown",
  audit: "Membership attack shown",
  report: "Report written",
};

export const asideTitles: Readonly<Record<AsideCode, string>> = {
  lateral: "Lateral films",
  view: "Neither frontal nor lateral",
  "body-part": "Other body parts",
  "for-processing": "Raw detector data (for processing)",
  "non-diagnostic": "Not diagnostic: blank, tiny, localizers, tests",
  repeated: "Repeated or rejected exposures",
  colour: "Colour images",
  frames: "Files of several frames",
  "burned-in": "Text burned in",
  "by-hand": "By hand",
};

export const reviewFlagTitles: Readonly<Record<ReviewFlag, string>> = {
  declared: "The file declares text burned into the image.",
  "secondary-capture": "A secondary capture: screens are often captured with their text.",
  lettering: "Lettering seems to stand in the image.",
};

export const reviewPolicyTitles: readonly {
  readonly value: ReviewPolicy;
  readonly title: string;
}[] = [
  { value: "none", title: "No review" },
  { value: "flagged", title: "Films where text is likely" },
  { value: "all", title: "All films" },
];

const quarantineTitles: Readonly<Record<string, string>> = {
  "not-dicom": "Not a DICOM file",
  truncated: "Ends early",
  "damaged-header": "Damaged header",
  "implausible-header": "Contradicts itself",
  "no-pixel-data": "No image in it",
  "unsupported-syntax": "Coding not supported",
  "unsupported-pixels": "Kind of pixels not supported",
  "not-a-radiograph": "Not a radiograph",
  "no-patient-id": "No Patient ID",
  "no-instance-uid": "No identifier of the film",
  "identifier-clash": "Identifiers clash",
  "decoder-failed": "Could not be decoded",
  "decoder-crashed": "Broke the decoder",
  "decoder-timeout": "Took too long",
  "too-large": "Too large",
  unreadable: "May not be read",
  vanished: "No longer there",
};

/** A reason for quarantine in a few words; the code itself where it is a new one. */
export function quarantineTitle(code: string): string {
  return quarantineTitles[code] ?? code;
}

import { UserError } from "../../shared/errors.ts";

/** Why a file cannot become a film of the cohort, as stored beside a quarantined file. */
export type RejectionCode =
  | "not-dicom"
  | "truncated"
  | "damaged-header"
  | "implausible-header"
  | "no-pixel-data"
  | "unsupported-syntax"
  | "unsupported-pixels"
  | "not-a-radiograph"
  | "no-patient-id"
  | "no-instance-uid"
  | "no-table"
  | "archive"
  | "identifier-clash"
  | "decoder-failed"
  | "decoder-crashed"
  | "decoder-timeout"
  | "too-large"
  | "unreadable"
  | "vanished";

/** What a person can do about each. Completes the reason, which says what was found. */
export const remedies: Readonly<Record<RejectionCode, string>> = {
  "not-dicom": "Export it again as DICOM, or leave it out.",
  truncated: "Copy or export the file again.",
  "damaged-header": "Export the file again from its source.",
  "implausible-header": "Export the file again from its source.",
  "no-pixel-data": "Reports and presentation states are not films; leave it out.",
  "unsupported-syntax": "Export it uncompressed or as JPEG, JPEG-LS, JPEG 2000 or RLE.",
  "unsupported-pixels": "Export it as a monochrome image of 8 to 16 bits.",
  "not-a-radiograph": "Leave it out, or export only CR, DX and secondary-capture films.",
  "no-patient-id": "Give each patient an identifier at export; patients are the privacy unit.",
  "no-instance-uid": "Export the file again with its SOP Instance UID.",
  archive: "Unpack the archive and import its folder, or copy the archive again.",
  "no-table": "Import it together with the table that names its patient.",
  "identifier-clash": "Check at the source which of the two carries the right identifier.",
  "decoder-failed": "Export it uncompressed, or copy the file again.",
  "decoder-crashed": "Export it uncompressed, then import it again.",
  "decoder-timeout": "Check the disk or network share, then import it again.",
  "too-large": "Check that it is a single film.",
  unreadable: "Check the permissions of the file, then import it again.",
  vanished: "Put it back, then import it again.",
};

/**
 * A file that cannot be used. `found` is the plain reason without anything from the patient's
 * identity; the message adds the remedy.
 */
export class DicomError extends UserError {
  readonly code: RejectionCode;
  readonly found: string;

  constructor(code: RejectionCode, found: string, options?: ErrorOptions) {
    super("input", `${found} ${remedies[code]}`, options);
    this.name = "DicomError";
    this.code = code;
    this.found = found;
  }
}

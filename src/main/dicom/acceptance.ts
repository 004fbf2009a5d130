import { DicomError } from "./errors.ts";
import type { DicomHeader } from "./header.ts";

const modalities = new Set(["CR", "DX", "DR", "RG", "SC", "OT"]);

/** Storage classes of CR, DX and secondary capture, single and multi-frame (PS3.4 B.5). */
const storageClasses = new Set([
  "1.2.840.10008.5.1.4.1.1.1",
  "1.2.840.10008.5.1.4.1.1.1.1",
  "1.2.840.10008.5.1.4.1.1.1.1.1",
  "1.2.840.10008.5.1.4.1.1.7",
  "1.2.840.10008.5.1.4.1.1.7.2",
  "1.2.840.10008.5.1.4.1.1.7.3",
  "1.2.840.10008.5.1.4.1.1.7.4",
]);
const standardClasses = "1.2.840.10008.";

/**
 * Refuses what is not a plain radiograph, or lacks the identifiers without which its patient or
 * the film itself cannot be told from others.
 *
 * @param patientFromTable a table may name the patient, so the file need not.
 * @throws DicomError "not-a-radiograph", "no-patient-id" or "no-instance-uid".
 */
export function requireRadiograph({ film, identity }: DicomHeader, patientFromTable = false): void {
  const { modality, sopClassUid } = film;
  if (modality === null && sopClassUid === null) {
    throw new DicomError("not-a-radiograph", "The file does not say what kind of image it holds.");
  }
  if (modality !== null && !modalities.has(modality)) {
    throw new DicomError(
      "not-a-radiograph",
      `The file holds ${plainModality(modality)}, not a radiograph.`,
    );
  }
  if (sopClassUid?.startsWith(standardClasses) === true && !storageClasses.has(sopClassUid)) {
    throw new DicomError(
      "not-a-radiograph",
      "The file's storage class is not that of a radiograph.",
    );
  }
  if (identity.patientId === null && !patientFromTable) {
    throw new DicomError("no-patient-id", "The file has no Patient ID.");
  }
  if (identity.sopInstanceUid === null) {
    throw new DicomError("no-instance-uid", "The file has no SOP Instance UID.");
  }
}

const modalityNames: Readonly<Record<string, string>> = {
  CT: "a computed tomography (CT)",
  MR: "a magnetic resonance image (MR)",
  US: "an ultrasound image (US)",
  MG: "a mammogram (MG)",
  NM: "a nuclear medicine image (NM)",
  PT: "a positron emission tomography (PT)",
  XA: "an angiogram (XA)",
  RF: "a fluoroscopy (RF)",
  SR: "a structured report (SR)",
  PR: "a presentation state (PR)",
};

function plainModality(modality: string): string {
  // An unknown code is not repeated: anything may stand in the attribute.
  return modalityNames[modality] ?? "another modality";
}

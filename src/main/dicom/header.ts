import type { Sex } from "../../shared/subgroups.ts";

/** A look-up table of PS3.3 C.11.1.1 or C.11.2.1.1. */
export interface LookUpTable {
  /** The input that maps to the first entry; below it the first entry holds. */
  readonly firstMapped: number;
  readonly bits: number;
  readonly entries: Uint16Array;
}

export interface Window {
  readonly center: number;
  readonly width: number;
}

export type VoiLutFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

/** What identifies the patient and the film. Never stored, logged or put into a message. */
export interface FilmIdentity {
  readonly patientId: string | null;
  /** Who gave the Patient ID; equal identifiers of two issuers are two patients. */
  readonly issuerOfPatientId: string | null;
  readonly patientName: string | null;
  readonly studyInstanceUid: string | null;
  readonly seriesInstanceUid: string | null;
  readonly sopInstanceUid: string | null;
  /** ISO dates (YYYY-MM-DD). */
  readonly birthDate: string | null;
  readonly studyDate: string | null;
  /** Of the exposure, in seconds since midnight. */
  readonly acquisitionSeconds: number | null;
}

/** What the pixels mean: PS3.3 C.7.6.3, C.11.1, C.11.2 and C.11.6. */
export interface PixelHeader {
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly numberOfFrames: number;
  readonly samplesPerPixel: number;
  readonly planarConfiguration: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly pixelRepresentation: 0 | 1;
  readonly photometricInterpretation: string;
  readonly rescaleSlope: number;
  readonly rescaleIntercept: number;
  readonly modalityLut: LookUpTable | null;
  readonly voiLut: LookUpTable | null;
  readonly window: Window | null;
  readonly voiLutFunction: VoiLutFunction;
  readonly presentationLutShape: "IDENTITY" | "INVERSE" | null;
  /** Stored values from low to high carry no image; inclusive. */
  readonly padding: { readonly low: number; readonly high: number } | null;
}

/** What decides whether the film belongs in the cohort, and its subgroup. */
export interface FilmDescription {
  readonly sopClassUid: string | null;
  readonly modality: string | null;
  readonly manufacturer: string | null;
  readonly bodyPart: string | null;
  readonly viewPosition: string | null;
  /** Meaning of the view code, series and protocol descriptions, joined in lower case. */
  readonly viewHints: string;
  readonly patientOrientation: readonly string[];
  readonly laterality: string | null;
  readonly imageType: readonly string[];
  readonly presentationIntent: string | null;
  readonly burnedInAnnotation: boolean | null;
  /** A film of a phantom or of a test of the system (0028,0300). */
  readonly qualityControl: boolean;
  readonly sex: Sex | null;
  readonly ageYears: number | null;
  /** Millimetres from row to row and from column to column, at the detector or the patient. */
  readonly pixelSpacingMillimetres: { readonly row: number; readonly column: number } | null;
}

export interface DicomHeader {
  readonly identity: FilmIdentity;
  readonly pixels: PixelHeader;
  readonly film: FilmDescription;
}

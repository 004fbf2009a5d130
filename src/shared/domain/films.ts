import type { FindingKey, Grade } from "../findings.ts";
import type { Sex } from "../subgroups.ts";
import type { SplitPart } from "./cohort.ts";
import type { Timestamp } from "./time.ts";

export type ImageStatus = "included" | "set-aside";

/** The rule, or the person, that set a film aside. */
export type AsideCode =
  | "lateral"
  | "view"
  | "body-part"
  | "for-processing"
  | "non-diagnostic"
  | "repeated"
  | "colour"
  | "frames"
  | "burned-in"
  | "by-hand";

/** What speaks for text burned into a film. */
export type ReviewFlag = "declared" | "secondary-capture" | "lettering";

/** Whether a person has looked: not yet, nothing to blacken, or blackened. */
export type ReviewState = "open" | "accepted" | "blackened";

/** One row of the cohort's table. */
export interface ImageRow {
  readonly id: number;
  readonly patient: string;
  readonly patientId: number;
  readonly studyDate: string | null;
  readonly ageYears: number | null;
  readonly sex: Sex | null;
  readonly viewPosition: string | null;
  readonly modality: string | null;
  readonly manufacturer: string | null;
  readonly status: ImageStatus;
  readonly statusReason: string | null;
  readonly reviewFlag: ReviewFlag | null;
  readonly reviewState: ReviewState;
  readonly part: SplitPart | null;
  readonly comorbidityCount: number | null;
  /** The consensus grade of each finding that has one. */
  readonly grades: Readonly<Record<FindingKey, Grade>>;
}

/** Where a film's attributes come from: the film's own header (null), or the table that filled it in. */
export interface AttributeSources {
  readonly sexSource: string | null;
  readonly ageSource: string | null;
  /** Null where nothing is known of the patient's co-morbidities. */
  readonly comorbiditySource: string | null;
  /** The film's values in the free subgroups, each with the table that gave it. */
  readonly subgroups: readonly {
    readonly name: string;
    readonly value: string;
    readonly source: string;
  }[];
}

export interface ImageFilter {
  readonly status?: ImageStatus;
  readonly sex?: Sex;
  readonly part?: SplitPart;
  readonly ageFrom?: number;
  readonly ageTo?: number;
  readonly viewPosition?: string;
  /** Images positive for this finding. */
  readonly finding?: FindingKey;
  /** The start of a patient's pseudonym. */
  readonly patient?: string;
  /** Images with this value in a free subgroup. */
  readonly subgroup?: { readonly name: string; readonly value: string };
}

export interface QuarantinedFile {
  readonly id: number;
  readonly path: string;
  readonly code: string;
  readonly reason: string;
  readonly recordedAt: Timestamp;
}

export interface QuarantineCount {
  readonly code: string;
  readonly files: number;
}

/** The films that one rule, or a person, has set aside. */
export interface AsideGroup {
  readonly code: AsideCode;
  readonly images: number;
  readonly patients: number;
}

/** A rectangle of a film in pixels of the original, from its top left corner. */
export interface FilmRegion {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A film in the queue of those that may show text. */
export interface ReviewItem {
  readonly imageId: number;
  readonly patient: string;
  readonly viewPosition: string | null;
  readonly modality: string | null;
  readonly status: ImageStatus;
  readonly flag: ReviewFlag | null;
  readonly state: ReviewState;
  /** Where lettering was found; a proposal, nothing more. */
  readonly suggested: readonly FilmRegion[];
  readonly blackened: readonly FilmRegion[];
  readonly rows: number;
  readonly columns: number;
  /** Whether there is a decision to undo. */
  readonly decided: boolean;
  /** Rises with each decision, so that a picture is fetched again. */
  readonly version: number;
}

/** Which films a run waits for: none, those with a flag, or all. */
export type ReviewPolicy = "none" | "flagged" | "all";

export interface ReviewCounts {
  readonly policy: ReviewPolicy;
  /** Included films nobody has looked at, by flag. */
  readonly open: number;
  readonly openFlagged: number;
  readonly accepted: number;
  readonly blackened: number;
}

export interface DeidentifiedExport {
  readonly folder: string;
  readonly written: number;
  /** Films held back because nobody has looked for burned-in text. */
  readonly withheld: number;
  readonly failed: readonly { readonly imageId: number; readonly reason: string }[];
  readonly cancelled: boolean;
}

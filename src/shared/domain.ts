import type { ChecklistItem } from "./checklist.ts";
import type { FindingKey, Grade } from "./findings.ts";
import type { TrainingPlan } from "./plan.ts";
import type { Preflight } from "./preflight.ts";
import type { Sex } from "./subgroups.ts";

/** Times are ISO 8601 in UTC throughout. */
export type Timestamp = string;

export interface CohortSummary {
  readonly id: number;
  readonly name: string;
  readonly createdAt: Timestamp;
  readonly framePixels: number;
  readonly pixelPipeline: string;
  readonly positiveAtGrade: number;
  readonly patients: number;
  readonly images: number;
  readonly included: number;
  readonly setAside: number;
  readonly quarantined: number;
  readonly labelled: number;
  readonly runs: number;
}

export type SplitPart = "train" | "validation" | "test";

export interface CountByValue {
  readonly value: string;
  readonly images: number;
  readonly patients: number;
}

/** The distributions that the cohort screen and `silhouette cohort` show. */
export interface CohortOverview {
  readonly summary: CohortSummary;
  readonly byStatus: readonly CountByValue[];
  readonly bySex: readonly CountByValue[];
  readonly byAge: readonly CountByValue[];
  readonly byViewPosition: readonly CountByValue[];
  readonly byComorbidity: readonly CountByValue[];
  readonly byImagesPerPatient: readonly CountByValue[];
  readonly labels: readonly {
    readonly finding: FindingKey;
    readonly positive: number;
    readonly negative: number;
    readonly missing: number;
    /** Images at each grade 0 to 4. */
    readonly grades: readonly number[];
  }[];
  readonly split: SplitSummary | null;
}

export interface SplitSummary {
  readonly id: number;
  readonly createdAt: Timestamp;
  readonly locked: boolean;
  readonly fractions: {
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
  readonly parts: readonly {
    readonly part: SplitPart;
    readonly patients: number;
    readonly images: number;
    readonly positives: Readonly<Record<FindingKey, number>>;
  }[];
}

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
  readonly grades: Readonly<Record<FindingKey, Grade | null>>;
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

export interface ImportResult {
  readonly found: number;
  readonly imported: number;
  readonly duplicates: number;
  /** Imported but not used for training (lateral films and the like); part of `imported`. */
  readonly setAside: number;
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  readonly seconds: number;
  readonly cancelled: boolean;
}

export interface LabelImportResult {
  readonly rows: number;
  readonly matched: number;
  /** Where the labels say that they came from: table, data set, and what uncertain counted as. */
  readonly source: string;
  /** Films of the cohort that no row names, and the first of their paths. */
  readonly filmsWithoutRow: { readonly count: number; readonly first: readonly string[] };
  readonly unmatched: readonly { readonly row: number; readonly reason: string }[];
  /** Rows whose values could not be read, with the column and what was expected. */
  readonly invalid: readonly { readonly row: number; readonly reason: string }[];
}

export type JobKind =
  | "deidentify"
  | "intake"
  | "labels"
  | "phantoms"
  | "evaluation"
  | "report"
  | "demo"
  | "scoring"
  | "backup"
  | "audit";

/** Progress of anything that takes longer than a moment. */
export interface JobProgress {
  readonly jobId: string;
  readonly kind: JobKind;
  readonly cohortId: number | null;
  readonly state: "running" | "paused" | "finished" | "cancelled" | "failed";
  /** What is happening, for a person. */
  readonly phase: string;
  readonly done: number;
  /** Null while it is not yet known. */
  readonly total: number | null;
  readonly unit: string;
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
  readonly error: string | null;
  readonly result: unknown;
}

export type RunKind = "private" | "reference";
export type RunState = "queued" | "running" | "stopped" | "failed" | "finished";

export interface RunSummary {
  readonly id: string;
  readonly cohortId: number;
  readonly kind: RunKind;
  /** The twin in a pair of private and reference run. */
  readonly pairId: string | null;
  readonly state: RunState;
  /** Stopped so as to be gone on with. */
  readonly paused?: boolean;
  readonly message: string | null;
  readonly plan: TrainingPlan;
  readonly engine: string | null;
  readonly device: string | null;
  readonly createdAt: Timestamp;
  readonly startedAt: Timestamp | null;
  readonly endedAt: Timestamp | null;
  /** Steps that count as spent. */
  readonly stepsJournaled: number;
  /** Epsilon of the journaled steps at the plan's delta; null in a reference run. */
  readonly epsilonSpent: number | null;
  /** The same for a patient, where the unit of a private run is the image. */
  readonly patientSpent?: PatientFigures | null;
  /** Predictions for the held-out patients are in the store. */
  readonly scored: boolean;
  /** The check before the run's last start; null in a reference run or one not yet started. */
  readonly preflight?: Preflight | null;
}

/** One point of a live curve. Training telemetry is internal and never exported. */
export interface TelemetryPoint {
  readonly step: number;
  readonly loss: number;
  /** Share of units whose gradient was longer than C; null in a reference run. */
  readonly clippedShare: number | null;
  readonly epsilon: number | null;
  /** Contributions since the run's first step that were not finite and counted as zero. */
  readonly leftOut: number;
}

export interface RunProgress {
  readonly run: RunSummary;
  readonly phase: string;
  readonly step: number;
  readonly steps: number;
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  readonly latest: TelemetryPoint | null;
  /** As in a curve's point, up to this moment. */
  readonly leftOut: number;
}

/**
 * What an entry of the ledger records: a run's plan before its first step; a run that goes on; a
 * run's end with the steps that count as spent; the budget cap set, changed or removed; exact
 * statistics on held-out patients that were released.
 */
export type LedgerEntryKind =
  "run-planned" | "run-resumed" | "run-ended" | "cap-changed" | "release";

export interface LedgerEntry {
  readonly sequence: number;
  readonly recordedAt: Timestamp;
  readonly kind: LedgerEntryKind;
  /** Null where the entry belongs to the cohort as a whole. */
  readonly runId: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly previousHash: string;
  readonly hash: string;
}

/** A patient's epsilon where the privacy unit is the image. */
export interface PatientFigures {
  /** The most images that a patient of the training part has, and that patient's epsilon. */
  readonly mostImages: number;
  readonly epsilon: number;
  /** The upper median of images per patient, and the epsilon of a patient with so many. */
  readonly medianImages: number;
  readonly medianEpsilon: number;
}

/** What was run on a patient, as `privacy compose` takes it. */
export interface LedgerMechanism {
  readonly samplingRate: number;
  readonly noiseMultiplier: number;
  readonly steps: number;
  /** Contributions of the patient with the most images to one step. */
  readonly imagesPerPatient: number;
}

/** One private run in the ledger. */
export interface LedgerRun {
  readonly runId: string;
  readonly unit: "patient" | "image";
  readonly samplingRate: number;
  readonly noiseMultiplier: number;
  /** Absent where it is Gaussian. */
  readonly noise?: "discrete-gaussian";
  readonly stepsPlanned: number;
  readonly stepsSpent: number;
  /** Of the privacy unit. */
  readonly epsilon: number;
  /** Of a patient, where the unit is the image; null where the unit is the patient. */
  readonly patient: PatientFigures | null;
  /** Patients that the run was trained on and that it held out; null in a run of long ago. */
  readonly patients: {
    readonly trained: number;
    readonly validation: number;
    readonly test: number;
  } | null;
  readonly state: RunState;
}

/** Exact statistics on held-out patients that were shown or written: not covered by any epsilon. */
export interface LedgerRelease {
  readonly sequence: number;
  readonly recordedAt: Timestamp;
  readonly what: "comparison" | "report";
  readonly runIds: readonly string[];
  readonly patients: { readonly validation: number; readonly test: number };
}

export interface Ledger {
  readonly cohortId: number;
  readonly entries: readonly LedgerEntry[];
  readonly runs: readonly LedgerRun[];
  /** The delta at which epsilon is stated; null while no private run exists. */
  readonly delta: number | null;
  /**
   * Epsilon of all private runs of the cohort together, for the patient with the most images; 0
   * while none exists.
   */
  readonly epsilon: number;
  /** The same for a patient with the median number of images. */
  readonly medianEpsilon: number;
  /** What `epsilon` may not pass, as a person has set it; null where nobody has. */
  readonly cap: number | null;
  /** What `epsilon` is of: all of it together gives it back. */
  readonly mechanisms: readonly LedgerMechanism[];
  readonly releases: readonly LedgerRelease[];
  readonly verification: LedgerVerification;
}

export interface LedgerVerification {
  readonly intact: boolean;
  /** What was found, naming the row: empty where intact. */
  readonly findings: readonly string[];
}

/** What the slider shows at once for a chosen epsilon. */
export interface PrivacyQuote {
  readonly targetEpsilon: number;
  readonly epsilon: number;
  readonly delta: number;
  readonly noiseMultiplier: number;
  readonly samplingRate: number;
  readonly steps: number;
  readonly units: number;
  readonly rdp: number;
  readonly pld: number | null;
  readonly accountant: "rdp" | "pld";
  /** A patient's epsilon of this run, where its unit is the image; null where it is the patient. */
  readonly patient: PatientFigures | null;
  /** Epsilon of the cohort's ledger for a patient, before this run and with it. */
  readonly spentBefore: number;
  readonly spentAfter: number;
  /** The budget cap of the cohort's ledger; null where none is set. */
  readonly cap: number | null;
  /** Where this run would pass the cap: the largest epsilon that still fits, null where none does. */
  readonly overCap: { readonly largestEpsilon: number | null } | null;
  /** Bound of exp(epsilon) on an attacker's certainty from a 50 % prior; delta is left aside. */
  readonly worstCasePosterior: number;
  readonly sentence: string;
  /** Best true-positive rate of a membership attacker at each false-positive rate. */
  readonly tradeOff: readonly {
    readonly falsePositiveRate: number;
    readonly truePositiveRate: number;
  }[];
  /** The same sentence for the patient with the most images, where the unit is the image. */
  readonly patientSentence: string | null;
  /** What the plan covers and what not. */
  readonly checklist: readonly ChecklistItem[];
}

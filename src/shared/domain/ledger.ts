import type { ChecklistItem } from "../checklist.ts";
import type { RunState } from "./runs.ts";
import type { Timestamp } from "./time.ts";

/**
 * What an entry of the ledger records: a run's plan before its first step; a run that goes on; a
 * run's end with the steps that count as spent; label counts about to be drawn with noise; the budget
 * cap set, changed or removed; exact statistics on held-out patients that were released; that
 * somebody knows of newest entries that are missing; that the ledger came back from a backup.
 */
export type LedgerEntryKind =
  | "run-planned"
  | "run-resumed"
  | "run-ended"
  | "class-counts"
  | "cap-changed"
  | "release"
  | "gap-acknowledged"
  | "restored";

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

/** What was run on a patient, a run's class counts each by themselves, as `privacy compose` takes it. */
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
  /** The private label counts behind its class weights; absent where the plan has none. */
  readonly classCounts?: {
    readonly noiseMultiplier: number;
    /** They count as spent from before their noise is drawn. */
    readonly spent: boolean;
    /** By themselves, of the privacy unit; the run's epsilon holds them too. */
    readonly epsilon: number;
    /** Of the patient with the most images. */
    readonly patientEpsilon: number;
  };
  /** Of the privacy unit: its steps and its class counts together. */
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

/** Exact statistics on patients that were shown or written: not covered by any epsilon. */
export interface LedgerRelease {
  readonly sequence: number;
  readonly recordedAt: Timestamp;
  readonly what: "comparison" | "audit" | "report";
  readonly runIds: readonly string[];
  readonly patients: {
    /** Those whose membership was attacked; 0 where no attack is in it. */
    readonly training: number;
    readonly validation: number;
    readonly test: number;
  };
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

/** A place after which a ledger lost entries: what they recorded is counted nowhere. */
export interface LedgerGap {
  /** The entry that says so, which stays for good. */
  readonly sequence: number;
  readonly recordedAt: Timestamp;
  /** Missing entries that a person has acknowledged, or a backup that was restored. */
  readonly what: "acknowledged" | "restored";
  /** The account of the person; null where the system has no name. */
  readonly by: string | null;
  /** In the person's words; null of a restored backup. */
  readonly reason: string | null;
  /** The entries that were missing; null of a restored backup, which may have lost none. */
  readonly missing: { readonly from: number; readonly to: number } | null;
  /** When the backup was made that was restored; null else. */
  readonly backupAt: Timestamp | null;
}

export interface LedgerVerification {
  readonly intact: boolean;
  /**
   * Whether all that was found is that the newest entries are missing, as after a store was put back
   * to an older state: then a person who knows why can acknowledge it.
   */
  readonly canBeAcknowledged: boolean;
  /** Shown for good, also where the chain is intact. */
  readonly gaps: readonly LedgerGap[];
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

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

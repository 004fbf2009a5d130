import type { TrainingPlan } from "../plan.ts";
import type { Preflight } from "../preflight.ts";
import type { PatientFigures } from "./ledger.ts";
import type { Timestamp } from "./time.ts";

export type RunKind = "private" | "reference";

export type RunState = "queued" | "running" | "stopped" | "failed" | "finished";

/** What the canaries of a run say of its epsilon, beside the claim. */
export interface AuditedBound {
  /** Epsilon is at least this, with that confidence. */
  readonly lowerBound: number;
  readonly confidence: number;
  readonly canaries: number;
  /** So many canaries could not show more. */
  readonly highestPossible: number;
}

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
  /** The lower bound on epsilon that the run's canaries give; null where it has scored none. */
  readonly audited?: AuditedBound | null;
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

/** Why no run can start on a cohort yet, and the part of the application where it is mended. */
export interface Obstacle {
  readonly where: "films" | "labels" | "split" | "review" | "ledger";
  readonly text: string;
}

import type { Interval } from "./comparison.ts";
import type { RunKind, Timestamp } from "./domain.ts";

/** One number of guesses that the canary audit tries; how many are tried is fixed beforehand. */
export interface CanaryAttempt {
  readonly guesses: number;
  readonly correct: number;
  /** The largest epsilon refuted, at the confidence left to this attempt. */
  readonly epsilon: number;
}

/** What the canaries of one run say of its epsilon. */
export interface CanaryAudit {
  readonly canaries: number;
  /** How many of them were in the training data. */
  readonly included: number;
  /** Of the attempt that refutes most. */
  readonly guesses: number;
  readonly correct: number;
  /** A lower bound on epsilon at `delta`, right with probability `confidence` or more. */
  readonly lowerBound: number;
  readonly confidence: number;
  readonly delta: number;
  /** The share of pairs of one canary inside and one outside in which the former scores higher. */
  readonly auroc: number | null;
  readonly attempts: readonly CanaryAttempt[];
  /** The bound if every guess had been right: so many canaries cannot show more. */
  readonly highestPossible: number;
  /** Whether the coins are those that the ledger committed to before the first step. */
  readonly coinsAsCommitted: boolean;
}

/** A point of an attack's curve. */
export interface AttackPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

/** A membership attack: how well training patients are told from held-out ones. */
export interface MembershipAttack {
  /** "loss-threshold" needs the model alone; "likelihood-ratio" shadow models as well. */
  readonly attack: "loss-threshold" | "likelihood-ratio";
  readonly members: number;
  readonly nonMembers: number;
  /** 0.5: no better than chance. Intervals by a bootstrap over patients. */
  readonly auroc: Interval | null;
  /** True-positive rate at a false-positive rate of 1 %; null with too few held-out patients. */
  readonly tprAt1Percent: Interval | null;
  /** The same at 0.1 %. */
  readonly tprAt01Percent: Interval | null;
  readonly curve: readonly AttackPoint[];
  /** Of a likelihood-ratio attack, else null. */
  readonly shadowModels: { readonly models: number; readonly epochs: number } | null;
}

/** All that an audit of a run found. */
export interface AuditResult {
  readonly runId: string;
  readonly kind: RunKind;
  readonly recordedAt: Timestamp;
  /** The epsilon that the run's accountant states for the steps taken; null in a reference run. */
  readonly claimedEpsilon: number | null;
  readonly delta: number | null;
  /** Null where the run had no canaries. */
  readonly canaryAudit: CanaryAudit | null;
  readonly attacks: readonly MembershipAttack[];
}

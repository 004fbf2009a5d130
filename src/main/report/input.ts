import { findingsOf, type Finding } from "../../shared/findings.ts";
import type { AuditResult } from "../../shared/audit.ts";
import type { Comparison, RocPoint, RunEvaluation } from "../../shared/comparison.ts";
import type { CohortOverview, Ledger, RunSummary, Timestamp } from "../../shared/domain.ts";
import { UserError } from "../../shared/errors.ts";
import { schemeOf, type TrainingPlan } from "../../shared/plan.ts";

/** All that a report says comes from here: nothing is looked up or assumed while it is written. */
export interface ReportInput {
  readonly overview: CohortOverview;
  readonly comparison: Comparison;
  readonly ledger: Ledger;
  readonly privateRun: RunSummary;
  readonly referenceRun: RunSummary;
  /** What the guarantee means, for the epsilon that the private run has spent. */
  readonly meaning: {
    /** Upper bound on an attacker's certainty that a unit took part, from a 50 % prior. */
    readonly worstCasePosterior: number;
    /** Best true-positive rate of a membership attacker at each false-positive rate. */
    readonly tradeOff: readonly RocPoint[];
    /** The guarantee in one plain sentence, and for a patient where the unit is the image. */
    readonly sentence: string;
    readonly patientSentence: string | null;
  };
  /** Epsilon of the private run by each accountant; both are upper bounds. */
  readonly accountants: { readonly rdp: number | null; readonly pld: number | null };
  /** What audits of the two runs found; a run without one is null. */
  readonly audits?: {
    readonly private: AuditResult | null;
    readonly reference: AuditResult | null;
  };
  readonly network: { readonly title: string; readonly parameters: number };
  /** Such as "NAdam (second moment corrected for the noise)". */
  readonly optimiser: string;
  /** The images are generated, not taken of people. */
  readonly synthetic: boolean;
  readonly appVersion: string;
  readonly generatedAt: Timestamp;
}

export type PrivacyOfPlan = NonNullable<TrainingPlan["privacy"]>;

/** The input with what a report cannot do without made certain. */
export interface ReportFacts extends ReportInput {
  readonly privateEvaluation: RunEvaluation;
  readonly referenceEvaluation: RunEvaluation;
  readonly difference: NonNullable<Comparison["difference"]>;
  readonly privacy: PrivacyOfPlan;
  /** The labels that the runs learnt, in the order of the network's outputs. */
  readonly findings: readonly Finding[];
  /** Epsilon of the steps that the private run has spent. */
  readonly epsilonSpent: number;
}

/** @throws UserError where a part is missing or belongs to other runs */
export function factsOf(input: ReportInput): ReportFacts {
  const { comparison, privateRun, referenceRun } = input;
  const { privateRun: privateEvaluation, referenceRun: referenceEvaluation } = comparison;
  if (!privateEvaluation || !referenceEvaluation || !comparison.difference) {
    throw new UserError(
      "conflict",
      "A report needs a private run and its reference run, both evaluated. Compare them first.",
    );
  }
  if (privateEvaluation.runId !== privateRun.id || referenceEvaluation.runId !== referenceRun.id) {
    throw new UserError(
      "conflict",
      `The comparison is of other runs than ${privateRun.id} and ${referenceRun.id}. ` +
        "Compare these two first.",
    );
  }
  const { privacy } = privateRun.plan;
  const epsilonSpent = privateRun.epsilonSpent ?? privateEvaluation.epsilon;
  if (privacy === null || epsilonSpent === null) {
    throw new UserError(
      "conflict",
      `Run ${privateRun.id} was trained without a privacy guarantee. Choose a private run.`,
    );
  }
  return {
    ...input,
    privateEvaluation,
    referenceEvaluation,
    difference: comparison.difference,
    privacy,
    findings: findingsOf(schemeOf(privateRun.plan)),
    epsilonSpent,
  };
}

/** "patient" or "image", as the private run's plan protects it. */
export function unitOf(facts: ReportFacts): "patient" | "image" {
  return facts.privateRun.plan.recipe.unit;
}

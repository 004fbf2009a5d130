import type { AuditedBound } from "../../shared/domain.ts";
import { auditCanaries, type CanaryFinding } from "../privacy/audit.ts";
import { canariesOfRun } from "../store/audits.ts";
import type { Database } from "../store/database.ts";
import { requireRun, type RunRecord } from "../store/runs.ts";

/** The confidence of a run's audited bound. */
export const auditConfidence = 0.95;

/** Bounds by run and steps: the scores of a run change only as it takes further steps. */
const known = new Map<string, AuditedBound>();

/**
 * The delta at which a run's canaries are judged: its own. A reference run is held against the delta
 * of its private twin, so that the two bounds can be compared.
 */
export function auditDelta(database: Database, run: RunRecord): number {
  const twin = run.pairId === null ? null : requireRun(database, run.pairId);
  return run.plan.privacy?.delta ?? twin?.plan.privacy?.delta ?? 0;
}

/** What scored canaries find at the audit's confidence. */
export function findingOf(
  scores: readonly number[],
  included: readonly boolean[],
  delta: number,
): CanaryFinding {
  return auditCanaries(scores, included, delta, auditConfidence);
}

/** The audited lower bound of a run; null where it has no scored canaries. */
export function auditedBound(database: Database, run: RunRecord): AuditedBound | null {
  if ((run.plan.recipe.auditCanaries ?? 0) === 0) return null;
  const key = `${database.name} ${run.id} ${run.stepsJournaled}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const canaries = canariesOfRun(database, run.id);
  if (canaries?.scores == null) return null;
  const { scores, included } = canaries;
  const { best, highestPossible } = findingOf(scores, included, auditDelta(database, run));
  const bound = {
    lowerBound: best.epsilon,
    confidence: auditConfidence,
    canaries: included.length,
    highestPossible,
  };
  if (run.state !== "running" && run.state !== "queued") known.set(key, bound);
  return bound;
}

import type {
  Ledger,
  LedgerEntry,
  LedgerRelease,
  LedgerRun,
  RunSummary,
} from "../../shared/domain.ts";
import { epsilonFigure, type FigureQuestion } from "../privacy/figures.ts";
import type { Database } from "../store/database.ts";
import { ledgerEntries, type StoredLedgerEntry } from "../store/ledger.ts";
import { cohortDelta, requireRun, runsOfCohort, type RunRecord } from "../store/runs.ts";
import { askInBackground } from "./account-service.ts";
import { auditedBound } from "./audited-bound.ts";
import { currentCap } from "./cap.ts";
import { bodyOf } from "./ledger-entries.ts";
import { verifyCohortLedger } from "./journal.ts";
import {
  classCountsOf,
  composedEpsilon,
  exactEpsilon,
  liveEpsilon,
  livePatientFigures,
  liveQuestions,
  patientFigures,
  ofPatient,
  patientMechanisms,
  patientQuestion,
  unitMechanisms,
} from "./spending.ts";
import { spendingOf, spendingRuns, type SpendingRun } from "./spending-runs.ts";

/** A run as the screen, the command line and the report see it. */
export function summariseRun(database: Database, run: RunRecord): RunSummary {
  const running = run.state === "running";
  const spending = spendingOf(database, run);
  if (running) askInBackground(liveQuestions(spending));
  return {
    id: run.id,
    cohortId: run.cohortId,
    kind: run.kind,
    pairId: run.pairId,
    state: run.state,
    paused: run.paused,
    message: run.message,
    plan: run.plan,
    engine: run.engine,
    device: run.device,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    stepsJournaled: run.stepsJournaled,
    epsilonSpent: running
      ? liveEpsilon(run.plan, run.stepsJournaled, spending.classCountsSpent)
      : exactEpsilon(run.plan, run.stepsJournaled, spending.classCountsSpent),
    patientSpent: running ? livePatientFigures(spending) : patientFigures(spending),
    audited: running ? null : auditedBound(database, run),
    scored: run.scored,
    preflight: run.preflight,
  };
}

/** @throws UserError "not-found". */
export function runSummary(database: Database, runId: string): RunSummary {
  return summariseRun(database, requireRun(database, runId));
}

/** The runs of a cohort, newest first. */
export function listRuns(database: Database, cohortId: number): RunSummary[] {
  return runsOfCohort(database, cohortId).map((run) => summariseRun(database, run));
}

/** The accountants' questions behind `readLedger`, so that they can be answered beforehand. */
export function ledgerQuestions(database: Database, cohortId: number): FigureQuestion[] {
  const delta = cohortDelta(database, cohortId);
  const runs = spendingRuns(database, cohortId);
  if (delta === null) return [];
  const ofRuns = runs.flatMap((run): FigureQuestion[] => [
    { mechanisms: unitMechanisms(run), delta },
    { mechanisms: classCountsOf(run), delta },
    patientQuestion([run], delta, "most"),
    patientQuestion([run], delta, "median"),
  ]);
  return [...ofRuns, patientQuestion(runs, delta, "most"), patientQuestion(runs, delta, "median")];
}

/**
 * The cohort's privacy ledger: every entry, what each private run spent, all of it composed, and
 * the chain checked (as `verifyCohortLedger` does to that depth).
 */
export function readLedger(
  database: Database,
  cohortId: number,
  depth: "complete" | "opening" = "complete",
): Ledger {
  const delta = cohortDelta(database, cohortId);
  const runs = spendingRuns(database, cohortId);
  return {
    cohortId,
    entries: ledgerEntries(database, cohortId).map((entry): LedgerEntry => {
      const { sequence, recordedAt, kind, runId, previousHash, hash } = entry;
      const body = bodyOf(entry.body);
      return { sequence, recordedAt, kind, runId, body, previousHash, hash };
    }),
    runs: runs.flatMap((run) => ledgerRun(run) ?? []),
    delta,
    epsilon: delta === null ? 0 : composedEpsilon(runs, delta),
    medianEpsilon: delta === null ? 0 : composedEpsilon(runs, delta, "median"),
    cap: currentCap(database, cohortId),
    mechanisms: runs
      .flatMap((run) => patientMechanisms(run))
      .map((mechanism) => ({ imagesPerPatient: 1, ...mechanism })),
    releases: ledgerEntries(database, cohortId).flatMap((entry) => releaseOf(entry) ?? []),
    verification: verifyCohortLedger(database, cohortId, depth),
  };
}

function releaseOf({ kind, sequence, recordedAt, body }: StoredLedgerEntry): LedgerRelease | null {
  if (kind !== "release") return null;
  const { what, runIds, patients } = bodyOf(body) as Partial<LedgerRelease>;
  return {
    sequence,
    recordedAt,
    what: what ?? "comparison",
    runIds: runIds ?? [],
    patients: { training: 0, validation: 0, test: 0, ...patients },
  };
}

function ledgerRun(run: SpendingRun): LedgerRun | null {
  const { privacy, recipe, samplingRate, steps } = run.plan;
  if (privacy === null) return null;
  return {
    runId: run.runId,
    unit: recipe.unit,
    samplingRate,
    noiseMultiplier: privacy.noiseMultiplier,
    ...(recipe.noise === "gaussian" ? {} : { noise: recipe.noise }),
    stepsPlanned: steps,
    stepsSpent: run.stepsSpent,
    ...classCountsLine(run, privacy),
    epsilon: exactEpsilon(run.plan, run.stepsSpent, run.classCountsSpent) ?? 0,
    patient: patientFigures(run),
    patients: run.patients,
    state: run.state,
  };
}

/** The line of a run's private label counts; nothing where its plan has none. */
function classCountsLine(
  run: SpendingRun,
  { classCounts, delta }: NonNullable<SpendingRun["plan"]["privacy"]>,
): Pick<LedgerRun, "classCounts"> {
  if (classCounts === undefined) return {};
  const mechanisms = classCountsOf(run);
  const patient = mechanisms.map((mechanism) => ofPatient(mechanism, run));
  return {
    classCounts: {
      noiseMultiplier: classCounts.noiseMultiplier,
      spent: run.classCountsSpent,
      epsilon: epsilonFigure({ mechanisms, delta }),
      patientEpsilon: epsilonFigure({ mechanisms: patient, delta }),
    },
  };
}

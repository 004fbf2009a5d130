import { keysOf } from "../../../shared/findings.ts";
import { schemeOf } from "../../../shared/plan.ts";
import type { Comparison } from "../../../shared/comparison.ts";
import { UserError } from "../../../shared/errors.ts";
import { compareRuns, type RunToEvaluate } from "../../evaluation/compare.ts";
import { isInventedManufacturer } from "../../dicom/manufacturers.ts";
import { networkOf } from "../../network/networks.ts";
import { epsilonOf } from "../../privacy/accountant.ts";
import { meaningOf } from "../../privacy/meaning.ts";
import { writeReport, type ReportInput } from "../../report/report.ts";
import { cohortOverview } from "../../store/cohort-overview.ts";
import { keptAudit } from "../../store/audits.ts";
import { keepComparison, keptComparison, scoredImages } from "../../store/comparisons.ts";
import type { Database } from "../../store/database.ts";
import { requireRun } from "../../store/runs.ts";
import { manufacturersOf } from "../../store/image-table.ts";
import { optimiserInWords } from "../../training/recipe-words.ts";
import { prepareFigures } from "../../training/account-service.ts";
import { recordRelease } from "../../training/releases.ts";
import { spendingOf } from "../../training/spending-runs.ts";
import { unitMechanisms } from "../../training/spending.ts";
import { ledgerQuestions, readLedger, runSummary } from "../../training/run-summaries.ts";
import type { CoreContext } from "../context.ts";
import type { JobControl } from "../jobs.ts";
import { version } from "../version.ts";
import type { Handlers } from "./types.ts";

type EvaluationProcedures = "evaluation:compare" | "evaluation:comparison" | "report:write";

interface Pair {
  readonly privateRunId: string | null;
  readonly referenceRunId: string | null;
}

export function evaluationHandlers(context: CoreContext): Handlers<EvaluationProcedures> {
  const { database, jobs } = context;
  return {
    "evaluation:compare": (pair) => {
      const cohortId = cohortOfPair(context, pair);
      const jobId = jobs.start(
        { kind: "evaluation", cohortId, phase: "Comparing", unit: "bootstrap samples" },
        (control) => compare(context, pair, control),
      );
      return { jobId };
    },

    "evaluation:comparison": ({ privateRunId, referenceRunId }) =>
      keptComparison(database, privateRunId, referenceRunId),

    "report:write": ({ file, ...pair }) => {
      const cohortId = cohortOfPair(context, pair);
      const jobId = jobs.start(
        { kind: "report", cohortId, phase: "Comparing", unit: "bootstrap samples" },
        async (control) => {
          const comparison =
            keptComparison(database, pair.privateRunId, pair.referenceRunId) ??
            (await compare(context, pair, control));
          const runIds = [pair.privateRunId, pair.referenceRunId];
          recordRelease(database, "report", runIds, attackedPatients(database, runIds));
          await prepareFigures(ledgerQuestions(database, cohortId));
          control.report({ phase: "Writing the report", done: 0, total: null });
          const written = await writeReport({
            file,
            ...reportInput(context, cohortId, pair, comparison),
          });
          return { file, ...written };
        },
      );
      return { jobId };
    },
  };
}

/** The training patients whose membership the audits of these runs attacked. */
function attackedPatients(database: Database, runIds: readonly string[]): number {
  const attacks = runIds.flatMap((runId) => keptAudit(database, runId)?.attacks ?? []);
  return Math.max(0, ...attacks.map(({ members }) => members));
}

function reportInput(
  { database }: CoreContext,
  cohortId: number,
  pair: { readonly privateRunId: string; readonly referenceRunId: string },
  comparison: Comparison,
): ReportInput {
  const privateRun = runSummary(database, pair.privateRunId);
  const { privacy, recipe } = privateRun.plan;
  if (privacy === null) throw new Error("a private run has privacy in its plan");
  const meaning = meaningOf(privateRun.epsilonSpent ?? privacy.epsilon, privacy.delta, recipe.unit);
  const patient = privateRun.patientSpent;
  const { parameterCount } = networkOf(recipe, keysOf(schemeOf(privateRun.plan)).length);
  const manufacturers = manufacturersOf(database, cohortId);
  return {
    overview: cohortOverview(database, cohortId),
    comparison,
    ledger: readLedger(database, cohortId),
    privateRun,
    referenceRun: runSummary(database, pair.referenceRunId),
    meaning: {
      worstCasePosterior: meaning.posteriorFromEven,
      tradeOff: meaning.tradeOff,
      sentence: meaning.sentence,
      patientSentence: patient == null ? null : meaningOf(patient.epsilon, privacy.delta).sentence,
    },
    accountants: epsilonOf(
      unitMechanisms(spendingOf(database, requireRun(database, pair.privateRunId))),
      privacy.delta,
    ),
    audits: {
      private: keptAudit(database, pair.privateRunId),
      reference: keptAudit(database, pair.referenceRunId),
    },
    network: { title: recipe.network, parameters: parameterCount },
    optimiser: optimiserInWords(recipe),
    synthetic: manufacturers.length > 0 && manufacturers.every(isInventedManufacturer),
    appVersion: version,
    generatedAt: new Date().toISOString(),
  };
}

/** The cohort of a pair's runs; both must belong to it and have scored the held-out patients. */
function cohortOfPair({ database }: CoreContext, pair: Pair): number {
  const runs = [
    { id: pair.privateRunId, kind: "private" },
    { id: pair.referenceRunId, kind: "reference" },
  ].flatMap(({ id, kind }) => {
    if (id === null) return [];
    const run = runSummary(database, id);
    if (run.kind !== kind) {
      throw new UserError("input", `Run ${id} is a ${run.kind} run; a ${kind} run is needed here.`);
    }
    return [run];
  });
  const first = runs[0];
  if (first === undefined) throw new UserError("input", "Choose at least one run.");
  const unscored = runs.find((run) => !run.scored);
  if (unscored !== undefined) {
    throw new UserError(
      "conflict",
      `Run ${unscored.id} is ${unscored.state} and has not scored the held-out patients. ` +
        "Wait until it has finished, or train again.",
    );
  }
  if (runs.some((run) => run.cohortId !== first.cohortId)) {
    throw new UserError("input", "The two runs belong to different cohorts; choose two of one.");
  }
  return first.cohortId;
}

async function compare(
  { database }: CoreContext,
  pair: Pair,
  control: JobControl,
): Promise<Comparison> {
  const toEvaluate = (runId: string | null): RunToEvaluate | null => {
    if (runId === null) return null;
    const run = runSummary(database, runId);
    return {
      runId,
      kind: run.kind,
      plan: run.plan,
      stepsDone: run.stepsJournaled,
      epsilon: run.epsilonSpent,
      scored: scoredImages(database, runId, run.plan.positiveAtGrade),
    };
  };
  const comparison = await compareRuns({
    privateRun: toEvaluate(pair.privateRunId),
    referenceRun: toEvaluate(pair.referenceRunId),
    signal: control.signal,
    onProgress: (done, total) => {
      control.report({ phase: "Comparing", done, total });
    },
  });
  recordRelease(database, "comparison", [pair.privateRunId, pair.referenceRunId]);
  keepComparison(database, pair.privateRunId, pair.referenceRunId, comparison);
  return comparison;
}

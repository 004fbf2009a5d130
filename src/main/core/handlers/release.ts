import { keysOf } from "../../../shared/findings.ts";
import { existsSync, rmSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { preparationOf } from "../../dicom/pipeline.ts";
import type { ExportFormat, ExportedModel } from "../../../shared/contract/release.ts";
import { UserError } from "../../../shared/errors.ts";
import { inferenceModel } from "../../engine/inference-model.ts";
import { writeModel } from "../../engine/onnxruntime/model.ts";
import { networkOf } from "../../network/networks.ts";
import { writeSafetensors } from "../../network/safetensors.ts";
import { namedTensors } from "../../network/weights.ts";
import { modelCard } from "../../report/model-card.ts";
import { recordAudit } from "../../store/audit-log.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import { requireRun, startingWeightsOf, type RunRecord } from "../../store/runs.ts";
import { writeNamedFile } from "../../store/whole-file.ts";
import { matchWeights } from "../../training/initial-weights.ts";
import { requestStop, requeueRun } from "../../training/recovery.ts";
import { releaseFacts } from "../../training/release-facts.ts";
import { readReleasedWeights, type ReleasedWeights } from "../../training/released-weights.ts";
import { readLedger, runSummary } from "../../training/run-summaries.ts";
import type { CoreContext } from "../context.ts";
import type { JobControl } from "../jobs.ts";
import { filmScores, scoreFilms, scoresTable, type FilmOutcome } from "../score-films.ts";
import { version } from "../version.ts";
import type { Handlers } from "./types.ts";

type ReleaseProcedures =
  | "weights:match"
  | "weights:of-run"
  | "training:pause"
  | "training:resume"
  | "run:export"
  | "predict:start"
  | "predict:save";

/** Scorings of this session whose whole table can still be saved. */
const scoringsKept = 5;

interface ExportRequest {
  readonly runId: string;
  readonly format: ExportFormat;
  readonly file: string;
  readonly logits: boolean;
  readonly acceptNonPrivate: boolean;
}

/** What the films of one scoring gave, and the run that scored them. */
interface Scoring {
  readonly run: RunRecord;
  readonly outcomes: readonly FilmOutcome[];
}

interface ScoringRequest {
  readonly runId: string;
  readonly paths: readonly string[];
  readonly file: string | null;
  readonly limit: number | null;
}

export function releaseHandlers(context: CoreContext): Handlers<ReleaseProcedures> {
  const { database, queue, jobs } = context;
  const scorings = new Map<string, Scoring>();
  return {
    "weights:match": ({ scheme, file, ...chosen }) =>
      matchWeights(networkOf(chosen, keysOf(scheme).length), file, keysOf(scheme)),
    "weights:of-run": ({ runId }) => {
      requireRun(database, runId);
      return startingWeightsOf(database, runId);
    },

    "training:pause": ({ runId }) => {
      const run = requestStop(database, runId, "pause");
      context.emit("cohort:changed", { cohortId: run.cohortId });
      return run;
    },

    "training:resume": ({ runId }) => {
      const run = requeueRun(database, runId);
      queue.add([runId]);
      context.emit("cohort:changed", { cohortId: run.cohortId });
      return run;
    },

    "run:export": (request) => exportRun(context, request),

    "predict:start": (request) => {
      const run = requireRun(database, request.runId);
      preparationOf(run.plan.pixelPipeline);
      readReleasedWeights(context.dataFolder, run);
      const missing = request.paths.find((path) => !existsSync(path));
      if (missing !== undefined) {
        throw new UserError("not-found", `There is no file or folder ${missing}. Check the path.`);
      }
      const jobId = jobs.start(
        { kind: "scoring", cohortId: run.cohortId, phase: "Starting", unit: "films" },
        async (control) => {
          const { outcomes, result } = await score(context, request, control);
          scorings.set(jobId, { run, outcomes });
          for (const old of [...scorings.keys()].slice(0, -scoringsKept)) scorings.delete(old);
          return result;
        },
      );
      return { jobId };
    },

    "predict:save": ({ jobId, file }) => {
      const scoring = scorings.get(jobId);
      if (scoring === undefined) {
        throw new UserError("not-found", "These scores are gone. Score the films again.");
      }
      const { run, outcomes } = scoring;
      writeNamedFile(file, scoresTable(run, outcomes));
      return { file, rows: outcomes.length };
    },
  };
}

async function score(
  { database, dataFolder }: CoreContext,
  { runId, paths, file, limit }: ScoringRequest,
  control: JobControl,
) {
  const started = performance.now();
  const run = requireRun(database, runId);
  const outcomes: FilmOutcome[] = [];
  await scoreFilms({
    dataFolder,
    run,
    framePixels: cohortSummary(database, run.cohortId).framePixels,
    paths,
    control,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  if (outcomes.length === 0) {
    throw new UserError(
      "input",
      "No DICOM file was found there. Choose films or a folder of them.",
    );
  }
  if (file !== null) writeNamedFile(file, scoresTable(run, outcomes));
  const seconds = (performance.now() - started) / 1000;
  return { outcomes, result: filmScores(run, outcomes, { limit, file, seconds }) };
}

function exportRun({ database, dataFolder }: CoreContext, request: ExportRequest): ExportedModel {
  const run = requireRun(database, request.runId);
  if (run.plan.privacy === null && !request.acceptNonPrivate) {
    throw new UserError(
      "conflict",
      `Run ${run.id} is a reference run: it was trained without privacy and protects nobody, so ` +
        "its weights must stay inside. Export the private run, or say explicitly that you accept " +
        "this (--accept-non-private on the command line).",
    );
  }
  const released = readReleasedWeights(dataFolder, run);
  const facts = releaseFacts(run);
  const bytes = bytesOf(released, facts, request);
  const sha256 = writeNamedFile(request.file, bytes);
  const card = cardFile(request.file);
  const file = { name: basename(request.file), format: request.format, sha256 };
  const text = modelCard({
    run: runSummary(database, run.id),
    parameters: released.network.parameterCount,
    ledger: readLedger(database, run.cohortId),
    file,
    appVersion: version,
    generatedAt: new Date().toISOString(),
  });
  try {
    writeNamedFile(card, text);
  } catch (thrown) {
    // A model without its card must not lie about.
    rmSync(request.file, { force: true });
    throw thrown;
  }
  recordAudit(database, "export", { run: run.id, ...file, privacy: facts["privacy"] });
  return { file: request.file, format: request.format, bytes: bytes.byteLength, sha256, card };
}

function bytesOf(
  { network, weights }: ReleasedWeights,
  facts: Readonly<Record<string, string>>,
  { format, logits }: Pick<ExportRequest, "format" | "logits">,
): Uint8Array {
  if (format === "safetensors") return writeSafetensors(namedTensors(network, weights), facts);
  const resolutionPixels = Number(facts["resolutionPixels"]);
  return writeModel(
    inferenceModel(network, weights, { resolutionPixels, logits, metadata: facts }),
  );
}

/** Beside the exported file: "model.onnx" has "model.card.md". */
function cardFile(file: string): string {
  return join(dirname(file), `${basename(file, extname(file))}.card.md`);
}

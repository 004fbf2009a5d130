import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { ImportResult, LabelImportResult } from "../../../shared/domain.ts";
import { UserError } from "../../../shared/errors.ts";
import { formatCount, formatDuration } from "../../../shared/format.ts";
import { openCore, type Core } from "../../core/core.ts";
import { generatePhantoms } from "../../phantoms/generate.ts";
import type { Output } from "../output.ts";
import { numberArgument, outputOf, waitForJob, wholeNumber } from "../session.ts";
import { describeImport, findOrCreate } from "./cohort.ts";
import { describeLabels } from "./label-table.ts";
import { compare, describeComparison, writeReport } from "./report.ts";
import { ensureSplit, waitForRun } from "./training.ts";

interface DemoOptions {
  readonly out: string;
  readonly patients: number;
  readonly epsilon: number;
}

const phantomSeed = 2024;
const phantomPixels = 320;

/** `demo` and `phantoms`. */
export function addDemoCommands(program: Command): void {
  program
    .command("demo")
    .description("the main job from nothing: phantom cohort, both runs, comparison, PDF")
    .option("--out <folder>", "where everything goes", "silhouette-demo")
    .option("--patients <n>", "patients of the phantom cohort", wholeNumber(100), 3000)
    .option("--epsilon <epsilon>", "the epsilon not to exceed", numberArgument, 8)
    .action(async (options: DemoOptions, command: Command) => {
      await demonstrate(options, command);
    });

  program
    .command("phantoms <folder>")
    .description("write synthetic chest radiographs as DICOM, with labels.csv")
    .requiredOption("--patients <n>", "number of patients", wholeNumber(1))
    .requiredOption("--seed <n>", "the same seed gives the same files", wholeNumber(0))
    .option("--size <pixels>", "larger side of an image", wholeNumber(64), 512)
    .option("--transfer-syntax <uid>", "transfer syntax UID, or mixed")
    .action(
      async (
        folder: string,
        options: { patients: number; seed: number; size: number; transferSyntax?: string },
        command: Command,
      ) => {
        const output = outputOf(command);
        const result = await writePhantoms(output, {
          folder: resolve(folder),
          patients: options.patients,
          seed: options.seed,
          sizePixels: options.size,
          ...(options.transferSyntax === undefined
            ? {}
            : { transferSyntax: options.transferSyntax }),
        });
        output.result(
          result,
          () =>
            `${formatCount(result.images)} phantom films of ${formatCount(options.patients)} ` +
            `patients in ${result.folder}`,
        );
      },
    );
}

async function writePhantoms(
  output: Output,
  request: Parameters<typeof generatePhantoms>[0],
): ReturnType<typeof generatePhantoms> {
  const abort = new AbortController();
  const cancel = (): void => {
    abort.abort(new UserError("conflict", "Cancelled."));
  };
  process.once("SIGINT", cancel);
  process.once("SIGTERM", cancel);
  try {
    return await generatePhantoms({
      ...request,
      signal: abort.signal,
      onProgress: ({ patientsDone, patients }) => {
        output.progress(
          `Making phantoms: ${formatCount(patientsDone)} of ${formatCount(patients)} patients`,
        );
      },
    });
  } finally {
    process.off("SIGINT", cancel);
    process.off("SIGTERM", cancel);
  }
}

async function demonstrate(options: DemoOptions, command: Command): Promise<void> {
  const output = outputOf(command);
  const started = performance.now();
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const films = join(out, `phantoms-${options.patients}`);
  if (existsSync(join(films, "labels.csv"))) {
    output.message(`1/6 The phantoms in ${films} are complete already.`);
  } else {
    output.message(`1/6 Making ${formatCount(options.patients)} phantom patients as DICOM`);
    refuseForeignFolder(films);
    await writePhantoms(output, {
      folder: films,
      patients: options.patients,
      seed: phantomSeed,
      sizePixels: phantomPixels,
    });
  }

  const core = await openCore({ dataFolder: join(out, "data") });
  try {
    const summary = await runMainJob(core, output, { ...options, out, films });
    const seconds = (performance.now() - started) / 1000;
    output.result({ ...summary, seconds }, () =>
      [
        "",
        describeComparison(summary.comparison),
        "",
        `Report: ${summary.report}`,
        `Done in ${formatDuration(seconds)}. Open the app on the same data: npm start -- --data ${join(out, "data")}`,
      ].join("\n"),
    );
  } finally {
    await core.close();
  }
}

function refuseForeignFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UserError(
      "conflict",
      `${folder} holds an unfinished or foreign set of files. Delete that folder, or choose another with --out.`,
    );
  }
}

async function runMainJob(
  core: Core,
  output: Output,
  options: DemoOptions & { readonly films: string },
) {
  const cohort = await findOrCreate(core, `Phantoms ${options.patients}`, { framePixels: 128 });

  output.message("2/6 Importing the films");
  const intake = await core.call("intake:start", { cohortId: cohort.id, paths: [options.films] });
  const imported = await waitForJob<ImportResult>(core, output, intake.jobId);
  output.message(`    ${describeImport(imported)}`);

  output.message("3/6 Importing the labels");
  const labels = await core.call("labels:import", {
    cohortId: cohort.id,
    file: join(options.films, "labels.csv"),
  });
  const labelled = await waitForJob<LabelImportResult>(core, output, labels.jobId);
  output.message(`    ${describeLabels(labelled)}`);
  await ensureSplit(core, output, cohort.id);

  output.message(`4/6 Training privately (epsilon ${options.epsilon}) and without privacy`);
  const { recipe } = await core.call("training:defaults", { cohortId: cohort.id });
  const { runIds } = await core.call("training:start", {
    cohortId: cohort.id,
    recipe,
    epsilon: options.epsilon,
    delta: null,
    withReference: true,
  });
  const runs = [];
  for (const runId of runIds) runs.push(await waitForRun(core, output, runId));
  const privateRun = runs.find((run) => run.kind === "private");
  const referenceRun = runs.find((run) => run.kind === "reference");
  if (privateRun === undefined || referenceRun === undefined) {
    throw new Error("a pair of runs was expected");
  }

  output.message("5/6 Comparing the two on the held-out patients");
  const comparison = await compare(core, output, privateRun.id, referenceRun.id);

  output.message("6/6 Writing the report");
  const report = await writeReport(core, output, {
    privateRunId: privateRun.id,
    referenceRunId: referenceRun.id,
    file: join(options.out, "report.pdf"),
  });
  return {
    report: report.file,
    pages: report.pages,
    epsilon: privateRun.epsilonSpent,
    delta: privateRun.plan.privacy?.delta ?? null,
    privateMacroAuroc: comparison.privateRun?.macroAuroc ?? null,
    referenceMacroAuroc: comparison.referenceRun?.macroAuroc ?? null,
    privateRun: privateRun.id,
    referenceRun: referenceRun.id,
    comparison,
  };
}

import { resolve } from "node:path";
import { Option, type Command } from "commander";
import {
  exportFormats,
  type ExportFormat,
  type FilmScores,
} from "../../../shared/contract/release.ts";
import { formatCount, formatCounted, formatNumber } from "../../../shared/format.ts";
import { table } from "../output.ts";
import { waitForJob, withCore } from "../session.ts";
import { describeRun, waitForRun } from "./training.ts";

/** Films that are printed in words; the table in a file always has all. */
const filmsPrinted = 40;

/** `resume`, `predict`, `export`. */
export function addReleaseCommands(program: Command): void {
  program
    .command("resume <run>")
    .description("go on with a stopped or failed run; journaled steps stay spent")
    .action(async (runId: string, _options: unknown, command: Command) => {
      await withCore(command, async (core, output) => {
        await core.call("training:resume", { runId });
        const run = await waitForRun(core, output, runId);
        output.result({ run: run.id, ...run }, () => describeRun(run));
      });
    });

  program
    .command("predict <run> <paths...>")
    .description("scores of a trained model for films or folders of films")
    .option("--out <csv>", "also write a table with every film")
    .action(async (runId: string, paths: string[], options: { out?: string }, command: Command) => {
      await withCore(command, async (core, output) => {
        const { jobId } = await core.call("predict:start", {
          runId,
          paths: paths.map((path) => resolve(path)),
          file: options.out === undefined ? null : resolve(options.out),
        });
        const scores = await waitForJob<FilmScores>(core, output, jobId);
        output.result(scores, () => describeScores(scores));
      });
    });

  program
    .command("export <run>")
    .description("write a run's weights, or a model for use elsewhere, with its model card")
    .addOption(
      new Option("--format <format>", "safetensors: weights; onnx: inference model")
        .choices([...exportFormats])
        .makeOptionMandatory(),
    )
    .requiredOption("--out <file>", "the file to write")
    .option("--logits", "let the ONNX model give logits too")
    .option(
      "--accept-non-private",
      "export a reference run although its weights protect nobody and must stay inside",
    )
    .action(
      async (
        runId: string,
        options: {
          format: ExportFormat;
          out: string;
          logits?: boolean;
          acceptNonPrivate?: boolean;
        },
        command: Command,
      ) => {
        await withCore(command, async (core, output) => {
          const exported = await core.call("run:export", {
            runId,
            format: options.format,
            file: resolve(options.out),
            logits: options.logits === true,
            acceptNonPrivate: options.acceptNonPrivate === true,
          });
          output.result(exported, () => `${exported.file}\n${exported.card}`);
        });
      },
    );
}

function describeScores(scores: FilmScores): string {
  const shown = scores.films.slice(0, filmsPrinted);
  const rest = scores.films.length - shown.length;
  return [
    table([
      ["film", ...scores.labels],
      ...shown.map((film) => [
        film.path,
        ...scores.labels.map((label) => formatNumber(film.scores[label] ?? NaN, 3)),
      ]),
    ]),
    rest > 0 ? `... and ${formatCount(rest)} more; --out writes all.` : "",
    ...scores.unreadable.map(({ path, reason }) => `Not scored: ${path}: ${reason}`),
    `${formatCount(scores.scored)} of ${formatCounted(scores.found, "file")} scored with run ` +
      `${scores.run}.${scores.file === null ? "" : ` Table: ${scores.file}`}`,
  ]
    .filter((line) => line !== "")
    .join("\n");
}

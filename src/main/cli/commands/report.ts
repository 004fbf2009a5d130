import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Comparison, RunEvaluation } from "../../../shared/comparison.ts";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { findingsOf } from "../../../shared/findings.ts";
import { schemeOf } from "../../../shared/plan.ts";
import {
  formatCounted,
  formatDelta,
  formatEpsilon,
  formatInterval,
} from "../../../shared/format.ts";
import { shownGroups, suppressedPairs } from "../../../shared/suppression.ts";
import { attributeTitle } from "../../../shared/subgroups.ts";
import type { Core } from "../../core/core.ts";
import { metricsFromTable, type TableMetrics } from "../../evaluation/table.ts";
import { table, type Output } from "../output.ts";
import { outputOf, waitForJob, withCore } from "../session.ts";

export interface ReportResult {
  readonly file: string;
  readonly pages: number;
  readonly bytes: number;
}

/** `evaluate`, `metrics`, `report`. */
export function addReportCommands(program: Command): void {
  program
    .command("evaluate <run>")
    .description("metrics with intervals, per label and subgroup, on the held-out patients")
    .option("--reference <run>", "the run to compare with")
    .action(async (runId: string, options: { reference?: string }, command: Command) => {
      await withCore(command, async (core, output) => {
        const comparison = await compare(core, output, runId, options.reference ?? null);
        output.result(comparison, () => describeComparison(comparison));
      });
    });

  program
    .command("metrics <file>")
    .description("the same statistics from a table with patient, label, truth, score and groups")
    .option("--group <columns...>", "columns that divide the patients into subgroups")
    .action(async (file: string, options: { group?: string[] }, command: Command) => {
      const output = outputOf(command);
      const metrics = await metricsFromTable(readTable(file), {
        groups: options.group ?? [],
        onProgress: (done, total) => {
          output.progress(`Bootstrap: ${done} of ${total} samples`);
        },
      });
      output.result(metrics, () => describeMetrics(metrics));
    });

  program
    .command("report")
    .description("write the PDF that sets a private run beside its reference run")
    .requiredOption("--private <run>", "the private run")
    .requiredOption("--reference <run>", "the reference run")
    .requiredOption("--out <file>", "the PDF to write")
    .action(
      async (options: { private: string; reference: string; out: string }, command: Command) => {
        await withCore(command, async (core, output) => {
          const written = await writeReport(core, output, {
            privateRunId: options.private,
            referenceRunId: options.reference,
            file: resolve(options.out),
          });
          output.result(written, () => `${written.file}: ${formatCounted(written.pages, "page")}`);
        });
      },
    );
}

function readTable(file: string): string {
  try {
    return readFileSync(resolve(file), "utf8");
  } catch (thrown) {
    throw new UserError("input", `${file} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function describeMetrics(metrics: TableMetrics): string {
  const labels = table([
    ["Label", "positive", "negative", "AUROC"],
    ...metrics.labels.map((label) => [
      label.label,
      label.positives,
      label.negatives,
      formatInterval(label.auroc),
    ]),
    ["Macro mean", "", "", formatInterval(metrics.macroAuroc)],
  ]);
  const groups = metrics.groups.map((group) =>
    [
      `${group.column} ${group.group}: ${formatCounted(group.patients, "patient")}`,
      table(
        group.labels.map((label) => [
          `  ${label.label}`,
          label.positives,
          label.negatives,
          formatInterval(label.auroc),
        ]),
      ),
    ].join("\n"),
  );
  return [labels, ...groups].join("\n\n");
}

/** Compares two runs; which of the two is private, the store knows. */
export async function compare(
  core: Core,
  output: Output,
  runId: string,
  otherId: string | null,
): Promise<Comparison> {
  const kinds = new Map<string, "private" | "reference">();
  for (const id of [runId, otherId]) {
    if (id !== null) kinds.set(id, (await core.call("run:progress", { runId: id })).run.kind);
  }
  if (otherId !== null && kinds.get(runId) === kinds.get(otherId)) {
    throw new UserError(
      "input",
      `Both runs are ${kinds.get(runId) ?? ""} runs; a comparison needs one private and one reference run.`,
    );
  }
  const idOf = (kind: "private" | "reference"): string | null =>
    [...kinds].find(([, found]) => found === kind)?.[0] ?? null;
  const { jobId } = await core.call("evaluation:compare", {
    privateRunId: idOf("private"),
    referenceRunId: idOf("reference"),
  });
  return waitForJob<Comparison>(core, output, jobId);
}

export async function writeReport(
  core: Core,
  output: Output,
  request: { privateRunId: string; referenceRunId: string; file: string },
): Promise<ReportResult> {
  const { jobId } = await core.call("report:write", request);
  return waitForJob<ReportResult>(core, output, jobId);
}

export function describeComparison(comparison: Comparison): string {
  const runs = [comparison.privateRun, comparison.referenceRun].filter((run) => run !== null);
  const aurocOf = (run: RunEvaluation, finding: string): string =>
    formatInterval(run.labels.find((label) => label.finding === finding)?.auroc ?? null);
  const plan = runs[0]?.plan;
  const labels = plan === undefined ? [] : findingsOf(schemeOf(plan));
  const sizes = shownGroups(runs[0]?.fairness ?? [], comparison.minimumCell);
  const rows = labels.map((finding) => {
    const label = runs[0]?.labels.find((candidate) => candidate.finding === finding.key);
    const pair = label ?? { positives: 0, negatives: 0 };
    const [counts] = suppressedPairs([pair], comparison.minimumCell, false);
    return [
      finding.title,
      counts?.positives.shown ?? "–",
      counts?.negatives.shown ?? "–",
      ...runs.map((run) => aurocOf(run, finding.key)),
    ];
  });
  return [
    ...runs.map(
      (run) =>
        `${run.kind === "private" ? "Private run" : "Reference run"} ${run.runId}: macro AUROC ` +
        `${formatInterval(run.macroAuroc)} on ${run.testPatients} held-out patients` +
        (run.epsilon === null
          ? ""
          : `, epsilon ${formatEpsilon(run.epsilon)} at delta ${formatDelta(run.plan.privacy?.delta ?? 0)}`),
    ),
    "",
    table([
      ["Label", "positive", "negative", ...runs.map((run) => `AUROC ${run.kind}`)],
      ...rows,
      ["Macro mean", "", "", ...runs.map((run) => formatInterval(run.macroAuroc))],
    ]),
    "",
    table([
      ["Subgroup", "patients", "images", ...runs.map((run) => `macro AUROC ${run.kind}`)],
      ...[...sizes].map(([{ attribute, group }, { patients, images }]) => [
        `${attributeTitle(attribute)} ${group}`,
        patients,
        images,
        ...runs.map((run) =>
          formatInterval(
            run.fairness.find((one) => one.attribute === attribute && one.group === group)
              ?.macroAuroc ?? null,
          ),
        ),
      ]),
    ]),
  ].join("\n");
}

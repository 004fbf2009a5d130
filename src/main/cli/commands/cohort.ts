import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { uncertainPolicies } from "../../../shared/contract.ts";
import { asideCodes } from "../../../shared/contract/films.ts";
import type {
  CohortOverview,
  CohortSummary,
  CountByValue,
  ImportResult,
  LabelImportResult,
} from "../../../shared/domain.ts";
import { UserError } from "../../../shared/errors.ts";
import { isSameScheme, schemeTitle, titleIn } from "../../../shared/findings.ts";
import { ownScheme } from "../../../shared/own-labels.ts";
import { formatCount, formatCounted, formatDuration } from "../../../shared/format.ts";
import type { Core } from "../../core/core.ts";
import { table } from "../output.ts";
import { waitForJob, withCore, wholeNumber } from "../session.ts";
import {
  addLabelSetOptions,
  chosenLabels,
  type ChosenLabels,
  type LabelSetOptions,
} from "./label-set.ts";
import {
  describeLabels,
  describePreview,
  presetHelp,
  tableReading,
  type TableOptions,
} from "./label-table.ts";

/** `import`, `labels`, `cohort`, `aside`. */
export function addCohortCommands(program: Command): void {
  const importing = program
    .command("import <cohort> <paths...>")
    .description("import films from folders and files; the cohort is created where it is new")
    .option(
      "--frame <pixels>",
      "size of the cached training frame of a new cohort",
      wholeNumber(32),
    );
  addLabelSetOptions(importing)
    .option("--table <file>", "names the patients of films that do not: PNG and JPEG")
    .option("--preset <name>", presetHelp)
    .option("--map <file>", "a JSON file that says which column of the table carries what")
    .action(
      async (
        name: string,
        paths: string[],
        options: { frame?: number; table?: string } & LabelSetOptions & TableOptions,
        command: Command,
      ) => {
        await withCore(command, async (core, output) => {
          const cohort = await findOrCreate(core, name, {
            framePixels: options.frame ?? null,
            labels: await chosenLabels(core, options),
          });
          const { jobId } = await core.call("intake:start", {
            cohortId: cohort.id,
            paths: paths.map((path) => resolve(path)),
            table: options.table === undefined ? null : tableReading(options.table, options),
          });
          const result = await waitForJob<ImportResult>(core, output, jobId);
          output.result(result, () => describeImport(result));
        });
      },
    );

  program
    .command("labels <cohort> <file>")
    .description("import a table of labels")
    .option("--preset <name>", presetHelp)
    .option("--map <file>", "a JSON file that says which column carries what")
    .addOption(
      new Option("--uncertain <policy>", "what an uncertain label of a data set counts as")
        .choices(uncertainPolicies)
        .default("missing"),
    )
    .option("--preview", "say what would be imported, and write nothing")
    .action(
      async (
        name: string,
        file: string,
        options: TableOptions & { preview?: boolean },
        command: Command,
      ) => {
        await withCore(command, async (core, output) => {
          const cohort = await cohortNamed(core, name);
          const reading = { cohortId: cohort.id, ...tableReading(file, options) };
          if (options.preview === true) {
            const preview = await core.call("labels:preview", reading);
            output.result(preview, () => describePreview(preview, cohort.scheme));
            return;
          }
          const { jobId } = await core.call("labels:import", reading);
          const result = await waitForJob<LabelImportResult>(core, output, jobId);
          output.result(result, () => describeLabels(result));
        });
      },
    );

  program
    .command("cohort <cohort>")
    .description("counts by status, sex, age, label and split")
    .option("--split", "make a split by patient (70 % train, 10 % validation, 20 % test)")
    .option("--folds", "make a split by the data set's own folds, as its table gave them")
    .action(
      async (name: string, options: { split?: boolean; folds?: boolean }, command: Command) => {
        await withCore(command, async (core, output) => {
          const cohort = await cohortNamed(core, name);
          if (options.split === true || options.folds === true) {
            const byFolds = options.folds === true;
            await core.call("cohort:split", { ...defaultSplit(cohort.id), byFolds });
          }
          const overview = await core.call("cohort:overview", { cohortId: cohort.id });
          output.result(overview, () => describeCohort(overview));
        });
      },
    );

  program
    .command("aside <cohort>")
    .description("films that are set aside, by reason, and taking those of one reason back")
    .addOption(
      new Option("--take-back <reason>", "let these films take part again").choices([
        ...asideCodes,
      ]),
    )
    .option("--knowingly", "take back raw detector data too, which look otherwise than films")
    .action(
      async (
        name: string,
        options: { takeBack?: (typeof asideCodes)[number]; knowingly?: boolean },
        command: Command,
      ) => {
        await withCore(command, async (core, output) => {
          const { id: cohortId } = await cohortNamed(core, name);
          const code = options.takeBack;
          const taken =
            code === undefined
              ? null
              : await core.call("aside:take-back", {
                  cohortId,
                  code,
                  knowingly: options.knowingly ?? false,
                });
          const groups = await core.call("aside:groups", { cohortId });
          output.result({ takenBack: taken?.changed ?? 0, groups }, () =>
            [
              ...(taken === null ? [] : [`${formatCounted(taken.changed, "film")} taken back.`]),
              groups.length === 0
                ? "No film is set aside."
                : table([
                    ["Set aside", "images", "patients"],
                    ...groups.map((group) => [group.code, group.images, group.patients]),
                  ]),
            ].join("\n\n"),
          );
        });
      },
    );
}

/** The split that is made where nobody asked for another. */
export function defaultSplit(cohortId: number) {
  return { cohortId, train: 0.7, validation: 0.1, test: 0.2 };
}

/** @throws UserError "not-found", naming the cohorts that exist. */
export async function cohortNamed(core: Core, name: string): Promise<CohortSummary> {
  const cohorts = await core.call("cohort:list", {});
  const cohort = cohorts.find((candidate) => candidate.name === name);
  if (cohort !== undefined) return cohort;
  const known = cohorts.map((candidate) => `"${candidate.name}"`).join(", ");
  throw new UserError(
    "not-found",
    `There is no cohort named "${name}" in this data folder. ` +
      (known === ""
        ? "Import films first: silhouette import COHORT PATH..."
        : `There is ${known}.`),
  );
}

export async function findOrCreate(
  core: Core,
  name: string,
  {
    framePixels,
    labels = { scheme: null, ownLabels: null },
  }: { readonly framePixels: number | null; readonly labels?: ChosenLabels },
): Promise<CohortSummary> {
  const cohorts = await core.call("cohort:list", {});
  const cohort = cohorts.find((candidate) => candidate.name === name);
  if (cohort !== undefined) {
    const { scheme, ownLabels } = labels;
    const wanted = ownLabels === null ? scheme : ownScheme(ownLabels);
    if (wanted === null || isSameScheme(wanted, cohort.scheme)) return cohort;
    throw new UserError(
      "conflict",
      `The cohort "${name}" exists with other labels (${schemeTitle(cohort.scheme)}), ` +
        "which cannot be changed. Choose another name for the cohort.",
    );
  }
  return core.call("cohort:create", {
    name,
    ...(framePixels === null ? {} : { framePixels }),
    ...(labels.scheme === null ? {} : { scheme: labels.scheme }),
    ...(labels.ownLabels === null ? {} : { ownLabels: [...labels.ownLabels] }),
  });
}

const rowsListed = 20;

export function describeImport(result: ImportResult): string {
  const lines = [
    `${formatCounted(result.found, "file")}: ${formatCount(result.imported)} imported ` +
      `(${formatCount(result.setAside)} of them set aside), ` +
      `${formatCounted(result.duplicates, "duplicate")}, ` +
      `${formatCount(result.quarantined.length)} quarantined, ` +
      `${formatCount(result.passedOver)} passed over as no films, in ${formatDuration(result.seconds)}`,
  ];
  for (const { path, reason } of result.quarantined.slice(0, rowsListed)) {
    lines.push(`  ${path}: ${reason}`);
  }
  if (result.quarantined.length > rowsListed) {
    lines.push(`  and ${formatCount(result.quarantined.length - rowsListed)} more`);
  }
  return lines.join("\n");
}

function describeCohort(overview: CohortOverview): string {
  const { summary } = overview;
  const counts = (title: string, rows: readonly CountByValue[]): string =>
    `${title}\n${table([
      ["", "images", "patients"],
      ...rows.map((row) => [`  ${row.value}`, row.images, row.patients]),
    ])}`;
  const labels = table([
    ["Label", "positive", "negative", "missing"],
    ...overview.labels.map((label) => [
      `  ${titleIn(summary.scheme, label.finding)}`,
      label.positive,
      label.negative,
      label.missing,
    ]),
  ]);
  const split =
    overview.split === null
      ? "No split yet: the first run makes one, or use --split."
      : table([
          ["Part", "patients", "images"],
          ...overview.split.parts.map((part) => [`  ${part.part}`, part.patients, part.images]),
        ]);
  return [
    `${summary.name}: ${formatCounted(summary.images, "image")} of ` +
      `${formatCounted(summary.patients, "patient")}, frames of ${summary.framePixels} px`,
    counts("Status", overview.byStatus),
    counts("Sex", overview.bySex),
    counts("Age", overview.byAge),
    counts("Co-morbidities", overview.byComorbidity),
    ...overview.bySubgroup.map(({ name, values }) => counts(name, values)),
    labels,
    split,
  ].join("\n\n");
}

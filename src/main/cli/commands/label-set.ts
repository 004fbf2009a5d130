import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { schemeNames, type SchemeName } from "../../../shared/findings.ts";
import { ownSetProblem, type OwnLabel } from "../../../shared/own-labels.ts";
import { UserError } from "../../../shared/errors.ts";
import type { Core } from "../../core/core.ts";

/** The options with which a command makes a cohort with other labels than the study's. */
export interface LabelSetOptions {
  readonly findings?: SchemeName;
  readonly label?: readonly OwnLabel[];
  readonly labelsFrom?: string;
  readonly columns?: readonly string[];
}

/** The labels of a new cohort; nulls leave it the study's. */
export interface ChosenLabels {
  readonly scheme: SchemeName | null;
  readonly ownLabels: readonly OwnLabel[] | null;
}

/** `--findings`, `--label`, `--labels-from` and `--columns`. */
export function addLabelSetOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--findings <scheme>",
        "labels of a new cohort: the study's with sides or without, or a public data set's own list",
      )
        .choices([...schemeNames])
        .conflicts(["label", "labelsFrom"]),
    )
    .addOption(
      new Option(
        "--label <name>",
        'a label of a new cohort\'s own set, once for each: "Name", "Name:right", "Name:left" or ' +
          '"Name:both" for one of each side',
      )
        .argParser(withLabel)
        .conflicts("labelsFrom"),
    )
    .option(
      "--labels-from <table>",
      "take a new cohort's labels from a table's columns of findings",
    )
    .option("--columns <names>", "which columns of that table, separated by commas", (text) =>
      text.split(",").map((name) => name.trim()),
    );
}

function withLabel(text: string, before: readonly OwnLabel[] = []): readonly OwnLabel[] {
  const [, name = "", which] = /^(.*?)(?::(right|left|both))?$/s.exec(text) ?? [];
  const sides =
    which === "both"
      ? (["right", "left"] as const)
      : ([which === "right" || which === "left" ? which : null] as const);
  const labels = [...before, ...sides.map((side): OwnLabel => ({ name, side }))];
  const problem = ownSetProblem(labels);
  if (problem !== null) throw new InvalidArgumentError(problem);
  return labels;
}

/** @throws UserError where the table has not the columns, or none that holds findings. */
export async function chosenLabels(core: Core, options: LabelSetOptions): Promise<ChosenLabels> {
  const { findings = null, label = null, labelsFrom, columns } = options;
  if (labelsFrom !== undefined) {
    return { scheme: null, ownLabels: await labelsOfTable(core, labelsFrom, columns ?? null) };
  }
  if (columns !== undefined) {
    throw new UserError("input", "--columns says which columns of --labels-from: name the table.");
  }
  return { scheme: findings, ownLabels: label };
}

async function labelsOfTable(
  core: Core,
  file: string,
  wanted: readonly string[] | null,
): Promise<readonly OwnLabel[]> {
  const { columns } = await core.call("labels:columns", { file: resolve(file) });
  const absent = wanted?.find((name) => columns.every(({ column }) => column !== name));
  if (absent !== undefined) {
    const known = columns.map(({ column }) => column).join(", ");
    throw new UserError("input", `${file} has no column "${absent}". It has ${known}.`);
  }
  const labels = columns
    .filter(({ column, isFinding }) => wanted?.includes(column) ?? isFinding)
    .map(({ label }) => label);
  if (labels.length > 0) return labels;
  throw new UserError(
    "input",
    `No column of ${file} holds only findings (grades, or yes, no and uncertain). ` +
      "Say which to take with --columns.",
  );
}

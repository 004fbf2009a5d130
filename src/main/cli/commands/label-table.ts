import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import {
  labelMappingSchema,
  presetNames,
  type InputOf,
  type LabelMapping,
  type LabelPreview,
  type PresetName,
  type UncertainPolicy,
} from "../../../shared/contract.ts";
import type { LabelImportResult } from "../../../shared/domain.ts";
import { messageOf, UserError } from "../../../shared/errors.ts";
import { titleIn, type Scheme } from "../../../shared/findings.ts";
import { formatCount, formatCounted } from "../../../shared/format.ts";
import { table } from "../output.ts";

export const presetHelp =
  `the data set that the table comes from: ${presetNames.join(", ")}, or own; ` +
  "recognised by its columns where not given";

/** The options of every command that reads a table. */
export interface TableOptions {
  readonly preset?: string;
  readonly map?: string;
  readonly uncertain?: UncertainPolicy;
}

/** How a table is to be read, from a command's options. */
export function tableReading(
  file: string,
  options: TableOptions,
): Omit<InputOf<"labels:import">, "cohortId"> {
  return {
    file: resolve(file),
    preset: options.preset === undefined ? null : presetNamed(options.preset),
    mapping: options.map === undefined ? null : readMapping(options.map),
    ...(options.uncertain === undefined ? {} : { uncertain: options.uncertain }),
  };
}

function presetNamed(name: string): PresetName | "own" {
  const known = [...presetNames, "own" as const].find((preset) => preset === name);
  if (known !== undefined) return known;
  throw new UserError(
    "input",
    `There is no preset "${name}". There is ${presetNames.join(", ")} and own.`,
  );
}

function readMapping(file: string): LabelMapping {
  try {
    return labelMappingSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new UserError("input", `${file} is not a mapping of columns: ${reason}`, {
      cause: thrown,
    });
  }
}

const rowsListed = 20;

export function describeLabels(result: LabelImportResult): string {
  const lines = [
    `${formatCounted(result.rows, "row")}: ${formatCount(result.matched)} matched, ` +
      `${formatCount(result.unmatched.length)} unmatched, ` +
      `${formatCount(result.invalid.length)} with something that was not taken; ` +
      `${formatCounted(result.filmsWithoutRow.count, "film has", "films have")} no row`,
  ];
  const listed = [...result.unmatched, ...result.invalid].toSorted((a, b) => a.row - b.row);
  for (const { row, reason } of listed.slice(0, rowsListed)) lines.push(`  row ${row}: ${reason}`);
  if (listed.length > rowsListed) {
    lines.push(`  and ${formatCount(listed.length - rowsListed)} more`);
  }
  return lines.join("\n");
}

/** The preview of an import in words. */
export function describePreview(preview: LabelPreview, scheme: Scheme): string {
  const named = preview.preset === null ? "a table of your own" : preview.preset.title;
  const lines = [
    `Read as ${named}: ${formatCounted(preview.matched, "row fits", "rows fit")} a film, ` +
      `${formatCount(preview.unmatched.count)} do not, ` +
      `${formatCount(preview.invalid.count)} cannot be read; ` +
      `${formatCounted(preview.filmsWithoutRow, "film has", "films have")} no row.`,
    ...preview.problems.map((problem) => `Cannot be imported: ${problem}`),
    ...preview.notes.map((note) => `Note: ${note}`),
    table([
      ["Label", "positive", "negative", "missing", "uncertain in the table"],
      ...preview.tally.map((label) => [
        `  ${titleIn(scheme, label.finding)}`,
        label.positive,
        label.negative,
        label.missing,
        label.uncertain,
      ]),
    ]),
  ];
  return lines.join("\n");
}

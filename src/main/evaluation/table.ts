import { parse } from "csv-parse/sync";
import type { Interval } from "../../shared/comparison.ts";
import { UserError, messageOf } from "../../shared/errors.ts";
import { ageBinOf, ageBins } from "../../shared/subgroups.ts";
import { clusteredBootstrap, percentileInterval, sampledColumn } from "./bootstrap.ts";
import { youdenThreshold } from "./roc.ts";
import {
  planCells,
  runStatistics,
  type Attribute,
  type CellPlan,
  type GroupMeasure,
  type LabelMeasure,
  type RunStatistics,
} from "./statistics.ts";
import { rankLabel, type LabelColumns } from "./tally.ts";

export interface TableOptions {
  /** Columns whose values divide the patients into groups. */
  readonly groups?: readonly string[];
  readonly bootstrapSamples?: number;
  readonly confidence?: number;
  readonly minimumCell?: number;
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface TableLabelMetrics {
  readonly label: string;
  readonly positives: number;
  readonly negatives: number;
  readonly auroc: Interval | null;
  readonly threshold: number | null;
  readonly accuracy: Interval | null;
  readonly sensitivity: Interval | null;
  readonly specificity: Interval | null;
}

export interface TableGroupMetrics {
  readonly column: string;
  readonly group: string;
  readonly patients: number;
  readonly rows: number;
  readonly labels: readonly {
    readonly label: string;
    readonly positives: number;
    readonly negatives: number;
    readonly auroc: Interval | null;
    readonly accuracy: Interval | null;
  }[];
  /** How many labels the means below are taken over. */
  readonly labelsCompared: number;
  readonly macroAuroc: Interval | null;
  readonly accuracyParityDifference: Interval | null;
  readonly statisticalParityDifference: Interval | null;
  readonly equalOpportunityDifference: Interval | null;
}

/** What `silhouette metrics FILE.csv` prints. */
export interface TableMetrics {
  readonly rows: number;
  readonly patients: number;
  readonly macroAuroc: Interval | null;
  readonly macroLabels: readonly string[];
  readonly labels: readonly TableLabelMetrics[];
  readonly groups: readonly TableGroupMetrics[];
  /** Where the thresholds of accuracy and of the differences come from. */
  readonly thresholds: "Youden's index on the validation rows" | "fixed at 0.5" | "none";
  readonly bootstrapSamples: number;
  readonly confidence: number;
  readonly minimumCell: number;
}

interface TableRow {
  readonly patient: string;
  readonly label: string;
  readonly truth: 0 | 1;
  readonly score: number;
  readonly validation: boolean;
  readonly groups: readonly (string | null)[];
}

/**
 * The statistics of a comparison from a table: one row for each image and label, with the columns
 * patient, label, truth (1, 0, or empty where missing), score, and any columns of groups. With a
 * column `part`, thresholds come from the rows marked "validation" and the statistics from those
 * marked "test"; without one, scores within [0, 1] count as positive from 0.5. Numeric ages are
 * put into the study's bins; in a column `sex`, F and M are compared with each other.
 *
 * @param text the CSV file's content, with a header row
 * @throws UserError naming the column or the row that cannot be used
 */
export async function metricsFromTable(
  text: string,
  options: TableOptions = {},
): Promise<TableMetrics> {
  const groupColumns = options.groups ?? [];
  const { rows: all, hasParts } = readRows(text, groupColumns);
  const rows = all.filter((row) => !row.validation);
  if (rows.length === 0) {
    throw new UserError("input", "The table has no row with a truth of 0 or 1 to compute from.");
  }
  const samples = options.bootstrapSamples ?? 1000;
  const confidence = options.confidence ?? 0.95;
  const minimumCell = options.minimumCell ?? 5;

  const labelNames = [...new Set(rows.map((row) => row.label))];
  const patients = new Map([...new Set(rows.map((row) => row.patient))].map((p, i) => [p, i]));
  const attributes = groupColumns.map((name, index) => attributeOf(name, index, rows));
  const plan = planCells(attributes);
  const probabilities = all.every((row) => row.score >= 0 && row.score <= 1);
  const thresholds = labelNames.map((label) => {
    if (!hasParts) return probabilities ? 0.5 : null;
    const fitted = all.filter((row) => row.validation && row.label === label);
    return youdenThreshold({
      truth: fitted.map((row) => row.truth),
      scores: fitted.map((row) => row.score),
    });
  });
  const ranked = labelNames.map((label, index) => {
    const own = rows.filter((row) => row.label === label);
    return rankLabel(columnsOf(own, patients, attributes, plan), thresholds[index] ?? null);
  });
  const statistics = runStatistics(ranked, plan, patients.size, minimumCell);
  const [sampled] = await clusteredBootstrap(patients.size, [statistics], {
    samples,
    seed: options.seed ?? 20240314,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  const read = reader(statistics, sampled ?? new Float64Array(), confidence);
  return {
    rows: rows.length,
    patients: patients.size,
    macroAuroc: read.at(statistics.macroIndex),
    macroLabels: statistics.macroLabels.flatMap((index) => labelNames[index] ?? []),
    labels: labelNames.map((label, index) => ({
      label,
      ...statistics.counts(index, 0),
      auroc: read.label(index, 0, "auroc"),
      threshold: thresholds[index] ?? null,
      accuracy: read.label(index, 0, "accuracy"),
      sensitivity: read.label(index, 0, "sensitivity"),
      specificity: read.label(index, 0, "specificity"),
    })),
    groups: plan.groups.map((group, index): TableGroupMetrics => {
      const members = rows.filter((row) => row.groups[group.attribute] === group.group);
      return {
        column: groupColumns[group.attribute] ?? "",
        group: group.group,
        patients: new Set(members.map((row) => row.patient)).size,
        rows: members.length,
        labels: labelNames.map((label, number) => ({
          label,
          ...statistics.counts(number, group.cell),
          auroc: read.label(number, group.cell, "auroc"),
          accuracy: read.label(number, group.cell, "accuracy"),
        })),
        labelsCompared: statistics.groupLabels(index).length,
        macroAuroc: read.group(index, "macroAuroc"),
        accuracyParityDifference: read.group(index, "accuracyParityDifference"),
        statisticalParityDifference: read.group(index, "statisticalParityDifference"),
        equalOpportunityDifference: read.group(index, "equalOpportunityDifference"),
      };
    }),
    thresholds: hasParts
      ? "Youden's index on the validation rows"
      : probabilities
        ? "fixed at 0.5"
        : "none",
    bootstrapSamples: samples,
    confidence,
    minimumCell,
  };
}

function reader(statistics: RunStatistics, sampled: Float64Array, confidence: number) {
  const at = (index: number): Interval | null =>
    percentileInterval(
      statistics.estimates[index] ?? NaN,
      sampledColumn(sampled, statistics.size, index),
      confidence,
    );
  return {
    at,
    label: (label: number, cell: number, measure: LabelMeasure): Interval | null =>
      statistics.isLargeEnough(label, cell)
        ? at(statistics.labelIndex(label, cell, measure))
        : null,
    group: (group: number, measure: GroupMeasure): Interval | null =>
      at(statistics.groupIndex(group, measure)),
  };
}

function readRows(
  text: string,
  groupColumns: readonly string[],
): { rows: TableRow[]; hasParts: boolean } {
  let records: Record<string, string>[];
  try {
    records = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true });
  } catch (thrown) {
    throw new UserError("input", `The table is not valid CSV: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
  const first = records[0];
  if (!first) throw new UserError("input", "The table has no rows.");
  for (const column of ["patient", "label", "truth", "score", ...groupColumns]) {
    if (column in first) continue;
    throw new UserError(
      "input",
      `The table has no column "${column}". Its columns are: ${Object.keys(first).join(", ")}.`,
    );
  }
  const hasParts = "part" in first;
  const binAges = groupColumns.map(
    (column) =>
      column.toLowerCase() === "age" &&
      records.every((record) => Number.isFinite(Number(record[column]))),
  );
  const rows = records.flatMap((record, index): TableRow[] => {
    const place = `Row ${String(index + 2)} of the table`;
    const { patient = "", label = "", truth = "", score = "", part = "" } = record;
    if (patient === "") throw new UserError("input", `${place} has no patient.`);
    if (label === "") throw new UserError("input", `${place} has no label.`);
    if (truth !== "" && truth !== "0" && truth !== "1") {
      throw new UserError(
        "input",
        `${place} has the truth "${truth}"; 1, 0 or nothing can be read.`,
      );
    }
    if (score === "" || !Number.isFinite(Number(score))) {
      throw new UserError("input", `${place} has the score "${score}", which is not a number.`);
    }
    if (hasParts && part !== "validation" && part !== "test") {
      throw new UserError(
        "input",
        `${place} has the part "${part}"; it must be validation or test.`,
      );
    }
    if (truth === "") return [];
    return [
      {
        patient,
        label,
        truth: truth === "1" ? 1 : 0,
        score: Number(score),
        validation: part === "validation",
        groups: groupColumns.map((column, at) => {
          const value = record[column] ?? "";
          if (value === "") return null;
          return binAges[at] === true ? ageBinOf(Number(value)) : value;
        }),
      },
    ];
  });
  requireApart(rows);
  return { rows, hasParts };
}

/** A threshold fitted on a patient's images must not be judged on the same patient. */
function requireApart(rows: readonly TableRow[]): void {
  const validation = new Set(rows.filter((row) => row.validation).map((row) => row.patient));
  const shared = rows.find((row) => !row.validation && validation.has(row.patient));
  if (!shared) return;
  throw new UserError("input", "A patient of the table is in the part validation and in test.");
}

function attributeOf(name: string, index: number, rows: readonly TableRow[]): Attribute {
  const present = [...new Set(rows.flatMap((row) => row.groups[index] ?? []))].sort();
  const bins = ageBins.map((bin): string => bin.title).filter((title) => present.includes(title));
  const groups = bins.length === present.length ? bins : present;
  const find = (titles: readonly string[]): string | undefined =>
    groups.find((group) => titles.includes(group.toLowerCase()));
  const female = find(["f", "female"]);
  const male = find(["m", "male"]);
  const isSex = name.toLowerCase() === "sex" && female !== undefined && male !== undefined;
  return { name, groups, pair: isSex ? [female, male] : null };
}

function columnsOf(
  rows: readonly TableRow[],
  patients: ReadonlyMap<string, number>,
  attributes: readonly Attribute[],
  plan: CellPlan,
): LabelColumns {
  return {
    patients: Uint32Array.from(rows, (row) => patients.get(row.patient) ?? 0),
    positive: Uint8Array.from(rows, (row) => row.truth),
    scores: Float64Array.from(rows, (row) => row.score),
    cells: Uint16Array.from(
      rows.flatMap((row) =>
        attributes.map((attribute, index) => {
          const group = attribute.groups.indexOf(row.groups[index] ?? "");
          return plan.cellOf(index, group < 0 ? null : group);
        }),
      ),
    ),
  };
}

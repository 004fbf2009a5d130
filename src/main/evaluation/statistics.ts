import type { SampledStatistics } from "./bootstrap.ts";
import {
  accuracyOf,
  accuracyParityDifference,
  equalOpportunityDifference,
  sensitivityOf,
  specificityOf,
  statisticalParityDifference,
  type Outcomes,
} from "./fairness.ts";
import {
  tallyDoubleConcordant,
  tallyFalseNegatives,
  tallyFields,
  tallyLabel,
  tallyNegatives,
  tallyPositives,
  tallyTrueNegatives,
  type RankedLabel,
} from "./tally.ts";

/** What patients are divided by, such as sex, and the groups in the order of display. */
export interface Attribute {
  readonly name: string;
  readonly groups: readonly string[];
  /** Two groups whose accuracies are compared with each other only, as the study does for sex. */
  readonly pair: readonly [string, string] | null;
}

/** A subgroup's place among the tally's cells, and the cells that it is compared with. */
export interface GroupCell {
  readonly attribute: number;
  readonly group: string;
  readonly cell: number;
  readonly others: readonly number[];
  readonly accuracyOthers: readonly number[];
}

export interface CellPlan {
  readonly cells: number;
  readonly groups: readonly GroupCell[];
  /** The cell of a group of an attribute, or of those whose group is not known. */
  readonly cellOf: (attribute: number, group: number | null) => number;
}

/** Cell 0 is everyone; then each attribute has a cell for each group and one for "unknown". */
export function planCells(attributes: readonly Attribute[]): CellPlan {
  const starts: number[] = [];
  let cells = 1;
  for (const attribute of attributes) {
    starts.push(cells);
    cells += attribute.groups.length + 1;
  }
  const groups = attributes.flatMap((attribute, index) => {
    const start = starts[index] ?? 0;
    const cellOfTitle = (title: string): number => start + attribute.groups.indexOf(title);
    return attribute.groups.map((group): GroupCell => {
      const others = attribute.groups.filter((one) => one !== group).map(cellOfTitle);
      const inPair = attribute.pair?.includes(group) === true;
      const opposite = inPair ? attribute.pair.filter((one) => one !== group) : null;
      return {
        attribute: index,
        group,
        cell: cellOfTitle(group),
        others,
        accuracyOthers: opposite ? opposite.map(cellOfTitle) : others,
      };
    });
  });
  return {
    cells,
    groups,
    cellOf: (attribute, group) =>
      (starts[attribute] ?? 0) + (group ?? attributes[attribute]?.groups.length ?? 0),
  };
}

export type LabelMeasure = "auroc" | "accuracy" | "sensitivity" | "specificity";
export type GroupMeasure =
  | "macroAuroc"
  | "accuracyParityDifference"
  | "statisticalParityDifference"
  | "equalOpportunityDifference";

const labelMeasures: readonly LabelMeasure[] = ["auroc", "accuracy", "sensitivity", "specificity"];
const groupMeasures: readonly GroupMeasure[] = [
  "macroAuroc",
  "accuracyParityDifference",
  "statisticalParityDifference",
  "equalOpportunityDifference",
];

/** All statistics of one run as a vector, and where each stands in it. */
export interface RunStatistics extends SampledStatistics {
  readonly estimates: Float64Array;
  /** Positives and negatives of a label in a cell. */
  readonly counts: (label: number, cell: number) => { positives: number; negatives: number };
  /** Labels that enough patients have, and enough lack, overall: those of the macro mean. */
  readonly macroLabels: readonly number[];
  /** Labels that a group's means are taken over. */
  readonly groupLabels: (group: number) => readonly number[];
  readonly macroIndex: number;
  readonly labelIndex: (label: number, cell: number, measure: LabelMeasure) => number;
  readonly groupIndex: (group: number, measure: GroupMeasure) => number;
  /** False where too few patients of the cell have the label, or lack it, for any statistic. */
  readonly isLargeEnough: (label: number, cell: number) => boolean;
}

/**
 * Sets up the statistics of one run. Which labels enter a mean is decided once, from the real
 * patients, and not again in each bootstrap sample.
 *
 * @param minimumCell how many patients must have a label, and how many lack it, for a statistic.
 *   Patients and not images: the bootstrap draws patients, and a sample without any of those few
 *   would leave the statistic, and every mean over it, undefined.
 */
export function runStatistics(
  labels: readonly RankedLabel[],
  plan: CellPlan,
  patients: number,
  minimumCell: number,
): RunStatistics {
  const tallies = labels.map(() => new Float64Array(plan.cells * tallyFields));
  const groupStart = labels.length * plan.cells * labelMeasures.length;
  const macroIndex = groupStart + plan.groups.length * groupMeasures.length;
  const size = macroIndex + 1;
  const labelIndex = (label: number, cell: number, measure: LabelMeasure): number =>
    (label * plan.cells + cell) * labelMeasures.length + labelMeasures.indexOf(measure);
  const groupIndex = (group: number, measure: GroupMeasure): number =>
    groupStart + group * groupMeasures.length + groupMeasures.indexOf(measure);

  const everyone = new Uint16Array(patients).fill(1);
  labels.forEach((label, index) => {
    const tally = tallies[index];
    if (tally) tallyLabel(label, everyone, tally);
  });
  const realTallies = tallies.map((tally) => tally.slice());
  const countsOf = (label: number, cells: readonly number[]) => {
    const sum = (field: number): number =>
      cells.reduce((all, cell) => all + (realTallies[label]?.[cell * tallyFields + field] ?? 0), 0);
    return { positives: sum(tallyPositives), negatives: sum(tallyNegatives) };
  };
  const enough = (label: number, cells: readonly number[]): boolean => {
    const ranked = labels[label];
    return ranked !== undefined && hasPatients(ranked, cells, Math.max(1, minimumCell));
  };
  const labelNumbers = labels.map((_, index) => index);
  const macroLabels = labelNumbers.filter((label) => enough(label, [0]));
  const thresholdsExist = labels.some((label) => label.blocksBelowThreshold !== null);
  const groupLabels = plan.groups.map((group) =>
    labelNumbers.filter(
      (label) =>
        enough(label, [group.cell]) &&
        enough(label, group.accuracyOthers) &&
        (!thresholdsExist || labels[label]?.blocksBelowThreshold !== null),
    ),
  );

  const outcomesOf = (label: number, cell: number): Outcomes =>
    labels[label]?.blocksBelowThreshold === null
      ? unknownOutcomes
      : outcomesIn(tallies[label], cell);

  const compute = (weights: Uint16Array, out: Float64Array): void => {
    labels.forEach((label, index) => {
      const tally = tallies[index];
      if (!tally) return;
      tallyLabel(label, weights, tally);
      for (let cell = 0; cell < plan.cells; cell += 1) {
        const outcomes = outcomesOf(index, cell);
        const at = labelIndex(index, cell, "auroc");
        out[at] = aurocIn(tally, cell);
        out[at + 1] = accuracyOf(outcomes);
        out[at + 2] = sensitivityOf(outcomes);
        out[at + 3] = specificityOf(outcomes);
      }
    });
    plan.groups.forEach((group, index) => {
      const among = groupLabels[index] ?? [];
      const at = groupIndex(index, "macroAuroc");
      const outcomes = (cells: readonly number[], label: number): Outcomes[] =>
        cells.map((cell) => outcomesOf(label, cell));
      out[at] = meanOver(among, (label) => out[labelIndex(label, group.cell, "auroc")] ?? NaN);
      out[at + 1] = meanOver(among, (label) =>
        accuracyParityDifference(
          outcomesOf(label, group.cell),
          outcomes(group.accuracyOthers, label),
        ),
      );
      out[at + 2] = meanOver(among, (label) =>
        statisticalParityDifference(outcomesOf(label, group.cell), outcomes(group.others, label)),
      );
      out[at + 3] = meanOver(among, (label) =>
        equalOpportunityDifference(outcomesOf(label, group.cell), outcomes(group.others, label)),
      );
    });
    out[macroIndex] = meanOver(macroLabels, (label) => out[labelIndex(label, 0, "auroc")] ?? NaN);
  };

  const estimates = new Float64Array(size);
  compute(everyone, estimates);
  return {
    size,
    compute,
    estimates,
    counts: (label, cell) => countsOf(label, [cell]),
    macroLabels,
    groupLabels: (group) => groupLabels[group] ?? [],
    macroIndex,
    labelIndex,
    groupIndex,
    isLargeEnough: (label, cell) => enough(label, [cell]),
  };
}

/** Whether at least `minimum` patients have a positive image in the cells, and as many a negative. */
function hasPatients(label: RankedLabel, cells: readonly number[], minimum: number): boolean {
  const { patients, positive, cellsPerItem } = label;
  const everyone = cells.includes(0);
  const withFinding = new Set<number>();
  const without = new Set<number>();
  for (let item = 0; item < patients.length; item += 1) {
    const own = label.cells.subarray(item * cellsPerItem, (item + 1) * cellsPerItem);
    if (!everyone && !cells.some((cell) => own.includes(cell))) continue;
    (positive[item] === 1 ? withFinding : without).add(patients[item] as number);
    if (withFinding.size >= minimum && without.size >= minimum) return true;
  }
  return false;
}

/** A label without a threshold has no outcomes: every rate of these is NaN. */
const unknownOutcomes: Outcomes = {
  truePositives: NaN,
  falsePositives: NaN,
  falseNegatives: NaN,
  trueNegatives: NaN,
};

function aurocIn(tally: Float64Array, cell: number): number {
  const at = cell * tallyFields;
  const pairs = (tally[at + tallyPositives] ?? 0) * (tally[at + tallyNegatives] ?? 0);
  return pairs > 0 ? (tally[at + tallyDoubleConcordant] ?? 0) / (2 * pairs) : NaN;
}

function outcomesIn(tally: Float64Array | undefined, cell: number): Outcomes {
  const field = (name: number): number => tally?.[cell * tallyFields + name] ?? NaN;
  return {
    truePositives: field(tallyPositives) - field(tallyFalseNegatives),
    falsePositives: field(tallyNegatives) - field(tallyTrueNegatives),
    falseNegatives: field(tallyFalseNegatives),
    trueNegatives: field(tallyTrueNegatives),
  };
}

/** NaN for no labels, and where any label's value is undefined. */
function meanOver(labels: readonly number[], of: (label: number) => number): number {
  if (labels.length === 0) return NaN;
  return labels.reduce((sum, label) => sum + of(label), 0) / labels.length;
}

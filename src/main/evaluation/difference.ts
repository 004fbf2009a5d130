import type { Comparison, Correlation, Interval } from "../../shared/comparison.ts";
import { percentileInterval, sampledColumn } from "./bootstrap.ts";
import type { PreparedRun } from "./compare.ts";
import { pearson } from "./fairness.ts";
import { planCells } from "./statistics.ts";

/**
 * Reference minus private in every statistic, paired: both runs saw the same bootstrap samples, so
 * what the sampling of patients does to both alike cancels.
 */
export function differenceOf(
  privateRun: PreparedRun,
  referenceRun: PreparedRun,
  confidence: number,
): NonNullable<Comparison["difference"]> {
  const { statistics, keys } = referenceRun;
  const estimateAt = (index: number): number =>
    (statistics.estimates[index] ?? NaN) - (privateRun.statistics.estimates[index] ?? NaN);
  const intervalAt = (index: number): Interval | null => {
    const ofReference = sampledColumn(referenceRun.sampled, statistics.size, index);
    const ofPrivate = sampledColumn(privateRun.sampled, statistics.size, index);
    return percentileInterval(
      estimateAt(index),
      ofReference.map((value, sample) => value - (ofPrivate[sample] ?? NaN)),
      confidence,
    );
  };
  const plan = planCells(referenceRun.attributes);
  const attributeOf = (index: number): string => referenceRun.attributes[index]?.name ?? "";
  return {
    macroAuroc: intervalAt(statistics.macroIndex),
    labels: keys.map((finding, label) => ({
      finding,
      auroc: statistics.isLargeEnough(label, 0)
        ? intervalAt(statistics.labelIndex(label, 0, "auroc"))
        : null,
    })),
    subgroups: plan.groups.flatMap((group) =>
      keys.map((finding, label) => ({
        attribute: attributeOf(group.attribute),
        group: group.group,
        finding,
        auroc: statistics.isLargeEnough(label, group.cell)
          ? intervalAt(statistics.labelIndex(label, group.cell, "auroc"))
          : null,
      })),
    ),
    fairness: plan.groups.map((group, index) => ({
      attribute: attributeOf(group.attribute),
      group: group.group,
      // Means over different labels cannot be subtracted.
      macroAuroc: sameNumbers(
        statistics.groupLabels(index),
        privateRun.statistics.groupLabels(index),
      )
        ? intervalAt(statistics.groupIndex(index, "macroAuroc"))
        : null,
    })),
    ...correlationsOf(privateRun, referenceRun),
  };
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** The study's Pearson correlations over labels: the drop against difficulty and against rarity. */
function correlationsOf(
  privateRun: PreparedRun,
  referenceRun: PreparedRun,
): {
  dropAgainstReferenceAuroc: Correlation | null;
  dropAgainstPositives: Correlation | null;
} {
  const { statistics } = referenceRun;
  const rows = statistics.macroLabels.map((label) => {
    const index = statistics.labelIndex(label, 0, "auroc");
    const reference = statistics.estimates[index] ?? NaN;
    return {
      reference,
      drop: reference - (privateRun.statistics.estimates[index] ?? NaN),
      positives: statistics.counts(label, 0).positives,
    };
  });
  const drops = rows.map((row) => row.drop);
  return {
    dropAgainstReferenceAuroc: pearson(
      rows.map((row) => row.reference),
      drops,
    ),
    dropAgainstPositives: pearson(
      rows.map((row) => row.positives),
      drops,
    ),
  };
}

import { fairnessChart, intervalChartHeight, printTheme } from "../../../shared/charts/index.ts";
import type { Correlation, FairnessResult } from "../../../shared/comparison.ts";
import { shownGroups, shownSubgroups } from "../../../shared/suppression.ts";
import { attributeTitle, freeColumnOf } from "../../../shared/subgroups.ts";
import { decimals, difference, estimate, stackedDifference, undefinedMark } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { drawFigure, type Pen } from "../layout/figure.ts";
import { contentWidthPoints, type Sheet } from "../layout/sheet.ts";
import { drawTable, type Row } from "../layout/table.ts";
import { bold } from "../layout/text.ts";

/** An attribute's name within a sentence, and at the head of its column. */
function nameOf(attribute: string): string {
  const column = freeColumnOf(attribute);
  return column === null ? attributeTitle(attribute).toLowerCase() : `“${column}”`;
}

/** AUROC by label within each group, with counts. */
export function writeSubgroups(sheet: Sheet, facts: ReportFacts): void {
  sheet.heading(1, "5  Accuracy in subgroups", 130);
  const attributes = new Set(facts.privateEvaluation.subgroups.map((one) => one.attribute));
  for (const attribute of attributes) {
    const { minimumCell } = facts.comparison;
    drawTable(sheet, {
      caption:
        `AUROC by label and ${nameOf(attribute)} on the test patients. The difference ` +
        `is reference minus private, paired. Counts under ${minimumCell} are suppressed, and so are ` +
        "those that would give them back.",
      isDense: true,
      columns: [
        { title: attribute === "age" ? "Age (years)" : attributeTitle(attribute), share: 1.14 },
        { title: "Patients", share: 0.86, align: "right" },
        { title: "Positive", share: 0.86, align: "right" },
        { title: "Negative", share: 0.86, align: "right" },
        { title: "Private run", share: 1.55, align: "right" },
        { title: "Reference run", share: 1.55, align: "right" },
        { title: "Difference", share: 2, align: "right" },
      ],
      rows: facts.findings.flatMap((finding): Row[] => {
        const groups = facts.privateEvaluation.subgroups.filter(
          (one) => one.attribute === attribute && one.finding === finding.key,
        );
        const counts = shownSubgroups(groups, minimumCell);
        return [
          { cells: [finding.title], isGroup: true },
          ...groups.map((one) => {
            const shown = counts.get(one);
            const same = (other: { attribute: string; group: string; finding: string }): boolean =>
              other.attribute === attribute &&
              other.group === one.group &&
              other.finding === finding.key;
            const reference = facts.referenceEvaluation.subgroups.find(same);
            const apart = facts.difference.subgroups.find(same);
            return {
              cells: [
                one.group,
                ...[shown?.patients, shown?.positives, shown?.negatives].map(
                  (cell) => cell ?? undefinedMark,
                ),
                estimate(one.auroc),
                estimate(reference?.auroc ?? null),
                difference(apart?.auroc ?? null),
              ],
            };
          }),
        ];
      }),
    });
  }
}

const measures = [
  {
    key: "accuracyParityDifference",
    title: "Accuracy parity difference",
    meaning:
      "the accuracy of the group minus the size-weighted mean accuracy of the others; for sex, " +
      "female minus male and the reverse. The study calls this the statistical parity difference",
  },
  {
    key: "statisticalParityDifference",
    title: "Statistical parity difference",
    meaning:
      "the rate of positive predictions in the group minus that in all others, as the literature " +
      "on fairness defines it; it is not zero where a finding is truly more common in a group",
  },
  {
    key: "equalOpportunityDifference",
    title: "Equal opportunity difference",
    meaning: "the sensitivity in the group minus that in all others",
  },
] as const;

/** The fairness differences of both runs in both definitions, by group. */
export function writeFairness(sheet: Sheet, pen: Pen, facts: ReportFacts): void {
  const { privateEvaluation, referenceEvaluation, comparison } = facts;
  sheet.heading(1, "6  Fairness");
  sheet.paragraph(
    "Each difference is the mean over the labels for which the group and those it is compared " +
      "with have enough positives and negatives. Differences are of shares: 0.010 is one " +
      "percentage point.",
  );
  sheet.bullets(measures.map((one) => `${bold(one.title)}: ${one.meaning}.`));
  const groups = privateEvaluation.fairness.map((one) => ({
    private: one,
    reference: referenceEvaluation.fairness.find(
      (other) => other.attribute === one.attribute && other.group === one.group,
    ),
  }));
  const sizes = shownGroups(privateEvaluation.fairness, comparison.minimumCell);
  const sizeOf = (one: FairnessResult): string => {
    const shown = sizes.get(one);
    return `${shown?.patients ?? undefinedMark} patients, ${shown?.images ?? undefinedMark} images`;
  };
  const titleOf = (one: FairnessResult): string =>
    one.attribute === "sex" ? one.group : `${attributeTitle(one.attribute)} ${one.group}`;
  drawTable(sheet, {
    caption: "Fairness of both runs by group.",
    columns: [
      { title: "Group and run", share: 1.3 },
      { title: "Labels", share: 0.5, align: "right" },
      { title: "Macro AUROC", share: 1.3, align: "right" },
      ...measures.map((one) => ({ title: one.title, share: 1.6, align: "right" as const })),
    ],
    rows: groups.flatMap((group): Row[] => [
      {
        cells: [`${titleOf(group.private)}: ${sizeOf(group.private)}`],
        isGroup: true,
      },
      ...(
        [
          ["Private run", group.private],
          ["Reference run", group.reference],
        ] as const
      ).map(([title, one]) => ({
        cells: [
          title,
          one ? String(one.labels) : undefinedMark,
          estimate(one?.macroAuroc ?? null).replace(" (", "\n("),
          ...measures.map((measure) => stackedDifference(one?.[measure.key] ?? null)),
        ],
      })),
    ]),
  });
  for (const measure of measures.slice(0, 2)) {
    const rows = groups.map((group) => ({
      title: titleOf(group.private),
      private: group.private[measure.key],
      reference: group.reference?.[measure.key] ?? null,
    }));
    if (rows.every((row) => row.private === null && row.reference === null)) continue;
    drawFigure(sheet, pen, {
      caption: `${measure.title} by group: private run (circles) and reference run (diamonds).`,
      alternative: `${measure.title} by group. ${rows
        .map(
          (row) =>
            `${row.title}: private ${difference(row.private)}, reference ${difference(row.reference)}`,
        )
        .join("; ")}`,
      panels: [
        {
          chart: fairnessChart(pen.plot, rows, measure.title, {
            theme: printTheme,
            widthPixels: contentWidthPoints,
            heightPixels: intervalChartHeight(rows.length, { theme: printTheme }),
          }),
        },
      ],
      columns: 1,
    });
  }
}

/** The study's correlations over labels, in words. */
export function correlationSentence(facts: ReportFacts): string {
  const { dropAgainstReferenceAuroc, dropAgainstPositives } = facts.difference;
  const text = (one: Correlation | null): string =>
    one === null
      ? "not defined"
      : `r = ${decimals(one.r, 2)} (p = ${one.p < 0.001 ? "below 0.001" : decimals(one.p, 3)}, n = ${one.n} labels)`;
  return (
    "Over labels, Pearson’s correlation of the drop in AUROC with the reference run’s AUROC is " +
    `${text(dropAgainstReferenceAuroc)}, and with the number of positives ` +
    `${text(dropAgainstPositives)}. With so few labels only a strong relation could show.`
  );
}

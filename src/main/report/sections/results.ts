import {
  aurocChart,
  intervalChartHeight,
  printTheme,
  rocChart,
} from "../../../shared/charts/index.ts";
import type { Interval } from "../../../shared/comparison.ts";
import { suppressedPairs } from "../../../shared/suppression.ts";
import { decimals, difference, estimate, undefinedMark } from "../format.ts";
import type { ReportFacts } from "../input.ts";
import { drawFigure, tallestFigurePoints, type Pen } from "../layout/figure.ts";
import { contentWidthPoints, type Sheet } from "../layout/sheet.ts";
import { drawTable, type Row } from "../layout/table.ts";
import { correlationSentence } from "./fairness.ts";

/** Both runs on the test patients, label by label. */
export function writeResults(sheet: Sheet, pen: Pen, facts: ReportFacts): void {
  const { privateEvaluation, referenceEvaluation, comparison } = facts;
  sheet.heading(1, "4  Accuracy on the test patients");
  const rows = facts.findings.map((finding) => ({
    finding,
    private: privateEvaluation.labels.find((label) => label.finding === finding.key),
    reference: referenceEvaluation.labels.find((label) => label.finding === finding.key),
    difference:
      facts.difference.labels.find((label) => label.finding === finding.key)?.auroc ?? null,
  }));
  const counts = suppressedPairs(
    rows.map((row) => row.private ?? { positives: 0, negatives: 0 }),
    comparison.minimumCell,
    false,
  );
  drawTable(sheet, {
    caption: "AUROC by label. The difference is reference minus private, paired.",
    columns: [
      { title: "Label", share: 1.72 },
      { title: "Positive", share: 0.96, align: "right" },
      { title: "Negative", share: 0.8, align: "right" },
      { title: "Private run", share: 1.55, align: "right" },
      { title: "Reference run", share: 1.55, align: "right" },
      { title: "Difference", share: 2.02, align: "right" },
    ],
    rows: [
      ...rows.map((row, index): Row => ({
        cells: [
          row.finding.title,
          counts[index]?.positives.shown ?? undefinedMark,
          counts[index]?.negatives.shown ?? undefinedMark,
          estimate(row.private?.auroc ?? null),
          estimate(row.reference?.auroc ?? null),
          difference(row.difference),
        ],
      })),
      {
        cells: [
          "Macro mean",
          "",
          "",
          estimate(privateEvaluation.macroAuroc),
          estimate(referenceEvaluation.macroAuroc),
          difference(facts.difference.macroAuroc),
        ],
        isStrong: true,
      },
    ],
    note: `${undefinedMark} marks a statistic that is not defined or rests on fewer than ${comparison.minimumCell} patients with or without the finding.`,
  });
  const chartRows = rows.map((row) => ({
    title: row.finding.title,
    private: row.private?.auroc ?? null,
    reference: row.reference?.auroc ?? null,
  }));
  drawFigure(sheet, pen, {
    caption: `AUROC by label with ${confidenceText(facts)} intervals: private run (circles) and reference run (diamonds).`,
    alternative: `AUROC by label. ${describe(chartRows)}`,
    panels: [
      {
        chart: aurocChart(pen.plot, chartRows, {
          theme: printTheme,
          widthPixels: contentWidthPoints,
          heightPixels: Math.min(
            intervalChartHeight(chartRows.length, { theme: printTheme }),
            tallestFigurePoints,
          ),
        }),
      },
    ],
    columns: 1,
  });
  sheet.paragraph(correlationSentence(facts));
  writeCurves(sheet, pen, rows);
  writeOperatingPoints(sheet, rows);
}

type LabelRows = readonly {
  readonly finding: ReportFacts["findings"][number];
  readonly private: ReportFacts["privateEvaluation"]["labels"][number] | undefined;
  readonly reference: ReportFacts["privateEvaluation"]["labels"][number] | undefined;
}[];

function writeCurves(sheet: Sheet, pen: Pen, rows: LabelRows): void {
  const columns = 3;
  const side = (contentWidthPoints - 10 * (columns - 1)) / columns;
  const theme = { ...printTheme, fontSizePixels: 7 };
  const drawn = rows.filter(
    (row) => (row.private?.roc.length ?? 0) > 0 || (row.reference?.roc.length ?? 0) > 0,
  );
  if (drawn.length === 0) return;
  drawFigure(sheet, pen, {
    caption:
      "ROC curves on the test patients: private run (solid) and reference run (dashed), each with " +
      "its AUROC. The dotted diagonal is chance." +
      (drawn.length < rows.length ? " Labels with too few positives are left out." : ""),
    alternative: `ROC curves of both runs for ${drawn.map((row) => row.finding.title).join("; ")}.`,
    panels: drawn.map((row) => ({
      title: row.finding.title,
      chart: rocChart(
        pen.plot,
        {
          private: row.private
            ? { points: row.private.roc, auroc: row.private.auroc?.estimate ?? null }
            : null,
          reference: row.reference
            ? { points: row.reference.roc, auroc: row.reference.auroc?.estimate ?? null }
            : null,
        },
        { theme, widthPixels: side, heightPixels: side * 0.98 },
      ),
    })),
    columns,
  });
}

function writeOperatingPoints(sheet: Sheet, rows: LabelRows): void {
  drawTable(sheet, {
    caption:
      "Operating points. Thresholds were fitted on the validation patients; the rates are those of the test patients.",
    columns: [
      { title: "Label and run", share: 1.7 },
      { title: "Threshold", share: 0.8, align: "right" },
      { title: "Sensitivity", share: 1.6, align: "right" },
      { title: "Specificity", share: 1.6, align: "right" },
      { title: "Accuracy", share: 1.6, align: "right" },
    ],
    rows: rows.flatMap((row): Row[] => [
      { cells: [row.finding.title], isGroup: true },
      ...(["private", "reference"] as const).map((kind) => {
        const label = row[kind];
        return {
          cells: [
            kind === "private" ? "Private run" : "Reference run",
            label?.threshold == null ? undefinedMark : decimals(label.threshold, 3),
            estimate(label?.sensitivity ?? null),
            estimate(label?.specificity ?? null),
            estimate(label?.accuracy ?? null),
          ],
        };
      }),
    ]),
  });
}

/** "95 %". */
export function confidenceText(facts: ReportFacts): string {
  return `${Math.round(facts.comparison.confidence * 100)} %`;
}

/** The rows of an interval chart in words. */
export function describe(
  rows: readonly {
    readonly title: string;
    readonly private: Interval | null;
    readonly reference: Interval | null;
  }[],
): string {
  return rows
    .map((row) => {
      const values = [row.private, row.reference].map((one) =>
        one === null ? "not defined" : decimals(one.estimate, 3),
      );
      return `${row.title}: private ${values[0] ?? ""}, reference ${values[1] ?? ""}`;
    })
    .join("; ");
}

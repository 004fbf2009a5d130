import type { Markish, PlotOptions } from "@observablehq/plot";
import type { RocPoint } from "../comparison.ts";
import {
  axisX,
  axisY,
  baseOptions,
  shortNumber,
  type ChartSize,
  type PlotModule,
} from "./frame.ts";
import { unitSquareLegend, type LegendEntry } from "./legend.ts";
import { guideDash, referenceDash } from "./theme.ts";

export interface RocSeries {
  readonly points: readonly RocPoint[];
  readonly auroc: number | null;
}

export interface RocChartData {
  readonly private: RocSeries | null;
  readonly reference: RocSeries | null;
}

const unitTicks = [0, 0.25, 0.5, 0.75, 1];

/**
 * ROC curves of the private and the reference run in one square, with the chance diagonal and each
 * run's AUROC. A run without points (too few positives or negatives) is left out.
 */
export function rocChart(plot: PlotModule, data: RocChartData, size: ChartSize): PlotOptions {
  const { theme } = size;
  const marginLeft = theme.fontSizePixels * 4.7;
  const marginBottom = theme.fontSizePixels * 3.6;
  const marginTop = theme.fontSizePixels * 0.8;
  const inner = {
    widthPixels: size.widthPixels - marginLeft - theme.fontSizePixels,
    heightPixels: size.heightPixels - marginTop - marginBottom,
  };
  const legend: LegendEntry[] = [];
  const curves: Markish[] = [];
  const runs = [
    { series: "reference" as const, title: "Reference", run: data.reference },
    { series: "private" as const, title: "Private", run: data.private },
  ];
  for (const { series, title, run } of runs) {
    if (run === null || run.points.length === 0) continue;
    legend.push({
      series,
      text: run.auroc === null ? title : `${title} ${run.auroc.toFixed(3)}`,
    });
    curves.push(
      plot.line([...run.points], {
        x: "falsePositiveRate",
        y: "truePositiveRate",
        stroke: theme[series],
        strokeWidth: series === "private" ? 1.7 : 1.5,
        strokeLinejoin: "round",
        ...(series === "reference" ? { strokeDasharray: referenceDash } : {}),
      }),
    );
  }
  return {
    ...baseOptions(size),
    marginLeft,
    marginBottom,
    marginTop,
    marginRight: theme.fontSizePixels,
    x: { domain: [0, 1], label: "False-positive rate" },
    y: { domain: [0, 1], label: "True-positive rate" },
    marks: [
      ...axisX(plot, theme, {
        label: "False-positive rate",
        ticks: unitTicks,
        format: shortNumber,
      }),
      ...axisY(plot, theme, { label: "True-positive rate", ticks: unitTicks, format: shortNumber }),
      plot.link([0], {
        x1: 0,
        y1: 0,
        x2: 1,
        y2: 1,
        stroke: theme.guide,
        strokeWidth: 1,
        strokeDasharray: guideDash,
      }),
      ...curves,
      plot.frame({ stroke: theme.frame }),
      ...unitSquareLegend(plot, theme, legend, inner),
    ],
  };
}

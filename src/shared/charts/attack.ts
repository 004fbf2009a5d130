import type { Markish, PlotOptions } from "@observablehq/plot";
import type { AttackPoint } from "../audit.ts";
import { axisX, axisY, baseOptions, type ChartSize, type PlotModule } from "./frame.ts";
import { guideDash, referenceDash } from "./theme.ts";

export interface AttackChartData {
  readonly private: readonly AttackPoint[] | null;
  readonly reference: readonly AttackPoint[] | null;
}

/** The lowest rate drawn: a tenth of a per cent of thousands of patients. */
const lowestRate = 1e-3;
const ticks = [0.001, 0.01, 0.1, 1];
const xLabel = "False-positive rate of the attack (%)";
const yLabel = "True-positive rate (%)";

/**
 * The ROC curve of a membership attack on both runs, on logarithmic axes (Carlini et al. 2022,
 * arXiv 2112.03570): what matters is whether anybody is found with few false alarms, which linear
 * axes hide in a corner. Guessing is the dashed diagonal.
 */
export function attackChart(plot: PlotModule, data: AttackChartData, size: ChartSize): PlotOptions {
  const { theme } = size;
  const format = (rate: number): string => String(Number((100 * rate).toPrecision(1)));
  const marks: Markish[] = [
    ...axisX(plot, theme, { label: xLabel, ticks, format }),
    ...axisY(plot, theme, { label: yLabel, ticks, format }),
    plot.link([0], {
      x1: lowestRate,
      y1: lowestRate,
      x2: 1,
      y2: 1,
      stroke: theme.guide,
      strokeDasharray: guideDash,
    }),
  ];
  for (const name of ["reference", "private"] as const) {
    const points = data[name];
    if (points === null) continue;
    // Zero has no logarithm: the curve begins at the edge.
    const drawn = points.map(({ falsePositiveRate, truePositiveRate }) => ({
      falsePositiveRate: Math.max(lowestRate, falsePositiveRate),
      truePositiveRate: Math.max(lowestRate, truePositiveRate),
    }));
    marks.push(
      plot.line(drawn, {
        x: "falsePositiveRate",
        y: "truePositiveRate",
        curve: "step-after",
        clip: true,
        stroke: theme[name],
        strokeWidth: 1.8,
        ...(name === "reference" ? { strokeDasharray: referenceDash } : {}),
      }),
    );
  }
  marks.push(plot.frame({ stroke: theme.frame }));
  return {
    ...baseOptions(size),
    marginLeft: theme.fontSizePixels * 5.2,
    marginBottom: theme.fontSizePixels * 3.6,
    marginTop: theme.fontSizePixels * 0.8,
    marginRight: theme.fontSizePixels * 2,
    x: { type: "log", domain: [lowestRate, 1], label: xLabel },
    y: { type: "log", domain: [lowestRate, 1], label: yLabel },
    marks,
  };
}

import type { PlotOptions } from "@observablehq/plot";
import type { RocPoint } from "../comparison.ts";
import {
  axisX,
  axisY,
  baseOptions,
  shortNumber,
  type ChartSize,
  type PlotModule,
} from "./frame.ts";
import { guideDash } from "./theme.ts";

const unitTicks = [0, 0.25, 0.5, 0.75, 1];

/**
 * What the guarantee leaves to a membership attacker: the best true-positive rate at each
 * false-positive rate, with guessing as the diagonal. The shaded part is what the attacker could
 * gain over guessing at most.
 */
export function tradeOffChart(
  plot: PlotModule,
  points: readonly RocPoint[],
  size: ChartSize,
): PlotOptions {
  const { theme } = size;
  const sorted = [...points].sort((a, b) => a.falsePositiveRate - b.falsePositiveRate);
  return {
    ...baseOptions(size),
    marginLeft: theme.fontSizePixels * 4.7,
    marginBottom: theme.fontSizePixels * 3.6,
    marginTop: theme.fontSizePixels * 0.8,
    marginRight: theme.fontSizePixels,
    x: { domain: [0, 1], label: "False-positive rate of an attacker" },
    y: { domain: [0, 1], label: "Best true-positive rate" },
    marks: [
      ...axisX(plot, theme, {
        label: "False-positive rate of an attacker",
        ticks: unitTicks,
        format: shortNumber,
      }),
      ...axisY(plot, theme, {
        label: "Best true-positive rate",
        ticks: unitTicks,
        format: shortNumber,
      }),
      plot.areaY(sorted, {
        x: "falsePositiveRate",
        y1: "falsePositiveRate",
        y2: "truePositiveRate",
        fill: theme.private,
        fillOpacity: 0.14,
      }),
      plot.link([0], {
        x1: 0,
        y1: 0,
        x2: 1,
        y2: 1,
        stroke: theme.guide,
        strokeDasharray: guideDash,
      }),
      plot.line(sorted, {
        x: "falsePositiveRate",
        y: "truePositiveRate",
        stroke: theme.private,
        strokeWidth: 1.8,
      }),
      plot.text(["guessing"], {
        x: 0.62,
        y: 0.54,
        textAnchor: "start",
        fill: theme.mutedText,
      }),
      plot.frame({ stroke: theme.frame }),
    ],
  };
}

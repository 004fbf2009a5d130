import type { Markish } from "@observablehq/plot";
import type { PlotModule } from "./frame.ts";
import { referenceDash, type ChartTheme } from "./theme.ts";

/** A line of a legend inside a chart, at a place in the chart's own units. */
export interface LegendEntry {
  readonly series: "private" | "reference";
  readonly text: string;
}

/**
 * Legend lines in the lower right corner of a frame whose x and y both run from 0 to 1: a stroke
 * in the series' colour and dash, then its text.
 */
export function unitSquareLegend(
  plot: PlotModule,
  theme: ChartTheme,
  entries: readonly LegendEntry[],
  inner: { readonly widthPixels: number; readonly heightPixels: number },
): Markish[] {
  const lineHeight = (theme.fontSizePixels * 1.5) / inner.heightPixels;
  const longest = entries.reduce((most, entry) => Math.max(most, entry.text.length), 0);
  const textStart = 0.96 - (longest * theme.fontSizePixels * 0.56) / inner.widthPixels;
  const strokeEnd = textStart - (theme.fontSizePixels * 0.5) / inner.widthPixels;
  return entries.flatMap((entry, index) => {
    const y = 0.07 + (entries.length - 1 - index) * lineHeight;
    const color = entry.series === "private" ? theme.private : theme.reference;
    return [
      plot.link([0], {
        x1: strokeEnd - (theme.fontSizePixels * 1.7) / inner.widthPixels,
        x2: strokeEnd,
        y1: y,
        y2: y,
        stroke: color,
        strokeWidth: 1.8,
        ...(entry.series === "reference" ? { strokeDasharray: referenceDash } : {}),
      }),
      plot.text([entry.text], {
        x: textStart,
        y,
        textAnchor: "start",
        fill: theme.text,
        fontVariant: "tabular-nums",
      }),
    ];
  });
}

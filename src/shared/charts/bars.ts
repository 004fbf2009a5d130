import type { PlotOptions } from "@observablehq/plot";
import {
  baseOptions,
  labelWidthPixels,
  titleAxis,
  type ChartSize,
  type PlotModule,
} from "./frame.ts";

export interface Bar {
  readonly title: string;
  /** Null where the count is under the minimum cell: no bar, whose length would give it away. */
  readonly value: number | null;
  /** What stands at the bar's end in place of the number, such as "fewer than 5". */
  readonly shown?: string;
}

/** The height in pixels that so many bars need. */
export function barChartHeight(bars: number, size: Pick<ChartSize, "theme">): number {
  return Math.ceil(bars * size.theme.fontSizePixels * 1.9 + size.theme.fontSizePixels);
}

/** A distribution as horizontal bars in the order given, each with its count. */
export function barChart(plot: PlotModule, bars: readonly Bar[], size: ChartSize): PlotOptions {
  const { theme } = size;
  const titles = bars.map((bar) => bar.title);
  const shown = bars.map((bar) => bar.shown ?? bar.value?.toLocaleString("en-US") ?? "–");
  const lengthOf = (bar: Bar): number => bar.value ?? 0;
  const most = Math.max(1, ...bars.map((bar) => bar.value ?? 0));
  return {
    ...baseOptions(size),
    marginLeft: labelWidthPixels(titles, theme),
    marginRight: labelWidthPixels(shown, theme),
    marginTop: theme.fontSizePixels * 0.4,
    marginBottom: theme.fontSizePixels * 0.4,
    x: { domain: [0, most], axis: null },
    y: { domain: titles, type: "band", label: null, padding: 0.32 },
    marks: [
      titleAxis(plot, theme),
      plot.barX(bars, { x: lengthOf, y: "title", fill: theme.neutral }),
      plot.text(bars, {
        x: lengthOf,
        y: "title",
        text: (_bar: Bar, index: number) => shown[index] ?? "",
        dx: 5,
        textAnchor: "start",
        fill: theme.mutedText,
        fontVariant: "tabular-nums",
      }),
      plot.ruleX([0], { stroke: theme.frame }),
    ],
  };
}

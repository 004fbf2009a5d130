import type * as Plot from "@observablehq/plot";
import type { Markish, PlotOptions } from "@observablehq/plot";
import type { ChartTheme } from "./theme.ts";

/**
 * Observable Plot, handed in by the caller: the window has it in its bundle, and the report loads
 * it only when it draws, since it is slow to load.
 */
export type PlotModule = typeof Plot;

/** What every chart function takes besides its data. */
export interface ChartSize {
  readonly theme: ChartTheme;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

export interface AxisDescription {
  readonly label: string | null;
  readonly ticks?: number | readonly number[];
  readonly format?: (value: number) => string;
  /** No vertical or horizontal lines at the ticks. */
  readonly plain?: boolean;
}

/** Options that all charts share: type, colours and no style that leans on a page's own. */
export function baseOptions(size: ChartSize): PlotOptions {
  const { theme } = size;
  return {
    width: size.widthPixels,
    height: size.heightPixels,
    style: {
      background: theme.background,
      color: theme.text,
      fontFamily: theme.fontFamily,
      fontSize: `${String(theme.fontSizePixels)}px`,
      overflow: "visible",
    },
  };
}

function ticksOf(axis: AxisDescription): { ticks?: number | number[] } {
  if (axis.ticks === undefined) return {};
  return { ticks: typeof axis.ticks === "number" ? axis.ticks : [...axis.ticks] };
}

/** Grid and axis for x, in the theme's colours. */
export function axisX(plot: PlotModule, theme: ChartTheme, axis: AxisDescription): Markish[] {
  const format = axis.format ? { tickFormat: axis.format } : {};
  const marks: Markish[] = [
    plot.axisX({
      ...ticksOf(axis),
      ...format,
      label: axis.label,
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: theme.fontSizePixels * 2.9,
      color: theme.mutedText,
      stroke: theme.frame,
      fill: theme.mutedText,
      tickSize: 3,
      tickPadding: 3,
    }),
  ];
  if (axis.plain === true) return marks;
  return [plot.gridX({ ...ticksOf(axis), stroke: theme.grid, strokeOpacity: 1 }), ...marks];
}

/** Grid and axis for y, in the theme's colours. */
export function axisY(plot: PlotModule, theme: ChartTheme, axis: AxisDescription): Markish[] {
  const format = axis.format ? { tickFormat: axis.format } : {};
  const marks: Markish[] = [
    plot.axisY({
      ...ticksOf(axis),
      ...format,
      label: axis.label,
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: theme.fontSizePixels * 4,
      color: theme.mutedText,
      stroke: theme.frame,
      fill: theme.mutedText,
      tickSize: 3,
      tickPadding: 3,
    }),
  ];
  if (axis.plain === true) return marks;
  return [plot.gridY({ ...ticksOf(axis), stroke: theme.grid, strokeOpacity: 1 }), ...marks];
}

/** Space for the longest of the labels at the left of a chart, in pixels. */
export function labelWidthPixels(labels: readonly string[], theme: ChartTheme): number {
  const longest = labels.reduce((most, label) => Math.max(most, label.length), 0);
  return Math.ceil(longest * theme.fontSizePixels * 0.56) + 10;
}

/** "0.6", "0.65": as many decimals as a tick on [0, 1] needs. */
export function shortNumber(value: number): string {
  const text = String(Number(value.toFixed(3)));
  return text.replace("-", "−");
}

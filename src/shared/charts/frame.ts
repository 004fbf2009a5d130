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

/** Characters of a title that stand on one line beside a row. */
const titleLineCharacters = 38;

/** A title of a row on as many lines as it takes, broken at spaces, and within a word only if it must. */
function titleLines(title: string): string {
  const lines: string[] = [];
  for (const word of title.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= titleLineCharacters) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    for (let at = 0; at < Math.max(1, word.length); at += titleLineCharacters) {
      lines.push(word.slice(at, at + titleLineCharacters));
    }
  }
  return lines.join("\n");
}

/** The titles of a chart's rows at its left, without ticks. */
export function titleAxis(plot: PlotModule, theme: ChartTheme): Markish {
  return plot.axisY({
    color: theme.text,
    fill: theme.text,
    label: null,
    tickSize: 0,
    tickPadding: 6,
    tickFormat: titleLines,
  });
}

/** About the width of a line, so that none is wider: capitals take more room than the rest. */
function widthInEms(line: string): number {
  const wide = line.replaceAll(/[^MW]/g, "").length;
  const capitals = line.replaceAll(/[^\p{Lu}]/gu, "").length - wide;
  return wide * 0.98 + capitals * 0.74 + (line.length - wide - capitals) * 0.56;
}

/** Space for the longest line of the labels at the left of a chart, in pixels. */
export function labelWidthPixels(labels: readonly string[], theme: ChartTheme): number {
  const lines = labels.flatMap((label) => titleLines(label).split("\n"));
  const longest = lines.reduce((most, line) => Math.max(most, widthInEms(line)), 0);
  return Math.ceil(longest * theme.fontSizePixels) + 10;
}

/** "0.6", "0.65": as many decimals as a tick on [0, 1] needs. */
export function shortNumber(value: number): string {
  const text = String(Number(value.toFixed(3)));
  return text.replace("-", "−");
}

import type { Markish, PlotOptions } from "@observablehq/plot";
import type { Interval } from "../comparison.ts";
import {
  axisX,
  baseOptions,
  labelWidthPixels,
  shortNumber,
  titleAxis,
  type ChartSize,
  type PlotModule,
} from "./frame.ts";
import { guideDash } from "./theme.ts";

/** One row of a dot plot: a label or a subgroup, with an estimate of each run. */
export interface IntervalRow {
  readonly title: string;
  readonly private: Interval | null;
  readonly reference: Interval | null;
}

export interface IntervalChartData {
  readonly rows: readonly IntervalRow[];
  /** Title of the x axis, such as "AUROC". */
  readonly label: string;
  /** A value to compare with, drawn as a dashed line where it lies in view: chance, or zero. */
  readonly guide: number | null;
  /** Limits that the axis never leaves, such as [0, 1] for an AUROC. */
  readonly bounds: readonly [number, number];
  /** Keep the guide in view even where all estimates lie far from it. */
  readonly includeGuide: boolean;
}

/** The height in pixels at which rows of such a chart stand neither crowded nor lost. */
export function intervalChartHeight(rows: number, size: Pick<ChartSize, "theme">): number {
  const font = size.theme.fontSizePixels;
  return Math.ceil(rows * font * 2.7 + font * 5.2);
}

/**
 * Estimates with intervals, the private run (circle, solid) above the reference run (diamond) in
 * each row. Rows whose estimate is undefined stay empty, so that rows line up between charts.
 */
export function intervalChart(
  plot: PlotModule,
  data: IntervalChartData,
  size: ChartSize,
): PlotOptions {
  const { theme } = size;
  const titles = data.rows.map((row) => row.title);
  const series = (["private", "reference"] as const).map((name) => ({
    name,
    offset: theme.fontSizePixels * (name === "private" ? -0.48 : 0.48),
    rows: data.rows.flatMap((row) => {
      const interval = row[name];
      return interval === null ? [] : [{ title: row.title, ...interval }];
    }),
  }));
  const domain = domainOf(data);
  const marks: Markish[] = [
    ...axisX(plot, theme, { label: data.label, ticks: 6, format: shortNumber }),
    plot.ruleY(titles, { stroke: theme.grid }),
    titleAxis(plot, theme),
  ];
  if (data.guide !== null && data.guide >= domain[0] && data.guide <= domain[1]) {
    marks.push(plot.ruleX([data.guide], { stroke: theme.guide, strokeDasharray: guideDash }));
  }
  for (const { name, offset, rows } of series) {
    marks.push(
      plot.ruleY(rows, {
        x1: "low",
        x2: "high",
        y: "title",
        dy: offset,
        stroke: theme[name],
        strokeWidth: 1.6,
      }),
      plot.dot(rows, {
        x: "estimate",
        y: "title",
        dy: offset,
        symbol: name === "private" ? "circle" : "diamond",
        r: theme.fontSizePixels * 0.31,
        fill: name === "private" ? theme.private : theme.background,
        stroke: theme[name],
        strokeWidth: 1.4,
      }),
    );
  }
  const top = theme.fontSizePixels * 2;
  marks.push(
    ...seriesLegend(
      plot,
      size,
      top,
      series.filter((one) => one.rows.length > 0),
    ),
  );
  return {
    ...baseOptions(size),
    marginLeft: labelWidthPixels(titles, theme),
    marginRight: theme.fontSizePixels * 1.5,
    marginTop: top,
    marginBottom: theme.fontSizePixels * 3.4,
    x: { domain: [...domain], label: data.label },
    y: { domain: titles, type: "band", label: null, padding: 0.2 },
    marks,
  };
}

/** The legend above the frame, placed from its upper left corner in pixels. */
function seriesLegend(
  plot: PlotModule,
  { theme }: ChartSize,
  marginTop: number,
  present: readonly { readonly name: "private" | "reference" }[],
): Markish[] {
  const font = theme.fontSizePixels;
  return present.flatMap(({ name }, index) => {
    const dx = font * 0.5 + index * font * 7;
    const place = { frameAnchor: "top-left" as const, dy: -marginTop + font };
    return [
      plot.dot([name], {
        ...place,
        dx,
        symbol: name === "private" ? "circle" : "diamond",
        r: font * 0.31,
        fill: name === "private" ? theme.private : theme.background,
        stroke: theme[name],
        strokeWidth: 1.4,
      }),
      plot.text([name === "private" ? "Private" : "Reference"], {
        ...place,
        dx: dx + font * 0.8,
        dy: -marginTop + font * 0.5,
        textAnchor: "start",
        lineAnchor: "top",
        fill: theme.text,
      }),
    ];
  });
}

/** The axis' domain: all intervals with a margin of 6 %, cut to the bounds. */
function domainOf(data: IntervalChartData): readonly [number, number] {
  const values = data.rows.flatMap((row) =>
    [row.private, row.reference].flatMap((one) => (one === null ? [] : [one.low, one.high])),
  );
  if (data.guide !== null && (data.includeGuide || values.length === 0)) values.push(data.guide);
  if (values.length === 0) return data.bounds;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max((high - low) * 0.06, 0.01);
  return [Math.max(data.bounds[0], low - margin), Math.min(data.bounds[1], high + margin)];
}

/** AUROC of both runs by label or by subgroup, with the chance level at 0.5. */
export function aurocChart(
  plot: PlotModule,
  rows: readonly IntervalRow[],
  size: ChartSize,
): PlotOptions {
  return intervalChart(
    plot,
    { rows, label: "AUROC", guide: 0.5, bounds: [0, 1], includeGuide: false },
    size,
  );
}

/** A fairness difference of both runs by subgroup, around zero. */
export function fairnessChart(
  plot: PlotModule,
  rows: readonly IntervalRow[],
  label: string,
  size: ChartSize,
): PlotOptions {
  return intervalChart(plot, { rows, label, guide: 0, bounds: [-1, 1], includeGuide: true }, size);
}

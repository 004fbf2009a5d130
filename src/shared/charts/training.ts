import type { Markish, PlotOptions } from "@observablehq/plot";
import type { TelemetryPoint } from "../domain.ts";
import {
  axisX,
  axisY,
  baseOptions,
  shortNumber,
  type ChartSize,
  type PlotModule,
} from "./frame.ts";
import { referenceDash } from "./theme.ts";

/** The live curves of a pair of runs; either may not have begun. Never part of an export. */
export interface TrainingChartData {
  readonly private: readonly TelemetryPoint[];
  readonly reference: readonly TelemetryPoint[];
  /** Steps planned: the end of the x axis. */
  readonly steps: number;
}

/** More points than pixels tell nothing: a curve is averaged into at most this many. */
const pointsShown = 240;

/** One point of a thinned curve: means over the telemetry points of its stretch of steps. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/**
 * Averages a curve into at most `limit` points over equal stretches of steps. Points without a
 * finite value are left out.
 */
export function thinCurve(points: readonly CurvePoint[], limit: number): CurvePoint[] {
  const finite = points.filter((point) => Number.isFinite(point.value));
  const perBin = Math.ceil(finite.length / limit);
  if (perBin <= 1) return finite;
  const thinned: CurvePoint[] = [];
  for (let start = 0; start < finite.length; start += perBin) {
    const bin = finite.slice(start, start + perBin);
    const mean = (of: (point: CurvePoint) => number): number =>
      bin.reduce((sum, point) => sum + of(point), 0) / bin.length;
    thinned.push({ step: mean((point) => point.step), value: mean((point) => point.value) });
  }
  return thinned;
}

/** Loss over steps of both runs: single steps faint, their moving mean strong. */
export function lossChart(plot: PlotModule, data: TrainingChartData, size: ChartSize): PlotOptions {
  const { theme } = size;
  const curves = (["reference", "private"] as const).flatMap((series): Markish[] => {
    const raw = data[series].map((point) => ({ step: point.step, value: point.loss }));
    const points = thinCurve(raw, pointsShown);
    if (points.length === 0) return [];
    const window = Math.max(1, Math.round(points.length / 12));
    const line = { x: "step", y: "value", stroke: theme[series] } as const;
    return [
      plot.line(points, { ...line, strokeWidth: 1, strokeOpacity: 0.35 }),
      plot.line(
        points,
        plot.windowY(
          { k: window, anchor: "end", strict: false },
          {
            ...line,
            strokeWidth: 2,
            ...(series === "reference" ? { strokeDasharray: referenceDash } : {}),
          },
        ),
      ),
    ];
  });
  return overSteps(plot, data.steps, "Loss", curves, size);
}

/** Epsilon spent over steps, with the plan's epsilon as the ceiling. */
export function epsilonChart(
  plot: PlotModule,
  data: {
    readonly points: readonly TelemetryPoint[];
    readonly steps: number;
    readonly plannedEpsilon: number;
  },
  size: ChartSize,
): PlotOptions {
  const { theme } = size;
  const spent = data.points.flatMap((point) =>
    point.epsilon === null ? [] : [{ step: point.step, value: point.epsilon }],
  );
  const points = thinCurve(spent, pointsShown);
  const last = points.at(-1);
  const marks: Markish[] = [
    plot.ruleY([data.plannedEpsilon], { stroke: theme.guide, strokeDasharray: "2 3" }),
    plot.text([`planned ${data.plannedEpsilon.toFixed(2)}`], {
      x: 0,
      y: data.plannedEpsilon,
      dx: 4,
      dy: -theme.fontSizePixels * 0.7,
      textAnchor: "start",
      fill: theme.mutedText,
    }),
    plot.line(points, { x: "step", y: "value", stroke: theme.private, strokeWidth: 2 }),
  ];
  if (last) {
    marks.push(plot.dot([last], { x: "step", y: "value", fill: theme.private, r: 3 }));
  }
  const options = overSteps(plot, data.steps, "Epsilon spent", marks, size);
  return { ...options, y: { domain: [0, data.plannedEpsilon * 1.15], label: "Epsilon spent" } };
}

function overSteps(
  plot: PlotModule,
  steps: number,
  label: string,
  marks: readonly Markish[],
  size: ChartSize,
): PlotOptions {
  const { theme } = size;
  return {
    ...baseOptions(size),
    marginLeft: theme.fontSizePixels * 5,
    marginRight: theme.fontSizePixels * 1.5,
    marginTop: theme.fontSizePixels * 1.2,
    marginBottom: theme.fontSizePixels * 3.6,
    x: { domain: [0, Math.max(1, steps)], label: "Step" },
    y: { label, nice: true },
    marks: [
      ...axisX(plot, theme, {
        label: "Step",
        ticks: 6,
        plain: true,
        format: (value) => value.toLocaleString("en-US"),
      }),
      ...axisY(plot, theme, { label, ticks: 5, format: shortNumber }),
      ...marks,
      plot.frame({ stroke: theme.frame }),
    ],
  };
}

export { attackChart, type AttackChartData } from "./attack.ts";
export { barChart, barChartHeight, type Bar } from "./bars.ts";
export type { ChartSize, PlotModule } from "./frame.ts";
export {
  aurocChart,
  fairnessChart,
  intervalChart,
  intervalChartHeight,
  type IntervalChartData,
  type IntervalRow,
} from "./intervals.ts";
export { rocChart, type RocChartData, type RocSeries } from "./roc.ts";
export { printTheme, screenTheme, type ChartTheme } from "./theme.ts";
export { tradeOffChart } from "./trade-off.ts";
export { epsilonChart, lossChart, thinCurve, type TrainingChartData } from "./training.ts";

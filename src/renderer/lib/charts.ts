import { screenTheme, type ChartTheme } from "../../shared/charts/index.ts";

/** The screen's theme on a panel: the background is `--surface` of tokens.css. */
export const chartTheme: ChartTheme = { ...screenTheme, background: "#131518" };

import * as Plot from "@observablehq/plot";
import type { PlotOptions } from "@observablehq/plot";
import { JSDOM } from "jsdom";

const { document } = new JSDOM("").window;

/** Draws a chart as the window and the report do, and returns its SVG element. */
export function draw(options: PlotOptions): Element {
  return Plot.plot({ ...options, document });
}

export { Plot };

import type { PlotOptions } from "@observablehq/plot";
import type { PlotModule } from "../../../shared/charts/index.ts";
import { latinFont, useFont } from "./fonts.ts";
import { contentWidthPoints, page, type Sheet } from "./sheet.ts";

/** Draws Plot's charts into a document, as vectors. */
export interface Pen {
  readonly plot: PlotModule;
  /** Draws a chart with its upper left corner at x, y; one of its pixels is one point. */
  readonly draw: (sheet: Sheet, chart: PlotOptions, x: number, y: number) => void;
}

/** Loads Plot, a document without a window, and the converter: slow, so only for a report. */
export async function loadPen(): Promise<Pen> {
  const [plot, { JSDOM }, { default: svgToPdf }] = await Promise.all([
    import("@observablehq/plot"),
    import("jsdom"),
    import("svg-to-pdfkit"),
  ]);
  const { document } = new JSDOM("").window;
  return {
    plot,
    draw: (sheet, chart, x, y) => {
      const svg = plot.plot({ ...chart, document });
      svgToPdf(sheet.pdf, svg.outerHTML, x, y, {
        width: chart.width ?? contentWidthPoints,
        height: chart.height ?? 200,
        assumePt: true,
        fontCallback: (_family, isBold) => {
          const name = latinFont(isBold ? 600 : 400);
          useFont(sheet.pdf, name);
          return name;
        },
        warningCallback: (message) => {
          throw new Error(`A chart cannot be drawn into the report: ${message}`);
        },
      });
    },
  };
}

export interface Panel {
  readonly chart: PlotOptions;
  /** Set above the panel where a figure has several. */
  readonly title?: string;
}

export interface FigureDescription {
  readonly caption: string;
  /** What the figure shows, for those who do not see it. */
  readonly alternative: string;
  readonly panels: readonly Panel[];
  readonly columns: number;
}

const gap = 10;
/** Room for the caption and what stands around it. */
const captionPoints = 46;
/** The height of all rows of panels that a page has room for, with their caption. */
export const tallestFigurePoints = page.heightPoints - page.top - page.bottom - captionPoints - gap;

/**
 * A figure of one or more panels in a grid, with its caption below, all on one page: this one
 * where it fits, else at the head of the next, while the text goes on. What a page has no room for
 * becomes figures of as many rows as it has.
 */
export function drawFigure(sheet: Sheet, pen: Pen, figure: FigureDescription): void {
  const parts = partsOf(figure);
  parts.forEach((panels, index) => {
    const part = parts.length === 1 ? "" : ` Part ${index + 1} of ${parts.length}.`;
    drawPart(sheet, pen, { ...figure, panels, caption: figure.caption + part });
  });
}

/** The panels that stand on a page together, by whole rows. */
function partsOf({ panels, columns }: FigureDescription): Panel[][] {
  const parts: Panel[][] = [];
  let height = Infinity;
  for (let at = 0; at < panels.length; at += columns) {
    const row = panels.slice(at, at + columns);
    const rowHeight = heightOfRow(row, panels) + gap;
    height += rowHeight;
    if (height > tallestFigurePoints + gap) {
      parts.push([]);
      height = rowHeight;
    }
    parts.at(-1)?.push(...row);
  }
  return parts;
}

function heightOfRow(row: readonly Panel[], all: readonly Panel[]): number {
  return Math.max(...row.map((panel) => panel.chart.height ?? 0)) + titleHeightOf(all);
}

function titleHeightOf(panels: readonly Panel[]): number {
  return panels.some((panel) => panel.title !== undefined) ? 13 : 0;
}

function drawPart(sheet: Sheet, pen: Pen, figure: FigureDescription): void {
  const cell = (contentWidthPoints - gap * (figure.columns - 1)) / figure.columns;
  const titleHeight = titleHeightOf(figure.panels);
  const rows: Panel[][] = [];
  for (let at = 0; at < figure.panels.length; at += figure.columns) {
    rows.push(figure.panels.slice(at, at + figure.columns));
  }
  const heights = rows.map((row) => heightOfRow(row, figure.panels));
  const total = heights.reduce((sum, height) => sum + height + gap, 0);
  sheet.float(total + captionPoints, (section) => {
    sheet.space(6);
    const element = sheet.element("Figure", section, figure.alternative);
    sheet.within(element, "Figure", () => {
      rows.forEach((row, rowIndex) => {
        row.forEach((panel, column) => {
          // A panel narrower than its cell stands in the cell's middle.
          const slack = Math.max(0, cell - (panel.chart.width ?? cell));
          const x = page.left + column * (cell + gap) + slack / 2;
          if (panel.title !== undefined) {
            useFont(sheet.pdf, latinFont(600))
              .fontSize(8)
              .fillColor("#1b1f24")
              .text(panel.title, x, sheet.y + 8, { lineBreak: false, baseline: "alphabetic" });
          }
          pen.draw(sheet, panel.chart, x, sheet.y + titleHeight);
        });
        sheet.y += (heights[rowIndex] ?? 0) + gap;
      });
    });
    sheet.y -= gap - 4;
    sheet.caption("Figure", figure.caption, element);
    element.end();
    sheet.y += 12;
  });
}

import type { PlotOptions } from "@observablehq/plot";
import type { PlotModule } from "../../../shared/charts/index.ts";
import { fontRuns, latinFont, useFont } from "./fonts.ts";
import { contentWidthPoints, page, type Sheet } from "./sheet.ts";
import { breakLines, drawLine, lineHeightFactor, type TextStyle } from "./text.ts";

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
      nameFonts(svg, document);
      svgToPdf(sheet.pdf, svg.outerHTML, x, y, {
        width: chart.width ?? contentWidthPoints,
        height: chart.height ?? 200,
        assumePt: true,
        fontCallback: (family, isBold) => {
          const weight = isBold ? 600 : 400;
          const named = /^"?(Inter [a-z-]+) \d+"?$/.exec(family)?.[1];
          const name = named === undefined ? latinFont(weight) : `${named} ${weight}`;
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

/** Puts what the Latin font does not hold into stretches that name the font that does. */
function nameFonts(svg: Element, document: Document): void {
  for (const text of svg.querySelectorAll("text, tspan")) {
    for (const node of text.childNodes) {
      if (node.nodeType !== node.TEXT_NODE || node.nodeValue === null) continue;
      const runs = fontRuns(node.nodeValue, 400);
      if (runs.every(({ font }) => font === latinFont(400))) continue;
      const stretches = runs.map(({ font, text: shown }) => {
        const stretch = document.createElementNS(svg.namespaceURI, "tspan");
        stretch.setAttribute("font-family", font);
        stretch.textContent = shown;
        return stretch;
      });
      node.replaceWith(...stretches);
    }
  }
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
const titleStyle: TextStyle = { sizePoints: 8, weight: 600, color: "#1b1f24" };
const titleLinePoints = titleStyle.sizePoints * lineHeightFactor;
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
  const parts = partsOf(sheet, figure);
  parts.forEach((panels, index) => {
    const part = parts.length === 1 ? "" : ` Part ${index + 1} of ${parts.length}.`;
    drawPart(sheet, pen, { ...figure, panels, caption: figure.caption + part });
  });
}

/** The panels that stand on a page together, by whole rows. */
function partsOf(sheet: Sheet, figure: FigureDescription): Panel[][] {
  const { panels, columns } = figure;
  const titleHeight = titleHeightOf(sheet, figure);
  const parts: Panel[][] = [];
  let height = Infinity;
  for (let at = 0; at < panels.length; at += columns) {
    const row = panels.slice(at, at + columns);
    const rowHeight = heightOfRow(row) + titleHeight + gap;
    height += rowHeight;
    if (height > tallestFigurePoints + gap) {
      parts.push([]);
      height = rowHeight;
    }
    parts.at(-1)?.push(...row);
  }
  return parts;
}

function heightOfRow(row: readonly Panel[]): number {
  return Math.max(...row.map((panel) => panel.chart.height ?? 0));
}

function cellWidthOf({ columns }: FigureDescription): number {
  return (contentWidthPoints - gap * (columns - 1)) / columns;
}

/** A long title takes several lines; all panels leave room for the longest. */
function titleHeightOf(sheet: Sheet, figure: FigureDescription): number {
  const lines = figure.panels.map(({ title }) =>
    title === undefined ? 0 : breakLines(sheet.pdf, title, titleStyle, cellWidthOf(figure)).length,
  );
  const most = Math.max(0, ...lines);
  return most === 0 ? 0 : most * titleLinePoints + 2;
}

function drawPart(sheet: Sheet, pen: Pen, figure: FigureDescription): void {
  const cell = cellWidthOf(figure);
  const titleHeight = titleHeightOf(sheet, figure);
  const rows: Panel[][] = [];
  for (let at = 0; at < figure.panels.length; at += figure.columns) {
    rows.push(figure.panels.slice(at, at + figure.columns));
  }
  const heights = rows.map((row) => heightOfRow(row) + titleHeight);
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
            const lines = breakLines(sheet.pdf, panel.title, titleStyle, cell);
            lines.forEach((line, at) => {
              drawLine(sheet.pdf, line, titleStyle, x, sheet.y + 8 + at * titleLinePoints);
            });
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

import { describe, expect, it } from "vitest";
import { drawFigure, type Pen } from "../../../src/main/report/layout/figure.ts";
import { page, Sheet } from "../../../src/main/report/layout/sheet.ts";

/** Where the panels of a figure that begins at so many points end, and on how many pages. */
async function panelsOf(count: number, top: number, title = "Label") {
  const sheet = new Sheet({
    title: "Figures",
    subject: "",
    headerLeft: "",
    headerRight: "",
    createdAt: new Date(0),
  });
  let pages = 1;
  const turnPage = sheet.turnPage.bind(sheet);
  sheet.turnPage = () => {
    pages += 1;
    turnPage();
  };
  const ends: number[] = [];
  const pen: Pen = {
    plot: await import("@observablehq/plot"),
    draw: (_sheet, chart, _x, y) => ends.push(y + (chart.height ?? 0)),
  };
  sheet.heading(1, "Figures");
  sheet.y = top;
  const panels = Array.from({ length: count }, (_, index) => ({
    title: `${title} ${index}`,
    chart: { height: 150, marks: [] },
  }));
  drawFigure(sheet, pen, { caption: "Curves.", alternative: "Curves.", panels, columns: 3 });
  while (ends.length < count && pages < 20) sheet.newPage();
  return { ends, pages };
}

describe("a figure with many panels", () => {
  it.each([1, 9, 10, 13, 28])("draws all of %i inside the pages", async (count) => {
    for (const top of [page.top + 40, 400, 700]) {
      const { ends } = await panelsOf(count, top);
      expect(ends).toHaveLength(count);
      expect(Math.max(...ends)).toBeLessThan(page.heightPoints - page.bottom - 20);
    }
  });

  it("leaves room for titles of several lines", async () => {
    const long = "Interstitielle Zeichnungsvermehrung, basal betont, beidseits";
    const [few, many] = await Promise.all([
      panelsOf(9, page.top + 40),
      panelsOf(9, page.top + 40, long),
    ]);
    expect((many.ends[0] ?? 0) - (few.ends[0] ?? 0)).toBeGreaterThan(10);
    expect(Math.max(...many.ends)).toBeLessThan(page.heightPoints - page.bottom - 20);
  });

  it("stays one figure where a page has room for it", async () => {
    expect((await panelsOf(9, page.top + 40)).pages).toBe(1);
  });
});

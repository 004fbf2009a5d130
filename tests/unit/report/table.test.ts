import { describe, expect, it } from "vitest";
import { Sheet } from "../../../src/main/report/layout/sheet.ts";
import { drawTable, type Row } from "../../../src/main/report/layout/table.ts";

/**
 * The page on which the first cell of each row stands, of a table that begins at so many points.
 *
 * @param onRow called as each row is drawn
 */
function pagesOfRows(
  rows: readonly Row[],
  top: number,
  { before, onRow }: { before?: (sheet: Sheet) => void; onRow?: () => void } = {},
): number[] {
  const sheet = new Sheet({
    title: "Tables",
    subject: "",
    headerLeft: "",
    headerRight: "",
    createdAt: new Date(0),
  });
  sheet.heading(1, "Tables");
  let page = 0;
  const turnPage = sheet.turnPage.bind(sheet);
  sheet.turnPage = () => {
    page += 1;
    turnPage();
  };
  const pages: number[] = [];
  const within = sheet.within.bind(sheet);
  sheet.within = (element, tag, draw) => {
    if (tag === "TH") pages.push(page);
    if (tag === "TH") onRow?.();
    within(element, tag, draw);
  };
  sheet.y = top;
  before?.(sheet);
  drawTable(sheet, { caption: "Rows.", columns: [{ title: "Row", share: 1 }], rows });
  return pages.slice(1);
}

describe("a table over several pages", () => {
  const rows = Array.from({ length: 8 }, (_, group): Row[] => [
    { cells: [`Group ${group}`], isGroup: true },
    { cells: ["private"] },
    { cells: ["reference"] },
  ]).flat();

  it("keeps a group's name with its first row, and no last row alone, wherever it begins", () => {
    let broken = 0;
    for (let top = 300; top < 720; top += 7) {
      const pages = pagesOfRows(rows, top);
      expect(pages).toHaveLength(rows.length);
      rows.forEach((row, index) => {
        if (row.isGroup === true) expect(pages[index + 1]).toBe(pages[index]);
      });
      expect(pages.at(-2)).toBe(pages.at(-1));
      if (pages[0] !== pages.at(-1)) broken += 1;
    }
    expect(broken).toBeGreaterThan(10);
  });

  it("is not interrupted by a figure that waits for room, which follows it", () => {
    const drawn: string[] = [];
    const pages = pagesOfRows(rows, 500, {
      before: (sheet) => sheet.float(500, () => drawn.push("figure")),
      onRow: () => drawn.push("row"),
    });
    expect(pages[0]).not.toBe(pages.at(-1));
    expect(drawn.lastIndexOf("row")).toBeLessThan(drawn.indexOf("figure"));
  });
});

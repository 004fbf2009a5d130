import { contentWidthPoints, ink, page, type Element, type Sheet } from "./sheet.ts";
import { breakLines, drawLine, lineHeightFactor, type Line, type TextStyle } from "./text.ts";

export interface Column {
  readonly title: string;
  /** Share of the table's width; shares are scaled to sum to 1. */
  readonly share: number;
  readonly align?: "left" | "right";
}

export interface Row {
  readonly cells: readonly string[];
  /** A line of its own that names the rows below it; only its first cell is set. */
  readonly isGroup?: boolean;
  /** Set apart: means and totals. */
  readonly isStrong?: boolean;
}

export interface TableDescription {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** For many columns: a smaller size and smaller gaps. */
  readonly isDense?: boolean;
  /** Below the table, such as the meaning of a dash. */
  readonly note?: string;
}

const noteStyle: TextStyle = { sizePoints: 7.2, weight: 400, color: ink.muted };
const padPoints = 2.6;
const groupSpacePoints = 4;

/** A table's measures and type. */
interface Setting {
  readonly columns: readonly Column[];
  readonly places: readonly Place[];
  readonly cell: TextStyle;
  readonly header: TextStyle;
}

interface SetRow {
  readonly row: Row;
  readonly cells: readonly Line[][];
  readonly heightPoints: number;
}

/**
 * A table with rules above, below and under its header. Rows never break over pages, the header
 * repeats on each page, and the name of a group stays with its first row. Figures that wait come
 * after the table.
 */
export function drawTable(sheet: Sheet, table: TableDescription): void {
  const setting = settingOf(table);
  const header = setRow(
    sheet,
    { cells: table.columns.map((column) => column.title) },
    setting,
    setting.header,
  );
  const rows = table.rows.map((row) => setRow(sheet, row, setting));
  const captionHeight = 2 * 8 * lineHeightFactor;
  const opening = rows.slice(0, 3).reduce((sum, row) => sum + row.heightPoints, 0);
  sheet.ensure(captionHeight + header.heightPoints + opening + 14);
  sheet.space(7);
  const element = sheet.element("Table");
  sheet.caption("Table", table.caption, element);
  sheet.y += 3;
  drawHeader(sheet, header, setting, element);
  rows.forEach((row, index) => {
    if (neededPoints(rows, index) > sheet.remainingPoints) {
      closeRule(sheet, 0.5);
      sheet.turnPage();
      drawHeader(sheet, header, setting, null);
      repeatGroup(sheet, rows, index, setting);
    }
    drawRow(sheet, row, setting, element, index);
  });
  closeRule(sheet, 0.9);
  element.end();
  sheet.y += 3;
  if (table.note !== undefined) sheet.paragraph(table.note, noteStyle);
  sheet.y += 7;
  sheet.drawWaiting();
}

/** A group's name needs room for its first row as well, and a last row is not left alone. */
function neededPoints(rows: readonly SetRow[], index: number): number {
  const row = rows[index];
  if (row === undefined) return 2;
  const takesNext = row.row.isGroup === true || index === rows.length - 2;
  return row.heightPoints + (takesNext ? neededPoints(rows, index + 1) : 2);
}

interface Place {
  readonly x: number;
  readonly width: number;
}

function settingOf(table: TableDescription): Setting {
  const cell: TextStyle = {
    sizePoints: table.isDense === true ? 7.2 : 7.8,
    weight: 400,
    color: ink.text,
  };
  const gap = table.isDense === true ? 5 : 8;
  const shares = table.columns.reduce((sum, column) => sum + column.share, 0);
  const usable = contentWidthPoints - gap * (table.columns.length - 1);
  let x: number = page.left;
  const places = table.columns.map((column) => {
    const width = (usable * column.share) / shares;
    const place = { x, width };
    x += width + gap;
    return place;
  });
  return { columns: table.columns, places, cell, header: { ...cell, weight: 600 } };
}

/** Numbers stand to the right with digits of equal width, words to the left with their own. */
function cellStyleAt(setting: Setting, row: Row, base: TextStyle, index: number): TextStyle {
  const isStrong = row.isGroup === true || row.isStrong === true;
  return {
    ...base,
    weight: isStrong ? 600 : base.weight,
    tabular: setting.columns[index]?.align === "right",
  };
}

function setRow(sheet: Sheet, row: Row, setting: Setting, base: TextStyle = setting.cell): SetRow {
  const cells = row.cells.map((text, index) =>
    breakLines(
      sheet.pdf,
      text,
      cellStyleAt(setting, row, base, index),
      row.isGroup === true ? contentWidthPoints : (setting.places[index]?.width ?? 0),
    ),
  );
  const lines = Math.max(1, ...cells.map((cell) => cell.length));
  const above = row.isGroup === true ? groupSpacePoints : 0;
  return {
    row,
    cells,
    heightPoints: lines * base.sizePoints * lineHeightFactor + padPoints + above,
  };
}

function drawHeader(sheet: Sheet, header: SetRow, setting: Setting, table: Element | null): void {
  sheet.artifact(() => {
    sheet.rule(sheet.y, 0.9, ink.rule);
  });
  sheet.y += padPoints;
  const draw = (index: number): void => {
    // Titles of one line stand at the foot of a header of two.
    const lines = header.cells[index] ?? [];
    const height = lines.length * setting.header.sizePoints * lineHeightFactor;
    const top = sheet.y + header.heightPoints - padPoints - height;
    drawCell(
      sheet,
      lines,
      setting,
      index,
      cellStyleAt(setting, header.row, setting.header, index),
      top,
    );
  };
  if (table) {
    const row = sheet.element("TR", table);
    setting.columns.forEach((_, index) => {
      sheet.within(sheet.element("TH", row), "TH", () => draw(index));
    });
  } else {
    sheet.artifact(() => {
      setting.columns.forEach((_, index) => draw(index));
    });
  }
  sheet.y += header.heightPoints;
  sheet.artifact(() => {
    sheet.rule(sheet.y, 0.5, ink.rule);
  });
  sheet.y += padPoints;
}

function drawRow(
  sheet: Sheet,
  { row, cells, heightPoints }: SetRow,
  setting: Setting,
  table: Element | null,
  index: number,
): void {
  const above = row.isGroup === true ? groupSpacePoints : 0;
  sheet.y += above;
  if (row.isStrong === true && index > 0) {
    sheet.artifact(() => {
      sheet.rule(sheet.y - padPoints / 2, 0.4, ink.hairline);
    });
  }
  const element = table ? sheet.element("TR", table) : null;
  cells.forEach((lines, at) => {
    const style = cellStyleAt(setting, row, setting.cell, at);
    const draw = (): void => drawCell(sheet, lines, setting, at, style, sheet.y);
    if (element) {
      const tag = at === 0 ? "TH" : "TD";
      sheet.within(sheet.element(tag, element), tag, draw);
    } else {
      sheet.artifact(draw);
    }
  });
  sheet.y += heightPoints - above;
}

/** On a new page the name of the group that goes on is set again. */
function repeatGroup(sheet: Sheet, rows: readonly SetRow[], index: number, setting: Setting): void {
  if (rows[index]?.row.isGroup === true) return;
  const group = rows.slice(0, index).findLast((row) => row.row.isGroup === true);
  if (!group) return;
  const name = `${group.row.cells[0] ?? ""} (continued)`;
  drawRow(sheet, setRow(sheet, { cells: [name], isGroup: true }, setting), setting, null, 0);
}

function drawCell(
  sheet: Sheet,
  lines: readonly Line[],
  setting: Setting,
  column: number,
  style: TextStyle,
  top: number,
): void {
  const place = setting.places[column];
  const isRight = setting.columns[column]?.align === "right";
  lines.forEach((line, index) => {
    const slack = isRight ? (place?.width ?? 0) - line.widthPoints : 0;
    const baseline = top + index * style.sizePoints * lineHeightFactor + style.sizePoints;
    drawLine(sheet.pdf, line, style, (place?.x ?? page.left) + slack, baseline);
  });
}

function closeRule(sheet: Sheet, thickness: number): void {
  sheet.artifact(() => {
    sheet.rule(sheet.y, thickness, ink.rule);
  });
}

import PDFDocument from "pdfkit";
import { latinFont, useFont } from "./fonts.ts";
import { bold, breakLines, drawLine, lineHeightFactor, textWidth, type TextStyle } from "./text.ts";

/** A4 in points, with margins for binding and notes. */
export const page = {
  widthPoints: 595.28,
  heightPoints: 841.89,
  left: 56,
  right: 56,
  top: 72,
  bottom: 64,
} as const;
export const contentWidthPoints = page.widthPoints - page.left - page.right;

/** Ink of the report: every grey dark enough for a poor printer. */
export const ink = {
  text: "#1b1f24",
  muted: "#4d5660",
  rule: "#1b1f24",
  hairline: "#c3cad1",
  shade: "#f2f5f7",
  accent: "#00566b",
} as const;

export const bodyStyle: TextStyle = { sizePoints: 9, weight: 400, color: ink.text };
export const captionStyle: TextStyle = { sizePoints: 8, weight: 400, color: ink.muted };

export interface SheetOptions {
  readonly title: string;
  readonly subject: string;
  readonly headerLeft: string;
  readonly headerRight: string;
  readonly createdAt: Date;
}

export type Element = PDFKit.PDFStructureElement;

/** A figure that waits for room. */
interface Float {
  readonly heightPoints: number;
  readonly draw: (section: Element) => void;
  readonly section: Element;
}

/**
 * A document under way: the cursor, the structure tree and the numbering. Everything is drawn in
 * reading order, each stretch as marked content of an element of the tree.
 */
export class Sheet {
  readonly pdf: PDFKit.PDFDocument;
  /** The y at which the next thing is drawn. */
  y: number = page.top;
  private readonly options: SheetOptions;
  private readonly root: Element;
  private readonly sections: Element[] = [];
  private waiting: Float[] = [];
  private tables = 0;
  private figures = 0;

  constructor(options: SheetOptions) {
    this.options = options;
    this.pdf = new PDFDocument({
      size: "A4",
      margin: 0,
      bufferPages: true,
      tagged: true,
      pdfVersion: "1.7",
      lang: "en",
      displayTitle: true,
      info: {
        Title: options.title,
        Subject: options.subject,
        Creator: "Silhouette",
        Producer: "Silhouette",
        CreationDate: options.createdAt,
        ModDate: options.createdAt,
      },
    });
    // Before anything else is set, so that no built-in font is ever referred to.
    useFont(this.pdf, latinFont(400));
    this.root = this.pdf.struct("Document");
    this.pdf.addStructure(this.root);
  }

  get remainingPoints(): number {
    return page.heightPoints - page.bottom - this.y;
  }

  /** Starts a new page unless so much space is left on this one. */
  ensure(heightPoints: number): void {
    while (heightPoints > this.remainingPoints && !this.isFresh) this.newPage();
  }

  /** A new page, with the figures at its head that had no room before. */
  newPage(): void {
    this.turnPage();
    this.drawWaiting();
  }

  /** A new page in the middle of something that no figure may come between, such as a table. */
  turnPage(): void {
    this.pdf.addPage();
    this.y = page.top;
  }

  /** Draws the figures that wait, in their order, as far as this page has room for them. */
  drawWaiting(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const one of waiting) {
      const fits = one.heightPoints <= this.remainingPoints || this.y === page.top;
      if (fits && this.waiting.length === 0) one.draw(one.section);
      else this.waiting.push(one);
    }
  }

  /** Nothing is on this page that a further new page would make room for. */
  private get isFresh(): boolean {
    return this.y === page.top && this.waiting.length === 0;
  }

  /** Draws here where there is room and nothing waits, else at the head of a later page. */
  float(heightPoints: number, draw: (section: Element) => void): void {
    const section = this.sections.at(-1) ?? this.root;
    if (this.waiting.length === 0 && heightPoints <= this.remainingPoints) draw(section);
    else this.waiting.push({ heightPoints, draw, section });
  }

  space(points: number): void {
    // Space at the head of a page would only push the text down.
    if (this.y > page.top) this.y += points;
  }

  /** A new element of the structure tree, in the present section or in the element named. */
  element(tag: string, parent?: Element, alternative?: string): Element {
    const made = this.pdf.struct(tag, alternative === undefined ? {} : { alt: alternative });
    (parent ?? this.sections.at(-1) ?? this.root).add(made);
    return made;
  }

  /** Draws as content of an element. */
  within(element: Element, tag: string, draw: () => void): void {
    element.add(this.pdf.markStructureContent(tag));
    draw();
    this.pdf.endMarkedContent();
  }

  /** Draws what no reader should be read aloud: rules, shades, repeated headers. */
  artifact(draw: () => void): void {
    this.pdf.markContent("Artifact", { type: "Layout" });
    draw();
    this.pdf.endMarkedContent();
  }

  /** A section with its heading, which stays with at least `keepPoints` of what follows. */
  heading(level: 1 | 2, text: string, keepPoints = 60): void {
    const style: TextStyle =
      level === 1
        ? { sizePoints: 14, weight: 600, color: ink.accent }
        : { sizePoints: 10.5, weight: 600, color: ink.text };
    const before = level === 1 ? 24 : 15;
    // A figure belongs to its section: none slips under the next one's heading.
    if (level === 1) while (this.waiting.length > 0) this.newPage();
    this.ensure(before + style.sizePoints * lineHeightFactor + keepPoints);
    this.space(before);
    if (level === 1) {
      this.sections.push(this.element("Sect", this.root));
      this.pdf.outline.addItem(text);
    }
    const element = this.element(`H${level}`);
    this.lines(element, `H${level}`, text, style, page.left, contentWidthPoints);
    element.end();
    this.y += level === 1 ? 5 : 3;
  }

  paragraph(text: string, style: TextStyle = bodyStyle, widthPoints = contentWidthPoints): void {
    const element = this.element("P");
    this.lines(element, "P", text, style, page.left, widthPoints);
    element.end();
    this.y += style.sizePoints * 0.55;
  }

  bullets(items: readonly string[], style: TextStyle = bodyStyle): void {
    const list = this.element("L");
    const indent = 11;
    for (const item of items) {
      this.ensure(style.sizePoints * lineHeightFactor * 2);
      const entry = this.element("LI", list);
      const label = this.element("Lbl", entry);
      const baseline = this.y + style.sizePoints;
      const dot = breakLines(this.pdf, "•", style, indent)[0];
      this.within(label, "Lbl", () => {
        if (dot) drawLine(this.pdf, dot, style, page.left, baseline);
      });
      const body = this.element("LBody", entry);
      this.lines(body, "LBody", item, style, page.left + indent, contentWidthPoints - indent);
      this.y += style.sizePoints * 0.3;
    }
    this.y += style.sizePoints * 0.3;
  }

  /** Sets text in lines from the cursor on, over as many pages as it takes. */
  lines(
    element: Element,
    tag: string,
    text: string,
    style: TextStyle,
    x: number,
    widthPoints: number,
  ): void {
    const lines = breakLines(this.pdf, text, style, widthPoints);
    const height = style.sizePoints * lineHeightFactor;
    let next = 0;
    while (next < lines.length) {
      let fitting = Math.max(0, Math.floor(this.remainingPoints / height));
      // Neither a first line alone at the foot of a page nor a last one alone at a head.
      const left = lines.length - next;
      if (left > fitting && left - fitting === 1 && left > 2) fitting -= 1;
      if (fitting === 0 || (fitting === 1 && left > 1)) {
        this.newPage();
        continue;
      }
      const stretch = lines.slice(next, next + fitting);
      this.within(element, tag, () => {
        for (const line of stretch) {
          drawLine(this.pdf, line, style, x, this.y + style.sizePoints);
          this.y += height;
        }
      });
      next += stretch.length;
    }
  }

  /** "Table 3. ..." above a table, or "Figure 2. ..." below a figure. */
  caption(kind: "Table" | "Figure", text: string, parent: Element): void {
    const element = this.element("Caption", parent);
    this.lines(
      element,
      "Caption",
      this.numbered(kind, text),
      captionStyle,
      page.left,
      contentWidthPoints,
    );
  }

  private numbered(kind: "Table" | "Figure", text: string): string {
    if (kind === "Table") this.tables += 1;
    else this.figures += 1;
    const number = kind === "Table" ? this.tables : this.figures;
    return `${bold(`${kind} ${number}.`)} ${text}`;
  }

  /** Headers and page numbers on all pages, the end of the structure, and of the document. */
  finish(): number {
    while (this.waiting.length > 0) this.newPage();
    for (const section of this.sections) section.end();
    this.root.end();
    const { count } = this.pdf.bufferedPageRange();
    const style: TextStyle = { sizePoints: 7.5, weight: 400, color: ink.muted };
    for (let index = 0; index < count; index += 1) {
      this.pdf.switchToPage(index);
      this.pdf.markContent("Artifact", { type: "Pagination" });
      if (index > 0) {
        this.runningLine(this.options.headerLeft, this.options.headerRight, style, 42);
        this.rule(49, 0.4, ink.hairline);
      }
      const foot = page.heightPoints - 34;
      this.rule(foot - 12, 0.4, ink.hairline);
      this.runningLine(this.options.title, `Page ${index + 1} of ${count}`, style, foot);
      this.pdf.endMarkedContent();
    }
    this.pdf.end();
    return count;
  }

  private runningLine(left: string, right: string, style: TextStyle, baseline: number): void {
    const rightWidth = textWidth(this.pdf, right, style);
    const room = contentWidthPoints - rightWidth - 20;
    const first = breakLines(this.pdf, left, style, room)[0];
    if (first) drawLine(this.pdf, first, style, page.left, baseline);
    const last = breakLines(this.pdf, right, style, contentWidthPoints)[0];
    if (last) {
      drawLine(this.pdf, last, style, page.widthPoints - page.right - rightWidth, baseline);
    }
  }

  /** A horizontal rule across the text's width. To be drawn within an artifact. */
  rule(y: number, thickness: number, color: string, from = page.left, to = 539.28): void {
    this.pdf.lineWidth(thickness).strokeColor(color).moveTo(from, y).lineTo(to, y).stroke();
  }
}

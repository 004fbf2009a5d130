import { fontRuns, useFont, type FontWeight } from "./fonts.ts";

export interface TextStyle {
  readonly sizePoints: number;
  readonly weight: FontWeight;
  readonly color: string;
  /** Digits of equal width, for columns of numbers. */
  readonly tabular?: boolean;
}

/** Marks within a text: private-use characters, which plain() takes out of names and paths. */
const boldOn = "\ue000";
const boldOff = "\ue001";
const raisedOn = "\ue002";
const raisedOff = "\ue003";

/** Text that came from outside, without characters that would steer the setting. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\ue000-\ue003]/gu, " ");
}

export function bold(text: string): string {
  return `${boldOn}${text}${boldOff}`;
}

export function raised(text: string): string {
  return `${raisedOn}${text}${raisedOff}`;
}

/** A stretch of a line in one font and size. */
interface Piece {
  readonly text: string;
  readonly font: string;
  readonly sizePoints: number;
  readonly risePoints: number;
  readonly widthPoints: number;
}
export interface Line {
  readonly pieces: readonly Piece[];
  readonly widthPoints: number;
}

export const lineHeightFactor = 1.42;
const raisedSize = 0.68;
const raisedBy = 0.36;

/** Features are named only where they differ from the default, whose shapes the library keeps. */
function featuresOf(style: TextStyle): { features?: "tnum"[] } {
  return style.tabular === true ? { features: ["tnum"] } : {};
}

function pieceOf(
  pdf: PDFKit.PDFDocument,
  run: { font: string; text: string },
  style: TextStyle,
  isRaised: boolean,
): Piece {
  const sizePoints = style.sizePoints * (isRaised ? raisedSize : 1);
  useFont(pdf, run.font).fontSize(sizePoints);
  return {
    ...run,
    sizePoints,
    risePoints: isRaised ? style.sizePoints * raisedBy : 0,
    widthPoints: pdf.widthOfString(run.text, featuresOf(style)),
  };
}

/** A text cut at its marks and fonts, without regard to lines. */
function piecesOf(pdf: PDFKit.PDFDocument, text: string, style: TextStyle): Piece[] {
  const pieces: Piece[] = [];
  let weight = style.weight;
  let isRaised = false;
  // The marks are kept by the split as parts of their own.
  for (const part of text.split(/([\ue000-\ue003])/u)) {
    if (part === boldOn) weight = 600;
    else if (part === boldOff) weight = style.weight;
    else if (part === raisedOn) isRaised = true;
    else if (part === raisedOff) isRaised = false;
    else {
      for (const run of fontRuns(part, weight)) pieces.push(pieceOf(pdf, run, style, isRaised));
    }
  }
  return pieces;
}

function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.widthPoints, 0);
}

/** The width of a text set on one line, in points. */
export function textWidth(pdf: PDFKit.PDFDocument, text: string, style: TextStyle): number {
  return widthOf(piecesOf(pdf, text, style));
}

/**
 * Breaks a text into lines no wider than `widthPoints`. A single word that is wider, such as a
 * hash, is broken between characters. A line feed ends a line.
 */
export function breakLines(
  pdf: PDFKit.PDFDocument,
  text: string,
  style: TextStyle,
  widthPoints: number,
): Line[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: Line[] = [];
    let current: Piece[] = [];
    let carry = { weight: style.weight, raised: false };
    for (const word of paragraph.split(" ")) {
      const opened = reopen(word, carry);
      carry = opened.after;
      const pieces = piecesOf(pdf, opened.text, style);
      for (const fitting of splitToWidth(pdf, pieces, style, widthPoints)) {
        const gap = current.length > 0 ? piecesOf(pdf, " ", style) : [];
        if (current.length > 0 && widthOf([...current, ...gap, ...fitting]) > widthPoints) {
          lines.push(lineOf(current));
          current = [...fitting];
        } else {
          current.push(...gap, ...fitting);
        }
      }
    }
    lines.push(lineOf(current));
    return lines;
  });
}

/** A mark may span words: repeats at a word's start what was open at the end of the last. */
function reopen(
  word: string,
  carry: { weight: FontWeight; raised: boolean },
): { text: string; after: { weight: FontWeight; raised: boolean } } {
  const prefix = (carry.weight === 600 ? boldOn : "") + (carry.raised ? raisedOn : "");
  let weight = carry.weight;
  let isRaised = carry.raised;
  for (const character of word) {
    if (character === boldOn) weight = 600;
    if (character === boldOff) weight = 400;
    if (character === raisedOn) isRaised = true;
    if (character === raisedOff) isRaised = false;
  }
  return { text: prefix + word, after: { weight, raised: isRaised } };
}

function splitToWidth(
  pdf: PDFKit.PDFDocument,
  pieces: readonly Piece[],
  style: TextStyle,
  widthPoints: number,
): Piece[][] {
  if (widthOf(pieces) <= widthPoints) return [[...pieces]];
  const parts: Piece[][] = [];
  let current: Piece[] = [];
  for (const piece of pieces) {
    for (const character of piece.text) {
      const one = pieceOf(pdf, { font: piece.font, text: character }, style, piece.risePoints > 0);
      if (current.length > 0 && widthOf([...current, one]) > widthPoints) {
        parts.push(current);
        current = [];
      }
      current.push(one);
    }
  }
  if (current.length > 0) parts.push(current);
  return parts;
}

/** Joins neighbours in the same font and size, so that a line is few pieces and reads as words. */
function lineOf(pieces: readonly Piece[]): Line {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (
      last?.font === piece.font &&
      last.sizePoints === piece.sizePoints &&
      last.risePoints === piece.risePoints
    ) {
      joined[joined.length - 1] = {
        ...last,
        text: last.text + piece.text,
        widthPoints: last.widthPoints + piece.widthPoints,
      };
    } else {
      joined.push(piece);
    }
  }
  return { pieces: joined, widthPoints: widthOf(joined) };
}

/** Draws a line with its baseline at y. */
export function drawLine(
  pdf: PDFKit.PDFDocument,
  line: Line,
  style: TextStyle,
  x: number,
  baseline: number,
): void {
  let at = x;
  for (const piece of line.pieces) {
    useFont(pdf, piece.font)
      .fontSize(piece.sizePoints)
      .fillColor(style.color)
      .text(piece.text, at, baseline - piece.risePoints, {
        lineBreak: false,
        baseline: "alphabetic",
        ...featuresOf(style),
      });
    at += piece.widthPoints;
  }
}

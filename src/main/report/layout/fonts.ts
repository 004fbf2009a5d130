import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { unpackWoff } from "./woff.ts";

/** The two weights of Inter that the report uses. */
export type FontWeight = 400 | 600;

const subsets = ["latin", "latin-ext", "greek", "cyrillic"] as const;
type Subset = (typeof subsets)[number];

const weights: readonly FontWeight[] = [400, 600];
const { resolve } = createRequire(import.meta.url);

/** Each subset of Inter is a font file of its own, embedded only where it is used. */
function fontFile(subset: Subset, weight: FontWeight): string {
  return resolve(`@fontsource/inter/files/inter-${subset}-${weight}-normal.woff`);
}

function fontName(subset: Subset, weight: FontWeight): string {
  return `Inter ${subset} ${weight}`;
}

/** The name under which registerFonts made the Latin font known. */
export function latinFont(weight: FontWeight): string {
  return fontName("latin", weight);
}

const unpacked = new Map<string, Buffer>();

function fontData(subset: Subset, weight: FontWeight): Buffer {
  const file = fontFile(subset, weight);
  const known = unpacked.get(file);
  if (known) return known;
  const data = unpackWoff(readFileSync(file));
  unpacked.set(file, data);
  return data;
}

/** Makes a font known to the document when it is first set in it. */
export function useFont(pdf: PDFKit.PDFDocument, name: string): PDFKit.PDFDocument {
  const registered = registeredIn.get(pdf) ?? new Set<string>();
  registeredIn.set(pdf, registered);
  if (!registered.has(name)) {
    for (const subset of subsets) {
      for (const weight of weights) {
        if (fontName(subset, weight) === name) pdf.registerFont(name, fontData(subset, weight));
      }
    }
    registered.add(name);
  }
  return pdf.font(name);
}

const registeredIn = new WeakMap<PDFKit.PDFDocument, Set<string>>();

/** Characters that Inter's Latin file holds beyond Latin-1 (from its unicode-range). */
const latinBeyond =
  /[\u0131\u0152\u0153\u02bb\u02bc\u02c6\u02da\u02dc\u2010-\u2027\u2030-\u203a\u20ac\u2122\u2191\u2193\u2212\u2215]/u;

function subsetOf(character: string): Subset | null {
  const code = character.codePointAt(0) ?? 0;
  if ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff)) return "latin";
  if (latinBeyond.test(character)) return "latin";
  if ((code >= 0x100 && code < 0x250) || (code >= 0x1e00 && code < 0x1f00)) return "latin-ext";
  if (code >= 0x370 && code < 0x400) return "greek";
  if (code >= 0x400 && code < 0x460) return "cyrillic";
  return null;
}

/** Text cut into stretches that one font file can set; what none can set becomes "?". */
export function fontRuns(text: string, weight: FontWeight): { font: string; text: string }[] {
  const runs: { font: string; text: string }[] = [];
  for (const character of text) {
    const subset = subsetOf(character);
    const font = fontName(subset ?? "latin", weight);
    const shown = subset === null ? "?" : character;
    const last = runs.at(-1);
    if (last?.font === font) last.text += shown;
    else runs.push({ font, text: shown });
  }
  return runs;
}

/** A 5 x 7 dot font, one string of 0 and 1 a row; only the letters that films carry. */
const GLYPHS: Record<string, readonly string[]> = {
  S: ["01111", "10000", "10000", "01110", "00001", "00001", "11110"],
  Y: ["10001", "10001", "01010", "00100", "00100", "00100", "00100"],
  N: ["10001", "11001", "10101", "10101", "10011", "10001", "10001"],
  T: ["11111", "00100", "00100", "00100", "00100", "00100", "00100"],
  H: ["10001", "10001", "10001", "11111", "10001", "10001", "10001"],
  E: ["11111", "10000", "10000", "11110", "10000", "10000", "11111"],
  I: ["01110", "00100", "00100", "00100", "00100", "00100", "01110"],
  C: ["01111", "10000", "10000", "10000", "10000", "10000", "01111"],
  L: ["10000", "10000", "10000", "10000", "10000", "10000", "11111"],
  R: ["11110", "10001", "10001", "11110", "10100", "10010", "10001"],
};

const GLYPH_COLUMNS = 5;
const GLYPH_ROWS = 7;

export function textWidth(text: string, dotPixels: number): number {
  return (text.length * (GLYPH_COLUMNS + 1) - 1) * dotPixels;
}

export function textHeight(dotPixels: number): number {
  return GLYPH_ROWS * dotPixels;
}

/** Sets the dots of a text to a value; what falls outside the image is left out. */
export function drawText(
  pixels: Float32Array,
  columns: number,
  text: string,
  left: number,
  top: number,
  dotPixels: number,
  value: number,
): void {
  const rows = pixels.length / columns;
  Array.from(text).forEach((letter, position) => {
    const glyph = GLYPHS[letter];
    if (!glyph) throw new RangeError(`No glyph for "${letter}".`);
    glyph.forEach((line, glyphRow) => {
      for (let glyphColumn = 0; glyphColumn < GLYPH_COLUMNS; glyphColumn++) {
        if (line[glyphColumn] !== "1") continue;
        const x0 = left + (position * (GLYPH_COLUMNS + 1) + glyphColumn) * dotPixels;
        const y0 = top + glyphRow * dotPixels;
        for (let y = Math.max(0, y0); y < Math.min(rows, y0 + dotPixels); y++) {
          for (let x = Math.max(0, x0); x < Math.min(columns, x0 + dotPixels); x++) {
            pixels[y * columns + x] = value;
          }
        }
      }
    });
  });
}

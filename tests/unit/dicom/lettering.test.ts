import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredFrame, StoredValues } from "../../../src/main/dicom/decode.ts";
import { findLettering } from "../../../src/main/dicom/lettering.ts";
import { seeded } from "../../support/films.ts";

function frame(rows: number, columns: number, values: StoredValues): StoredFrame {
  return {
    rows,
    columns,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 16,
    pixelRepresentation: 0,
    photometricInterpretation: "MONOCHROME2",
    transferSyntax: "1.2.840.10008.1.2.1",
    values,
  };
}

interface Word {
  readonly left: number;
  readonly top: number;
  readonly strokes: number;
  readonly strokePixels: number;
  readonly gapPixels: number;
  readonly heightPixels: number;
  readonly value: number;
}

/** A ramp with noise, and words of upright strokes on it. */
function film(rows: number, columns: number, noise: number, words: readonly Word[], seed: number) {
  const random = seeded(seed);
  const values = new Uint16Array(rows * columns);
  for (let i = 0; i < values.length; i++) {
    values[i] = 800 + ((i % columns) / columns) * 2000 + random() * noise;
  }
  return draw(values, rows, columns, words);
}

function draw(values: Uint16Array, rows: number, columns: number, words: readonly Word[]) {
  for (const { left, top, strokes, strokePixels, gapPixels, heightPixels, value } of words) {
    for (let stroke = 0; stroke < strokes; stroke++) {
      const from = left + stroke * (strokePixels + gapPixels);
      for (let y = top; y < Math.min(rows, top + heightPixels); y++) {
        for (let x = from; x < Math.min(columns, from + strokePixels); x++) {
          values[y * columns + x] = value;
        }
      }
    }
  }
  return values;
}

type Texture = "noise" | "edges" | "bars" | "specks";

/** A square without words; `strength` is of the noise, or of how many specks there are. */
function textured(texture: Texture, size: number, strength: number, random: () => number) {
  const values = new Uint16Array(size * size);
  const waves = 20 + 40 * random();
  const turn = 2 * Math.PI * random();
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const along = ((x * Math.cos(turn) + y * Math.sin(turn)) / size) * waves;
      const noise = strength * random();
      const value = {
        noise: 600 + (1500 * x) / size + 2000 * noise,
        edges: 2000 + 1500 * Math.sign(Math.sin(along)) + 400 * noise,
        bars: 1500 + 1000 * Math.sin(along) + 400 * noise,
        specks: random() < 0.02 * strength ? 4095 * random() : 1000 + (1500 * x) / size,
      }[texture];
      values[y * size + x] = value;
    }
  }
  return values;
}

const word = fc.record({
  left: fc.integer({ min: 0, max: 280 }),
  top: fc.integer({ min: 0, max: 200 }),
  strokes: fc.integer({ min: 2, max: 12 }),
  strokePixels: fc.integer({ min: 1, max: 9 }),
  gapPixels: fc.integer({ min: 1, max: 16 }),
  heightPixels: fc.integer({ min: 2, max: 40 }),
  value: fc.constantFrom(0, 4095, 2500, 3300),
});

describe("the search for lettering", () => {
  const sixStrokes: Word = {
    left: 100,
    top: 40,
    strokes: 6,
    strokePixels: 4,
    gapPixels: 12,
    heightPixels: 30,
    value: 4095,
  };

  it("finds a word, and not a marker of two strokes", () => {
    const [found, ...others] = findLettering(frame(300, 400, film(300, 400, 40, [sixStrokes], 1)));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ left: expect.any(Number) as number });
    expect(found?.left).toBeLessThanOrEqual(100);
    expect((found?.left ?? 0) + (found?.width ?? 0)).toBeGreaterThanOrEqual(184);
    expect(found?.top).toBeLessThanOrEqual(40);
    expect((found?.top ?? 0) + (found?.height ?? 0)).toBeGreaterThanOrEqual(70);
    const marker = film(300, 400, 40, [{ ...sixStrokes, strokes: 2 }], 1);
    expect(findLettering(frame(300, 400, marker))).toEqual([]);
  });

  it("finds strokes of any width and gap, bright or dark, on even, sloping and noisy ground", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 12 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 6, max: 60 }),
        fc.constantFrom("even", "sloping", "noisy"),
        fc.boolean(),
        fc.nat(),
        (strokes, strokePixels, gapPixels, heightPixels, ground, bright, seed) => {
          const columns = 400;
          const rows = 300;
          const values = ground === "even" ? new Uint16Array(rows * columns).fill(1500) : null;
          const shown: Word = {
            ...sixStrokes,
            left: 60,
            strokes,
            strokePixels,
            gapPixels,
            heightPixels,
            value: bright ? 4095 : 0,
          };
          const drawn = draw(
            values ?? film(rows, columns, ground === "noisy" ? 300 : 0, [], seed),
            rows,
            columns,
            [shown],
          );
          const width = strokes * (strokePixels + gapPixels) - gapPixels;
          const [found, ...others] = findLettering(frame(rows, columns, drawn));
          expect(others).toEqual([]);
          expect(found).toBeDefined();
          expect(found?.left).toBeLessThanOrEqual(60);
          expect((found?.left ?? 0) + (found?.width ?? 0)).toBeGreaterThanOrEqual(60 + width);
          expect(found?.top).toBeLessThanOrEqual(40);
          expect((found?.top ?? 0) + (found?.height ?? 0)).toBeGreaterThanOrEqual(
            40 + heightPixels,
          );
        },
      ),
      { seed: 7, numRuns: 400 },
    );
  });

  it("finds nothing in noise, edges, bars and single specks", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Texture>("noise", "edges", "bars", "specks"),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(256, 400, 900),
        fc.nat(),
        (texture, strength, size, seed) => {
          const values = textured(texture, size, strength, seeded(seed));
          expect(findLettering(frame(size, size, values))).toEqual([]);
        },
      ),
      { seed: 11, numRuns: 120 },
    );
  });

  it("finds the same where it looks at steep places only as where it looks everywhere", () => {
    let withWords = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 260 }),
        fc.integer({ min: 16, max: 330 }),
        fc.constantFrom(0, 40, 900, 3000),
        fc.array(word, { maxLength: 6 }),
        fc.boolean(),
        fc.nat(),
        (rows, columns, noise, words, signed, seed) => {
          const values = film(rows, columns, noise, words, seed);
          const sixteen = signed ? Int16Array.from(values, (value) => value - 2000) : values;
          // Values of 32 bits are looked at everywhere.
          const everywhere = findLettering(frame(rows, columns, Int32Array.from(sixteen)));
          expect(findLettering(frame(rows, columns, sixteen))).toEqual(everywhere);
          if (everywhere.length > 0) withWords++;
        },
      ),
      { seed: 5, numRuns: 400 },
    );
    expect(withWords).toBeGreaterThan(20);
  });
});

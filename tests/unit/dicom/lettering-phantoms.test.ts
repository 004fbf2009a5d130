import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFrame, type StoredFrame } from "../../../src/main/dicom/decode.ts";
import { findLettering } from "../../../src/main/dicom/lettering.ts";
import { parseFile } from "../../../src/main/dicom/parse.ts";
import { drawText, textHeight, textWidth } from "../../../src/main/phantoms/lettering.ts";
import { generatePhantoms } from "../../../src/main/phantoms/generate.ts";
import { writeDicom } from "../../support/dicom-writer.ts";
import { encodings, loadEncoders } from "../../support/encoders.ts";
import { filmElements, pixelElements } from "../../support/films.ts";

/**
 * Every phantom carries the word SYNTHETIC at its foot and a marker of one letter at its head, on
 * films of several machines; nothing is written between them.
 */
const headShare = 0.12;
const footShare = 0.91;

describe.each([
  { sizePixels: 320, style: "a" },
  { sizePixels: 320, style: "b" },
  { sizePixels: 512, style: "a" },
] as const)(
  "the search for lettering in phantoms of $sizePixels px and style $style",
  { timeout: 120_000 },
  ({ sizePixels, style }) => {
    const folder = mkdtempSync(join(tmpdir(), "silhouette-lettering-"));
    const films: StoredFrame[] = [];

    beforeAll(async () => {
      await generatePhantoms({ folder, patients: 12, seed: 3, sizePixels, style, workers: 1 });
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!name.endsWith(".dcm")) continue;
        films.push(await decodeFrame(parseFile(readFileSync(join(folder, name)))));
      }
    }, 120_000);

    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it("finds the word in nineteen films of twenty at least", () => {
      const found = films.filter((film) =>
        findLettering(film).some(({ top, height }) => top + height > footShare * film.rows),
      );
      expect(films.length).toBeGreaterThan(20);
      expect(found.length / films.length).toBeGreaterThanOrEqual(0.95);
    });

    it("finds nothing where nothing but a marker is written", () => {
      for (const film of films) {
        const withoutWord = Math.floor(footShare * film.rows);
        expect(findLettering(part(film, 0, withoutWord))).toEqual([]);
        const middle = part(film, Math.ceil(headShare * film.rows), withoutWord);
        expect(findLettering(middle)).toEqual([]);
      }
    });
  },
);

describe("the search for lettering in films of JPEG baseline", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "silhouette-lettering-"));
  const films: StoredFrame[] = [];

  beforeAll(async () => {
    await loadEncoders();
    const baseline = encodings.find(({ title }) => title === "JPEG baseline");
    if (baseline === undefined) throw new Error("JPEG baseline is missing.");
    await generatePhantoms({
      folder,
      patients: 12,
      seed: 3,
      sizePixels: 512,
      style: "a",
      workers: 1,
    });
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".dcm")) continue;
      const { rows, columns, bitsStored, pixelRepresentation, values } = await decodeFrame(
        parseFile(readFileSync(join(folder, name))),
      );
      const form = { rows, columns, bitsAllocated: 8, bitsStored: 8, signed: false } as const;
      const lowest = pixelRepresentation === 1 ? -(2 ** (bitsStored - 1)) : 0;
      const bytes = Uint8Array.from(values, (value) => (value - lowest) >> (bitsStored - 8));
      const file = writeDicom(
        { ...filmElements(1, 1), ...pixelElements(form) },
        { transferSyntax: baseline.transferSyntax, frames: [[baseline.encode(bytes, form)]] },
      );
      films.push(await decodeFrame(parseFile(file)));
    }
  }, 120_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("finds the word in nineteen films of twenty at least, and nothing else", () => {
    expect(films.length).toBeGreaterThan(20);
    const foot = (film: StoredFrame) => footShare * film.rows;
    const found = films.filter((film) =>
      findLettering(film).some(({ top, height }) => top + height > foot(film)),
    );
    expect(found.length / films.length).toBeGreaterThanOrEqual(0.95);
    for (const film of films) {
      expect(findLettering(part(film, 0, Math.floor(foot(film))))).toEqual([]);
    }
  });
});

describe("the region of a word", () => {
  it("covers the word from its first letter to its last, up to a twentieth of the film", () => {
    const [rows, columns] = [300, 400];
    let found = 0;
    for (const text of ["SYNTHETIC", "CHESTERTIN", "LISTENER", "TRISTRITH", "SINCERELY"]) {
      for (const dot of [1, 2]) {
        const pixels = new Float32Array(rows * columns).fill(0.1);
        const [left, top] = [40, 200];
        drawText(pixels, columns, text, left, top, dot, 1);
        const values = Uint16Array.from(pixels, (value) => Math.round(4000 * value));
        const regions = findLettering(filmOf(rows, columns, values));
        if (regions.length === 0) continue;
        found += 1;
        expect(regions).toHaveLength(1);
        const [region] = regions;
        const where = `${text} of ${dot} pixels a dot`;
        expect(region!.left, where).toBeLessThanOrEqual(left);
        expect(region!.left + region!.width, where).toBeGreaterThanOrEqual(
          left + textWidth(text, dot),
        );
        expect(region!.top, where).toBeLessThanOrEqual(top);
        expect(region!.top + region!.height, where).toBeGreaterThanOrEqual(top + textHeight(dot));
      }
    }
    expect(found).toBe(10);
  });
});

function filmOf(rows: number, columns: number, values: Uint16Array): StoredFrame {
  return { rows, columns, samplesPerPixel: 1, values } as StoredFrame;
}

/** The rows of a film between two of them. */
function part(film: StoredFrame, from: number, to: number): StoredFrame {
  const values = film.values.slice(from * film.columns, to * film.columns);
  return { ...film, rows: to - from, values };
}

import type { Image } from "cornerstone-core";
import type { FilmHeader } from "../../../shared/film.ts";

export interface Film {
  readonly header: FilmHeader;
  readonly image: Image;
}

/** The response header with the `FilmHeader` as JSON. */
const filmHeaderName = "x-film";

/** Films kept in memory: the one shown, and a few before and after it. A film has about 10 MB. */
const kept = 7;
const films = new Map<number, Promise<Film>>();

/**
 * A film at full resolution, decoded by the core. Rejects with the reason in words where the
 * original cannot be read any more.
 */
export function film(imageId: number): Promise<Film> {
  const known = films.get(imageId);
  if (known !== undefined) {
    films.delete(imageId);
    films.set(imageId, known);
    return known;
  }
  const loading = fetchFilm(imageId);
  films.set(imageId, loading);
  // A film that failed is asked for again: a network drive may be back.
  loading.catch(() => films.delete(imageId));
  for (const oldest of films.keys()) {
    if (films.size <= kept) break;
    films.delete(oldest);
  }
  return loading;
}

async function fetchFilm(imageId: number): Promise<Film> {
  const response = await fetch(`pixels://film/${imageId}`);
  if (!response.ok) throw new Error(await response.text());
  const described = response.headers.get(filmHeaderName);
  if (described === null) throw new Error("The film came without a description of its pixels.");
  const header = JSON.parse(described) as FilmHeader;
  const bytes = await response.arrayBuffer();
  const values = header.rows * header.columns;
  if (bytes.byteLength < values * 2) {
    throw new Error(
      `The film has ${header.rows} × ${header.columns} pixels, but only ${bytes.byteLength} bytes came.`,
    );
  }
  const pixels = header.signed
    ? new Int16Array(bytes, 0, values)
    : new Uint16Array(bytes, 0, values);
  return { header, image: toImage(imageId, header, pixels) };
}

function toImage(imageId: number, header: FilmHeader, pixels: Uint16Array | Int16Array): Image {
  return {
    imageId: `film:${imageId}`,
    minPixelValue: header.minimum,
    maxPixelValue: header.maximum,
    slope: header.slope,
    intercept: header.intercept,
    windowCenter: header.windowCenter,
    windowWidth: header.windowWidth,
    getPixelData: () => pixels,
    rows: header.rows,
    columns: header.columns,
    height: header.rows,
    width: header.columns,
    color: false,
    rgba: false,
    columnPixelSpacing: header.pixelSpacingMillimetres?.column ?? 1,
    rowPixelSpacing: header.pixelSpacingMillimetres?.row ?? 1,
    invert: header.invert,
    sizeInBytes: pixels.byteLength,
  };
}

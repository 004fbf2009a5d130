import type { PixelHeader } from "./header.ts";
import type { FramePreparation } from "./pipeline.ts";
import { isInverted } from "./voi.ts";

/** A rectangle of a film in pixels of the original, from its top left corner. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The stored value that shows black: the lowest one, of MONOCHROME1 the highest. */
export function blackStoredValue(header: PixelHeader): number {
  const lowest = header.pixelRepresentation === 1 ? -(2 ** (header.bitsStored - 1)) : 0;
  const highest = lowest + 2 ** header.bitsStored - 1;
  return isInverted(header) ? highest : lowest;
}

/** Sets all pixels inside the regions; what lies outside of the image is left out. */
export function fillRegions(
  values: { [index: number]: number; readonly length: number },
  { rows, columns }: { readonly rows: number; readonly columns: number },
  regions: readonly Region[],
  value: number,
): void {
  for (const { left, top, width, height } of regions) {
    const right = Math.min(columns, left + width);
    const bottom = Math.min(rows, top + height);
    for (let row = Math.max(0, top); row < bottom; row++) {
      for (let column = Math.max(0, left); column < right; column++) {
        values[row * columns + column] = value;
      }
    }
  }
}

/** Where a film stands in its square frame: in the middle with its aspect kept, or stretched. */
export function placeInFrame(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  sizePixels: number,
  fit: FramePreparation["fit"],
): Region {
  const longer = Math.max(rows, columns);
  const side = (length: number) =>
    fit === "stretch"
      ? sizePixels
      : Math.max(1, Math.floor((2 * length * sizePixels + longer) / (2 * longer)));
  const width = side(columns);
  const height = side(rows);
  return {
    left: Math.floor((sizePixels - width) / 2),
    top: Math.floor((sizePixels - height) / 2),
    width,
    height,
  };
}

/**
 * Blackens every pixel of a training frame into which a region of the film went, also where it
 * went only in part.
 */
export function blackenFrame(
  frame: Uint8Array,
  sizePixels: number,
  film: { readonly rows: number; readonly columns: number },
  fit: FramePreparation["fit"],
  regions: readonly Region[],
): void {
  const place = placeInFrame(film, sizePixels, fit);
  const acrossScale = place.width / film.columns;
  const downScale = place.height / film.rows;
  const inFrame = regions.map(({ left, top, width, height }) => {
    const x = place.left + Math.floor(left * acrossScale);
    const y = place.top + Math.floor(top * downScale);
    return {
      left: x,
      top: y,
      width: place.left + Math.ceil((left + width) * acrossScale) - x,
      height: place.top + Math.ceil((top + height) * downScale) - y,
    };
  });
  fillRegions(frame, { rows: sizePixels, columns: sizePixels }, inFrame, 0);
}

import type { PixelHeader } from "./header.ts";
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

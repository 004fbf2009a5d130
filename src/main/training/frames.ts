/**
 * From a frame of the image cache to what a network sees: reduced to the training resolution and,
 * in training, moved a little. All of it depends on one image only, so it costs no privacy.
 */

/** Reduces square frames of one size to another; see `createReducer`. */
export type Reducer = (frame: Uint8Array, target: Float32Array) => void;

interface Span {
  readonly first: number;
  /** Share of each source pixel from `first` on; they sum to 1. */
  readonly weights: Float64Array;
}

/** The source pixels that each target pixel covers along one axis. */
function spansOf(sourcePixels: number, targetPixels: number): Span[] {
  const ratio = sourcePixels / targetPixels;
  return Array.from({ length: targetPixels }, (_, index) => {
    const from = index * ratio;
    const to = (index + 1) * ratio;
    const first = Math.floor(from);
    const last = Math.min(sourcePixels, Math.ceil(to - 1e-9));
    const weights = Float64Array.from({ length: last - first }, (_unused, offset) => {
      const pixel = first + offset;
      return (Math.min(to, pixel + 1) - Math.max(from, pixel)) / ratio;
    });
    return { first, weights };
  });
}

/**
 * A function that reduces 8-bit square frames of `sourcePixels` to `targetPixels` by the mean over
 * the area of each target pixel, in [0, 1]. The function keeps a work buffer: not re-entrant.
 *
 * @throws RangeError where the target is larger than the source: nothing is invented.
 */
export function createReducer(sourcePixels: number, targetPixels: number): Reducer {
  if (targetPixels > sourcePixels) {
    throw new RangeError(`A frame of ${sourcePixels} pixels cannot fill ${targetPixels}.`);
  }
  const spans = spansOf(sourcePixels, targetPixels);
  const rows = new Float64Array(sourcePixels * targetPixels);
  return (frame, target) => {
    for (let y = 0; y < sourcePixels; y += 1) {
      const row = y * sourcePixels;
      for (let x = 0; x < targetPixels; x += 1) {
        const { first, weights } = spans[x] as Span;
        let sum = 0;
        for (let i = 0; i < weights.length; i += 1) {
          sum += (weights[i] ?? 0) * (frame[row + first + i] ?? 0);
        }
        rows[y * targetPixels + x] = sum;
      }
    }
    for (let y = 0; y < targetPixels; y += 1) {
      const { first, weights } = spans[y] as Span;
      for (let x = 0; x < targetPixels; x += 1) {
        let sum = 0;
        for (let i = 0; i < weights.length; i += 1) {
          sum += (weights[i] ?? 0) * (rows[(first + i) * targetPixels + x] ?? 0);
        }
        target[y * targetPixels + x] = sum / 255;
      }
    }
  };
}

/** Mirrors a square image [pixels, pixels] in place: the patient's sides change places. */
export function mirrorImage(image: Float32Array, pixels: number): void {
  for (let row = 0; row < image.length; row += pixels) image.subarray(row, row + pixels).reverse();
}

/** How one view is moved. A mirror is no movement: the labels have to change with it. */
export interface Movement {
  /** Shift of the content in pixels of the training resolution. */
  readonly shiftX: number;
  readonly shiftY: number;
  readonly rotationRadians: number;
  /** Factor on the distance from middle grey. */
  readonly contrast: number;
}

/**
 * A small random movement: up to 4 % of the width, 5 degrees and 10 % of contrast.
 *
 * @param uniform numbers in [0, 1); they need not be secret
 */
export function randomMovement(uniform: () => number, pixels: number): Movement {
  const symmetric = (): number => 2 * uniform() - 1;
  return {
    shiftX: 0.04 * pixels * symmetric(),
    shiftY: 0.04 * pixels * symmetric(),
    rotationRadians: ((5 * Math.PI) / 180) * symmetric(),
    contrast: 1 + 0.1 * symmetric(),
  };
}

/**
 * Moves a square image [pixels, pixels] about its centre by bilinear interpolation, the border
 * repeated outwards, and clamps to [0, 1]. `source` and `target` must not overlap.
 */
export function moveImage(
  source: Float32Array,
  target: Float32Array,
  pixels: number,
  movement: Movement,
): void {
  const cosine = Math.cos(movement.rotationRadians);
  const sine = Math.sin(movement.rotationRadians);
  const centre = (pixels - 1) / 2;
  const last = pixels - 1;
  for (let y = 0; y < pixels; y += 1) {
    for (let x = 0; x < pixels; x += 1) {
      const fromX = x - centre - movement.shiftX;
      const fromY = y - centre - movement.shiftY;
      const sourceX = Math.min(last, Math.max(0, centre + cosine * fromX + sine * fromY));
      const sourceY = Math.min(last, Math.max(0, centre - sine * fromX + cosine * fromY));
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      const right = Math.min(last, left + 1);
      const bottom = Math.min(last, top + 1);
      const shareX = sourceX - left;
      const shareY = sourceY - top;
      const upper =
        (source[top * pixels + left] ?? 0) * (1 - shareX) +
        (source[top * pixels + right] ?? 0) * shareX;
      const lower =
        (source[bottom * pixels + left] ?? 0) * (1 - shareX) +
        (source[bottom * pixels + right] ?? 0) * shareX;
      const value = 0.5 + movement.contrast * (upper * (1 - shareY) + lower * shareY - 0.5);
      target[y * pixels + x] = Math.min(1, Math.max(0, value));
    }
  }
}

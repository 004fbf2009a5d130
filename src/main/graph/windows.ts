import {
  axisWindows,
  outputExtent,
  tapsOf,
  type AxisWindow,
  type MovingWindow,
} from "../network/description.ts";

/** A window that moves over a map, and the map. */
export interface WindowGeometry extends MovingWindow {
  readonly images: number;
  readonly height: number;
  readonly width: number;
}

export function outputSize(geometry: WindowGeometry): { height: number; width: number } {
  const { height, width } = axisWindows(geometry);
  return {
    height: outputExtent(geometry.height, height),
    width: outputExtent(geometry.width, width),
  };
}

/** True where every output pixel sees exactly its own input pixel. */
export function isPointwise(geometry: WindowGeometry): boolean {
  return Object.values(axisWindows(geometry)).every(
    ({ kernel, stride, padding }) => kernel === 1 && stride === 1 && padding === 0,
  );
}

/**
 * Input rows under each window: [images * outputHeight * outputWidth * kernel height * kernel width], taps in
 * raster order, -1 where the window hangs over the edge. A pixel is a row, images in order, each
 * in raster order.
 */
export function windowRows(geometry: WindowGeometry): Int32Array {
  const { images, height, width } = geometry;
  const { height: down, width: along } = axisWindows(geometry);
  const output = outputSize(geometry);
  const rows = new Int32Array(images * output.height * output.width * tapsOf(geometry));
  let at = 0;
  for (let image = 0; image < images; image += 1)
    for (let y = 0; y < output.height; y += 1)
      for (let x = 0; x < output.width; x += 1)
        for (let dy = 0; dy < down.kernel; dy += 1)
          for (let dx = 0; dx < along.kernel; dx += 1) {
            const sourceY = y * down.stride - down.padding + dy;
            const sourceX = x * along.stride - along.padding + dx;
            const inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
            rows[at] = inside ? (image * height + sourceY) * width + sourceX : -1;
            at += 1;
          }
  return rows;
}

/** Input pixels that the same taps of the window reach (all of them, for a stride of 1). */
export interface TapClass {
  /** Taps in raster order that reach these pixels, edges aside. */
  readonly taps: readonly number[];
  /** For each pixel of the class and each tap: the output row, -1 where there is none. */
  readonly outputRows: Int32Array;
}

/**
 * The windows seen from the input: which output pixels used an input pixel, and by which tap.
 * With strides of s and t the pixels fall into s * t classes by their position modulo these, and each
 * class is reached by its own taps only, so that no product with zeros is computed.
 *
 * `order` gives for each input pixel its row among the classes laid end to end, -1 where no
 * window reaches it.
 */
export function transposedWindows(geometry: WindowGeometry): {
  classes: TapClass[];
  order: Int32Array;
} {
  const { images, height, width } = geometry;
  const { height: down, width: along } = axisWindows(geometry);
  const output = outputSize(geometry);
  const order = new Int32Array(images * height * width).fill(-1);
  const classes: TapClass[] = [];
  let position = 0;
  const residue = (pixel: number, axis: AxisWindow): number => (pixel + axis.padding) % axis.stride;
  for (let phaseY = 0; phaseY < down.stride; phaseY += 1)
    for (let phaseX = 0; phaseX < along.stride; phaseX += 1) {
      const taps: number[] = [];
      for (let dy = phaseY; dy < down.kernel; dy += down.stride)
        for (let dx = phaseX; dx < along.kernel; dx += along.stride)
          taps.push(dy * along.kernel + dx);
      if (taps.length === 0) continue;
      const rows: number[] = [];
      for (let image = 0; image < images; image += 1)
        for (let y = 0; y < height; y += 1)
          for (let x = 0; x < width; x += 1) {
            if (residue(y, down) !== phaseY || residue(x, along) !== phaseX) continue;
            for (const tap of taps) {
              const outputY = (y + down.padding - Math.floor(tap / along.kernel)) / down.stride;
              const outputX = (x + along.padding - (tap % along.kernel)) / along.stride;
              const inside =
                outputY >= 0 && outputY < output.height && outputX >= 0 && outputX < output.width;
              rows.push(inside ? (image * output.height + outputY) * output.width + outputX : -1);
            }
            order[(image * height + y) * width + x] = position;
            position += 1;
          }
      if (rows.length > 0) classes.push({ taps, outputRows: Int32Array.from(rows) });
    }
  return { classes, order };
}

/** Most windows that can cover one input pixel. */
export function coverage(geometry: WindowGeometry): number {
  const { height, width } = axisWindows(geometry);
  return Math.ceil(height.kernel / height.stride) * Math.ceil(width.kernel / width.stride);
}

/**
 * For each input pixel the (output pixel, tap) pairs that cover it, as rows of a matrix with
 * one row for each pair: [images * height * width * coverage], -1 where there are fewer.
 */
export function coveringRows(geometry: WindowGeometry): Int32Array {
  const { images, height, width } = geometry;
  const slots = coverage(geometry);
  const result = new Int32Array(images * height * width * slots).fill(-1);
  const used = new Int32Array(images * height * width);
  windowRows(geometry).forEach((inputRow, pair) => {
    if (inputRow < 0) return;
    const slot = used[inputRow] ?? 0;
    result[inputRow * slots + slot] = pair;
    used[inputRow] = slot + 1;
  });
  if (used.some((count) => count > slots))
    throw new Error(`a window covers a pixel more than ${slots} times`);
  return result;
}

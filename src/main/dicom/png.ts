import { PNG } from "pngjs";

/**
 * A square grey picture as PNG.
 *
 * @param pixels [side, side] in 8 bit
 */
export function greyPng(pixels: Uint8Array, sidePixels: number): Buffer {
  const png = new PNG({ width: sidePixels, height: sidePixels });
  pixels.forEach((value, index) => {
    png.data.fill(value, 4 * index, 4 * index + 3);
    png.data[4 * index + 3] = 255;
  });
  return PNG.sync.write(png, { colorType: 0 });
}

import { FrameReader } from "../store/image-cache.ts";
import { createReducer, mirrorImage, moveImage, type Movement, type Reducer } from "./frames.ts";

/** Where an image's frame comes from: a place in the image cache, or its own 8-bit pixels. */
export type FrameSource =
  { readonly shard: string; readonly position: number; readonly checksum: number } | Uint8Array;

/** One image as it is to be made. Everything that was drawn for it stands here already. */
export interface ImageOrder {
  readonly source: FrameSource;
  readonly mirrored: boolean;
  /** Null leaves the image where it is. */
  readonly movement: Movement | null;
}

/** What images are made with. */
export interface ImageMakerOptions {
  readonly dataFolder: string;
  /** Side of the frames in the image cache. */
  readonly framePixels: number;
  /** Side of the images that come out, at most the frames' own. */
  readonly resolutionPixels: number;
}

/** Makes images of frames, on the thread that asks. Close it when no more are wanted. */
export class ImageMaker {
  readonly #frames: FrameReader;
  readonly #reduce: Reducer;
  readonly #pixels: number;
  readonly #frame: Uint8Array;
  readonly #still: Float32Array;

  constructor({ dataFolder, framePixels, resolutionPixels }: ImageMakerOptions) {
    this.#frames = new FrameReader(dataFolder, framePixels);
    this.#reduce = createReducer(framePixels, resolutionPixels);
    this.#pixels = resolutionPixels;
    this.#frame = new Uint8Array(framePixels ** 2);
    this.#still = new Float32Array(resolutionPixels ** 2);
  }

  /**
   * @param target [orders.length, 1, pixels, pixels], filled with values in [0, 1]
   * @throws UserError "resource" where a frame is missing or damaged.
   */
  make(orders: readonly ImageOrder[], target: Float32Array): void {
    const area = this.#pixels ** 2;
    orders.forEach(({ source, mirrored, movement }, index) => {
      const image = target.subarray(index * area, (index + 1) * area);
      const reduced = movement === null ? image : this.#still;
      if (source instanceof Uint8Array) this.#reduce(source, reduced);
      else this.#reduce(this.#frames.read([source], this.#frame), reduced);
      if (mirrored) mirrorImage(reduced, this.#pixels);
      if (movement !== null) moveImage(reduced, image, this.#pixels, movement);
    });
  }

  close(): void {
    this.#frames.close();
  }
}

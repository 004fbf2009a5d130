import { setImmediate } from "node:timers/promises";
import type { UnitBatch } from "../engine/engine.ts";
import type { RandomStream } from "../privacy/random.ts";
import { FrameReader } from "../store/image-cache.ts";
import { createReducer, moveImage, randomMovement, type Reducer } from "./frames.ts";
import type { StepSample } from "./sampling.ts";
import { labelCount, type TrainingSet } from "./training-set.ts";

/** Images made before the engine, which shares this thread, gets its turn again. */
const imagesAtOnce = 8;

/**
 * Reads frames by position from the image cache and makes what an engine takes. It never opens
 * the database. Close it when the run is over.
 */
export class BatchReader {
  readonly #set: TrainingSet;
  readonly #pixels: number;
  readonly #frames: FrameReader;
  readonly #reduce: Reducer;

  /** @param resolutionPixels side of the images that come out, at most the frames' own. */
  constructor(dataFolder: string, set: TrainingSet, resolutionPixels: number) {
    this.#set = set;
    this.#pixels = resolutionPixels;
    this.#frames = new FrameReader(dataFolder, set.framePixels);
    this.#reduce = createReducer(set.framePixels, resolutionPixels);
  }

  /**
   * Reads images by their numbers in the training set. Calls may overlap.
   *
   * @param movement a stream for the augmentation; null leaves the images as they are
   * @returns [images.length, 1, pixels, pixels] in [0, 1]
   * @throws UserError "resource" where a frame is missing or damaged.
   */
  async readImages(images: Uint32Array, movement: RandomStream | null): Promise<Float32Array> {
    const area = this.#pixels * this.#pixels;
    const result = new Float32Array(images.length * area);
    const frame = new Uint8Array(this.#set.framePixels ** 2);
    const still = new Float32Array(area);
    for (const [index, image] of images.entries()) {
      if (index > 0 && index % imagesAtOnce === 0) await setImmediate();
      this.#readFrame(image, frame);
      const target = result.subarray(index * area, (index + 1) * area);
      if (movement === null) {
        this.#reduce(frame, target);
      } else {
        this.#reduce(frame, still);
        const moved = randomMovement(() => movement.uniform(), this.#pixels);
        moveImage(still, target, this.#pixels, moved);
      }
    }
    return result;
  }

  /** Reads the images of a sampled step with their labels. */
  async readBatch(
    sample: StepSample,
    viewsPerUnit: number,
    movement: RandomStream | null,
  ): Promise<UnitBatch> {
    const labels = new Float32Array(sample.units.length * labelCount);
    sample.units.forEach((_unit, index) => {
      // All views of a unit carry the labels of its first.
      const from = (sample.images[index * viewsPerUnit] ?? 0) * labelCount;
      labels.set(this.#set.labels.subarray(from, from + labelCount), index * labelCount);
    });
    return {
      units: sample.units.length,
      views: viewsPerUnit,
      images: await this.readImages(sample.images, movement),
      labels,
    };
  }

  #readFrame(image: number, frame: Uint8Array): void {
    const { canaries } = this.#set;
    if (canaries === undefined || image < canaries.firstImage) {
      this.#frames.read([this.#locationOf(image)], frame);
      return;
    }
    const from = (image - canaries.firstImage) * frame.length;
    frame.set(canaries.frames.subarray(from, from + frame.length));
  }

  #locationOf(image: number): { shard: string; position: number; checksum: number } {
    const { shards, shardOfImage, positionOfImage, checksumOfImage } = this.#set;
    return {
      shard: shards[shardOfImage[image] ?? 0] ?? "",
      position: positionOfImage[image] ?? 0,
      checksum: checksumOfImage[image] ?? 0,
    };
  }

  close(): void {
    this.#frames.close();
  }
}

import { setImmediate } from "node:timers/promises";
import { mirroredFindings } from "../../shared/findings.ts";
import type { UnitBatch } from "../engine/engine.ts";
import type { RandomStream } from "../privacy/random.ts";
import { FrameReader } from "../store/image-cache.ts";
import { createReducer, mirrorImage, moveImage, randomMovement, type Reducer } from "./frames.ts";
import type { StepSample } from "./sampling.ts";
import { labelCountOf, type TrainingSet } from "./training-set.ts";

/** How the images of a step are changed on their way to the engine. */
export interface Augmentation {
  /** The stream that the changes are drawn from; it need not be secret. */
  readonly stream: RandomStream;
  /** Small shifts, rotations and changes of contrast. */
  readonly move: boolean;
  /** Half of the units mirrored, with right and left labels exchanged. */
  readonly mirror: boolean;
}

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
   * @param mirrored for each image whether it is mirrored
   * @returns [images.length, 1, pixels, pixels] in [0, 1]
   * @throws UserError "resource" where a frame is missing or damaged.
   */
  async readImages(
    images: Uint32Array,
    movement: RandomStream | null,
    mirrored: readonly boolean[] = [],
  ): Promise<Float32Array> {
    const area = this.#pixels * this.#pixels;
    const result = new Float32Array(images.length * area);
    const frame = new Uint8Array(this.#set.framePixels ** 2);
    const still = new Float32Array(area);
    for (const [index, image] of images.entries()) {
      if (index > 0 && index % imagesAtOnce === 0) await setImmediate();
      this.#readFrame(image, frame);
      const target = result.subarray(index * area, (index + 1) * area);
      const reduced = movement === null ? target : still;
      this.#reduce(frame, reduced);
      if (mirrored[index] === true) mirrorImage(reduced, this.#pixels);
      if (movement !== null) {
        const moved = randomMovement(() => movement.uniform(), this.#pixels);
        moveImage(still, target, this.#pixels, moved);
      }
    }
    return result;
  }

  /** Reads the images of a sampled step with their labels. */
  async readBatch(
    sample: Pick<StepSample, "unitsWithImages" | "images">,
    viewsPerUnit: number,
    augmentation: Augmentation,
  ): Promise<UnitBatch> {
    const { stream, move, mirror } = augmentation;
    const mirroredUnits = Array.from(
      sample.unitsWithImages,
      () => mirror && stream.uniform() < 0.5,
    );
    const labelCount = labelCountOf(this.#set);
    const mirrored = mirroredFindings(this.#set.scheme);
    const labels = new Float32Array(sample.unitsWithImages.length * labelCount);
    sample.unitsWithImages.forEach((_unit, index) => {
      // All views of a unit carry the labels of its first.
      const from = (sample.images[index * viewsPerUnit] ?? 0) * labelCount;
      const own = this.#set.labels.subarray(from, from + labelCount);
      labels.set(
        mirroredUnits[index] === true ? mirroredLabels(own, mirrored) : own,
        index * labelCount,
      );
    });
    return {
      units: sample.unitsWithImages.length,
      views: viewsPerUnit,
      images: await this.readImages(
        sample.images,
        move ? stream : null,
        Array.from(sample.images, (_, at) => mirroredUnits[Math.floor(at / viewsPerUnit)] === true),
      ),
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

/** The labels of a mirrored film, in the order of the findings. */
function mirroredLabels(labels: Float32Array, mirrored: readonly number[]): Float32Array {
  return Float32Array.from(mirrored, (from) => labels[from] ?? NaN);
}

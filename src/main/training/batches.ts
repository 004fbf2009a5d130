import { mirroredFindings } from "../../shared/findings.ts";
import type { UnitBatch } from "../engine/engine.ts";
import type { RandomStream } from "../privacy/random.ts";
import { randomMovement } from "./frames.ts";
import type { FrameSource } from "./image-maker.ts";
import { openImageThreads, type ImageSource } from "./image-threads.ts";
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

/**
 * Has frames read by position from the image cache and made into what an engine takes, in threads of
 * their own. All that is drawn at random is drawn here, in order. It never opens the database. Close
 * it when the run is over.
 */
export class BatchReader {
  readonly #set: TrainingSet;
  readonly #pixels: number;
  readonly #images: ImageSource;

  /** @param resolutionPixels side of the images that come out, at most the frames' own. */
  constructor(dataFolder: string, set: TrainingSet, resolutionPixels: number) {
    this.#set = set;
    this.#pixels = resolutionPixels;
    this.#images = openImageThreads({
      dataFolder,
      framePixels: set.framePixels,
      resolutionPixels,
    });
  }

  /** How long the threads that make the images have worked so far. */
  get busyMilliseconds(): number {
    return this.#images.busyMilliseconds();
  }

  /**
   * Reads images by their numbers in the training set. Calls may overlap.
   *
   * @param movement a stream for the augmentation; null leaves the images as they are
   * @param mirrored for each image whether it is mirrored
   * @returns [images.length, 1, pixels, pixels] in [0, 1]
   * @throws UserError "resource" where a frame is missing or damaged.
   */
  readImages(
    images: Uint32Array,
    movement: RandomStream | null,
    mirrored: readonly boolean[] = [],
  ): Promise<Float32Array> {
    return this.#images.make(
      Array.from(images, (image, index) => ({
        source: this.#sourceOf(image),
        mirrored: mirrored[index] === true,
        movement: movement === null ? null : randomMovement(() => movement.uniform(), this.#pixels),
      })),
    );
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

  #sourceOf(image: number): FrameSource {
    const { canaries, framePixels } = this.#set;
    if (canaries !== undefined && image >= canaries.firstImage) {
      const from = (image - canaries.firstImage) * framePixels ** 2;
      return canaries.frames.slice(from, from + framePixels ** 2);
    }
    const { shards, shardOfImage, positionOfImage, checksumOfImage } = this.#set;
    return {
      shard: shards[shardOfImage[image] ?? 0] ?? "",
      position: positionOfImage[image] ?? 0,
      checksum: checksumOfImage[image] ?? 0,
    };
  }

  close(): Promise<void> {
    return this.#images.close();
  }
}

/** The labels of a mirrored film, in the order of the findings. */
function mirroredLabels(labels: Float32Array, mirrored: readonly number[]): Float32Array {
  return Float32Array.from(mirrored, (from) => labels[from] ?? NaN);
}

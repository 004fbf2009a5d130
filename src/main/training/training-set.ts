import { keysOf, type Scheme } from "../../shared/findings.ts";
import type { PrivacyUnit } from "../../shared/plan.ts";
import type { Database } from "../store/database.ts";
import { schemeOfSplit } from "../store/schemes.ts";
import { trainingImages, type TrainingImage } from "../store/training-images.ts";
import type { CanaryContributions } from "./canaries.ts";

/**
 * What a trainer reads, packed into typed arrays so that 200,000 images cross to its process in
 * one message. Images are numbered by their place in these arrays.
 */
export interface TrainingSet {
  /** File names in the image cache. */
  readonly shards: readonly string[];
  readonly framePixels: number;
  /** The set of labels, in whose order they stand. */
  readonly scheme: Scheme;
  /** [images] each; positions count in frames. */
  readonly imageIds: Float64Array;
  readonly shardOfImage: Uint32Array;
  readonly positionOfImage: Float64Array;
  readonly checksumOfImage: Float64Array;
  /** [images, labels]: 1, 0, or NaN where the label is missing. */
  readonly labels: Float32Array;
  /** The images of unit u are unitImages[unitOffsets[u] ... unitOffsets[u + 1] - 1]. */
  readonly unitOffsets: Uint32Array;
  readonly unitImages: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** The made-up patients of an audited run, numbered after the others; see canaries.ts. */
  readonly canaries?: CanaryContributions;
}

/** The number of labels of each image. */
export function labelCountOf({ scheme }: Pick<TrainingSet, "scheme">): number {
  return keysOf(scheme).length;
}

/** The number of privacy units in the training part. */
export function unitCount(set: Pick<TrainingSet, "unitOffsets">): number {
  return set.unitOffsets.length - 1;
}

/**
 * Reads what a run on this split trains on and is scored on. A unit is a patient (or an image) of
 * the training part with at least one labelled image; held-out images are taken with or without
 * labels.
 */
export function loadTrainingSet(
  database: Database,
  choice: {
    readonly splitId: number;
    readonly unit: PrivacyUnit;
    readonly positiveAtGrade: number;
    readonly framePixels: number;
  },
): TrainingSet {
  const images = trainingImages(database, choice.splitId).filter(
    (image) => image.part !== "train" || image.grades.some((grade) => grade !== null),
  );
  const shards = [...new Set(images.map((image) => image.frameShard))];
  const shardNumbers = new Map(shards.map((shard, index) => [shard, index]));
  const units = groupUnits(images, choice.unit);
  const unitOffsets = new Uint32Array(units.length + 1);
  units.forEach((unit, index) => {
    unitOffsets[index + 1] = (unitOffsets[index] ?? 0) + unit.length;
  });
  const inPart = (part: TrainingImage["part"]): Uint32Array =>
    Uint32Array.from(images.flatMap((image, index) => (image.part === part ? [index] : [])));
  return {
    shards,
    framePixels: choice.framePixels,
    scheme: schemeOfSplit(database, choice.splitId),
    imageIds: Float64Array.from(images, (image) => image.imageId),
    shardOfImage: Uint32Array.from(images, (image) => shardNumbers.get(image.frameShard) ?? 0),
    positionOfImage: Float64Array.from(images, (image) => image.framePosition),
    checksumOfImage: Float64Array.from(images, (image) => image.frameChecksum),
    labels: Float32Array.from(
      images.flatMap((image) =>
        image.grades.map((grade) =>
          grade === null ? NaN : grade >= choice.positiveAtGrade ? 1 : 0,
        ),
      ),
    ),
    unitOffsets,
    unitImages: Uint32Array.from(units.flat()),
    validation: inPart("validation"),
    test: inPart("test"),
  };
}

/** Indices of the training images of each unit. */
function groupUnits(images: readonly TrainingImage[], unit: PrivacyUnit): number[][] {
  const groups = new Map<number, number[]>();
  images.forEach((image, index) => {
    if (image.part !== "train") return;
    const key = unit === "patient" ? image.patientId : image.imageId;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

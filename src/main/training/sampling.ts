import { poissonSample, type RandomStream, type RandomStreams } from "../privacy/random.ts";
import { labelCountOf, unitCount, type TrainingSet } from "./training-set.ts";

/** Which of so many units enter a step, ascending; the real one is `poissonSample`. */
export type SampleUnits = (
  stream: RandomStream,
  unitCount: number,
  samplingRate: number,
) => Uint32Array;

/** The units of one step and the images that they show. */
export interface StepSample {
  /** Ascending; may be empty. */
  readonly units: Uint32Array;
  /** Those of them that are gradient canaries, by the canary's number: they show no image. */
  readonly gradientCanaries: readonly number[];
  /** The others, in the same order. */
  readonly unitsWithImages: Uint32Array;
  /** [units with images, views]: numbers of images in the training set. */
  readonly images: Uint32Array;
}

/**
 * Draws one step: each unit enters independently with probability q, and a unit that enters shows
 * one of its images chosen at random. With more than one view, the others are drawn (with
 * replacement) from those images of the unit that carry the same labels, since a unit has one set
 * of labels in a step. Which image a unit shows changes only that unit's own contribution, which
 * is clipped whatever it shows.
 */
export function drawStep(
  streams: Pick<RandomStreams, "sampling" | "views">,
  set: TrainingSet,
  samplingRate: number,
  viewsPerUnit: number,
  sampleUnits: SampleUnits = poissonSample,
): StepSample {
  const units = sampleUnits(streams.sampling, unitCount(set), samplingRate);
  const gradients = set.canaries?.gradients ?? new Map<number, number>();
  const unitsWithImages = units.filter((unit) => !gradients.has(unit));
  const images = new Uint32Array(unitsWithImages.length * viewsPerUnit);
  unitsWithImages.forEach((unit, index) => {
    const own = set.unitImages.subarray(set.unitOffsets[unit], set.unitOffsets[unit + 1]);
    const first = own[streams.views.below(own.length)] ?? 0;
    images[index * viewsPerUnit] = first;
    if (viewsPerUnit === 1) return;
    const alike = own.filter((image) => sameLabels(set, image, first));
    for (let view = 1; view < viewsPerUnit; view += 1) {
      images[index * viewsPerUnit + view] = alike[streams.views.below(alike.length)] ?? first;
    }
  });
  const gradientCanaries = Array.from(units, (unit) => gradients.get(unit)).filter(
    (canary) => canary !== undefined,
  );
  return { units, gradientCanaries, unitsWithImages, images };
}

function sameLabels(set: TrainingSet, a: number, b: number): boolean {
  const labelCount = labelCountOf(set);
  for (let label = 0; label < labelCount; label += 1) {
    if (!Object.is(set.labels[a * labelCount + label], set.labels[b * labelCount + label])) {
      return false;
    }
  }
  return true;
}

import { randomBytes } from "node:crypto";
import { UserError } from "../../shared/errors.ts";
import { reproducibleRandomStreams } from "../privacy/random.ts";
import { labelCountOf, type TrainingSet } from "./training-set.ts";

/**
 * The canaries of one run: made-up patients, of whom each entered training or not by the toss of a
 * fair coin. Core and store know the coins; what scores the canaries does not.
 */
export interface CanaryDraw {
  /** Names the films: the same seed gives the same films. */
  readonly seed: string;
  /** The coins: whether each canary is in the training data. */
  readonly included: readonly boolean[];
}

/**
 * What a canary is. "gradient": a contribution of length C on one coordinate of its own, put into the
 * sum after clipping: the worst case that the guarantee has to hold for, and the easiest to find
 * (the Dirac canary of Nasr et al. 2023, arXiv 2302.07956, section 5). "film": a film with labels,
 * which goes the whole way of a patient's, through movement, network and clipping, and is harder to
 * find. Every fourth canary is a film.
 */
export type CanaryKind = "gradient" | "film";

export function kindOfCanary(canary: number): CanaryKind {
  return canary % 4 === 3 ? "film" : "gradient";
}

/** Canaries as a trainer sees them beside the cohort's images. */
export interface CanaryContributions {
  readonly seed: string;
  /** Of both kinds. */
  readonly count: number;
  /** The number of the first film in the training set's numbering; the others follow. */
  readonly firstImage: number;
  /** Which canary each film is, ascending. */
  readonly films: Uint32Array;
  /** [films, framePixels, framePixels], as in the image cache. */
  readonly frames: Uint8Array;
  /** The units that show no film, and which canary each of them is. */
  readonly gradients: ReadonlyMap<number, number>;
}

/** Tosses the coins and draws the seed from the operating system's generator. */
export function drawCanaries(count: number): CanaryDraw {
  const tosses = randomBytes(count);
  return {
    seed: randomBytes(16).toString("hex"),
    included: Array.from(tosses, (byte) => (byte & 1) === 1),
  };
}

/**
 * The same training set with the included canaries as further units, after all patients: first those
 * with films, then those without. Every film gets a number among the images, so that each can be
 * scored; one whose coin fell the other way belongs to no unit and no step can draw it. Held-out
 * parts stay as they are.
 *
 * A canary is a unit like any other: sampled at the plan's rate, no longer than C, under the same
 * noise. The plan's units, sampling rate and divisor count patients only, as without canaries; see
 * docs/decisions/0008-canaries-beside-the-plan.md for why that leaves a patient's guarantee as it is.
 */
export function withCanaries(set: TrainingSet, draw: CanaryDraw): TrainingSet {
  const count = draw.included.length;
  if (count === 0) return set;
  const numbers = Array.from({ length: count }, (_, canary) => canary);
  const films = numbers.filter((canary) => kindOfCanary(canary) === "film");
  const firstImage = set.imageIds.length;
  const labelCount = labelCountOf(set);
  const area = set.framePixels ** 2;
  const frames = new Uint8Array(films.length * area);
  const labels = new Float32Array((firstImage + films.length) * labelCount);
  labels.set(set.labels);
  films.forEach((canary, at) => {
    const film = canaryFilm(draw.seed, canary, set.framePixels, labelCount);
    frames.set(film.frame, at * area);
    labels.set(film.labels, (firstImage + at) * labelCount);
  });
  const joined = films.flatMap((canary, at) =>
    draw.included[canary] === true ? [firstImage + at] : [],
  );
  const directions = numbers.filter(
    (canary) => kindOfCanary(canary) === "gradient" && draw.included[canary] === true,
  );
  const images = set.unitImages.length;
  const firstUnit = set.unitOffsets.length - 1 + joined.length;
  return {
    ...set,
    labels,
    unitOffsets: Uint32Array.from([
      ...set.unitOffsets,
      ...joined.map((_image, index) => images + index + 1),
      ...directions.map(() => images + joined.length),
    ]),
    unitImages: Uint32Array.from([...set.unitImages, ...joined]),
    canaries: {
      seed: draw.seed,
      count,
      firstImage,
      films: Uint32Array.from(films),
      frames,
      gradients: new Map(directions.map((canary, index) => [firstUnit + index, canary])),
    },
  };
}

/**
 * The coordinate on which each gradient canary lies, no two on the same one; of films there is none.
 *
 * @returns by canary: the number of a parameter
 * @throws UserError "input" where the network has too few parameters for so many
 */
export function canaryCoordinates(
  { seed, count }: Pick<CanaryContributions, "seed" | "count">,
  parameterCount: number,
): ReadonlyMap<number, number> {
  if (count > parameterCount) {
    throw new UserError(
      "input",
      `A network of ${parameterCount} parameters has no place for ${count} canaries. Choose fewer.`,
    );
  }
  const { views } = reproducibleRandomStreams(`canary coordinates ${seed}`);
  const coordinates = new Map<number, number>();
  const taken = new Set<number>();
  for (let canary = 0; canary < count; canary += 1) {
    if (kindOfCanary(canary) !== "gradient") continue;
    let coordinate = views.below(parameterCount);
    while (taken.has(coordinate)) coordinate = views.below(parameterCount);
    taken.add(coordinate);
    coordinates.set(canary, coordinate);
  }
  return coordinates;
}

/**
 * A canary's film: a few broad gratings and discs, unlike any radiograph and unlike every
 * other canary, with labels tossed at random. It pulls the weights where no patient pulls them, and
 * again and again in the same direction, which is what makes its presence easy to find. Its detail
 * is coarse, so that it survives the reduction to the training resolution and the small movements
 * of the augmentation.
 *
 * @returns the frame, [framePixels, framePixels], and the labels, 0 or 1 each
 */
export function canaryFilm(
  seed: string,
  canary: number,
  framePixels: number,
  labelCount: number,
): { readonly frame: Uint8Array; readonly labels: Float32Array } {
  const { views } = reproducibleRandomStreams(`canary ${seed} ${canary}`);
  const labels = Float32Array.from({ length: labelCount }, () => views.below(2));
  const gratings = Array.from({ length: 4 }, () => {
    const angle = Math.PI * views.uniform();
    const waves = 1 + 6 * views.uniform();
    return {
      alongX: 2 * Math.PI * waves * Math.cos(angle),
      alongY: 2 * Math.PI * waves * Math.sin(angle),
      phase: 2 * Math.PI * views.uniform(),
    };
  });
  const discs = Array.from({ length: 3 }, () => ({
    x: views.uniform(),
    y: views.uniform(),
    radius: 0.08 + 0.17 * views.uniform(),
    height: views.below(2) === 0 ? 2.5 : -2.5,
  }));
  const values = new Float64Array(framePixels ** 2);
  for (let row = 0; row < framePixels; row += 1) {
    for (let column = 0; column < framePixels; column += 1) {
      const x = (column + 0.5) / framePixels;
      const y = (row + 0.5) / framePixels;
      let value = 0;
      for (const { alongX, alongY, phase } of gratings) {
        value += Math.sin(alongX * x + alongY * y + phase);
      }
      for (const disc of discs) {
        if (Math.hypot(x - disc.x, y - disc.y) < disc.radius) value += disc.height;
      }
      values[row * framePixels + column] = value;
    }
  }
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const frame = Uint8Array.from(values, (value) =>
    Math.round((255 * (value - low)) / (high - low)),
  );
  return { frame, labels };
}

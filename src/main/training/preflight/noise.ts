import type { PreflightCheck } from "../../../shared/preflight.ts";
import { unitOfNoise } from "../../privacy/noise.ts";
import type { NoiseSource } from "../noise-source.ts";
import { check, chiSquareBounds, deviations } from "./bounds.ts";

const fewestNumbers = 200_000;
const fewestDraws = 2;
const slices = 16;

/**
 * Measures a source of noise: its deviation against sigma C, over all parameters and over each
 * sixteenth of them (so that no layer goes without), its mean, and that it is fresh in each step.
 * What is drawn here is added to nothing and belongs to no step.
 *
 * @param standardDeviation sigma C
 */
export async function checkNoise(
  source: NoiseSource,
  parameters: number,
  standardDeviation: number,
): Promise<PreflightCheck[]> {
  const draws = Math.max(fewestDraws, Math.ceil(fewestNumbers / parameters));
  const unit = unitOfNoise(source.shape) / standardDeviation;
  const squares = new Float64Array(slices);
  const counts = new Float64Array(slices);
  let sum = 0;
  let products = 0;
  let previous: Float64Array | null = null;
  for (let draw = 0; draw < draws; draw += 1) {
    const noise = await source.draw();
    for (let slice = 0; slice < slices; slice += 1) {
      const from = Math.floor((slice * parameters) / slices);
      const to = Math.floor(((slice + 1) * parameters) / slices);
      let sliceSquares = 0;
      for (let i = from; i < to; i += 1) {
        const value = (noise[i] ?? NaN) * unit;
        sum += value;
        sliceSquares += value * value;
        if (previous !== null) products += value * (previous[i] ?? NaN) * unit;
      }
      squares[slice] = (squares[slice] ?? 0) + sliceSquares;
      counts[slice] = (counts[slice] ?? 0) + (to - from);
    }
    // The source overwrites its own array.
    previous = noise.slice();
  }

  const numbers = draws * parameters;
  const total = squares.reduce((all, value) => all + value, 0);
  const bounds = rootOf(chiSquareBounds(numbers));
  const smallestCount = Math.min(...counts);
  const sliceDeviations = squares.map((value, slice) => Math.sqrt(value / (counts[slice] ?? 0)));
  const sliceBounds = rootOf(chiSquareBounds(smallestCount));
  const meanLimit = deviations / Math.sqrt(numbers);
  const correlationLimit = deviations / Math.sqrt((draws - 1) * parameters);
  return [
    check("Deviation of the noise, over sigma C", Math.sqrt(total / numbers), bounds),
    check(
      "Least deviation of a sixteenth of the parameters, over sigma C",
      least(sliceDeviations),
      {
        least: sliceBounds.least,
      },
    ),
    check("Mean of the noise, over sigma C", sum / numbers, {
      least: -meanLimit,
      most: meanLimit,
    }),
    check("Correlation of the noise of two steps running", products / ((draws - 1) * parameters), {
      least: -correlationLimit,
      most: correlationLimit,
    }),
  ];
}

function rootOf(bounds: { readonly least: number; readonly most: number }): {
  readonly least: number;
  readonly most: number;
} {
  return { least: Math.sqrt(bounds.least), most: Math.sqrt(bounds.most) };
}

/** NaN where any is NaN: a slice without numbers fails. */
function least(values: Float64Array): number {
  return values.reduce((smallest, value) => Math.min(smallest, value), Infinity);
}

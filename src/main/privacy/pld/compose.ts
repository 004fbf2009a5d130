import { discretiseLoss, type DiscreteLoss } from "./discretise.ts";
import { inverseTransform, transform } from "./fft.ts";
import type { GaussianMixture } from "./mixture.ts";
import { logMomentOfLoss, type Direction, type Resolution } from "./moments.ts";

/** The composed privacy loss of one direction on a grid, tilted. */
export interface ComposedLoss {
  readonly step: number;
  /** The grid index of the window's first element. */
  readonly first: number;
  /** Tilted probability at each grid point of the window, rotated: point i is at i mod length. */
  readonly tilted: Float64Array;
  readonly tilt: number;
  /** log of the factor by which tilting changed the total: p(x) = exp(logScale - tilt x) tilted. */
  readonly logScale: number;
  /** An upper bound on the probability of a loss above the window, infinity included. */
  readonly beyond: number;
  /** An upper bound on the rounding error of each element of `tilted`. */
  readonly rounding: number;
}

/**
 * Composes the losses of all mixtures, both directions at once, by the discrete Fourier transform.
 *
 * Each step's distribution is multiplied by exp(tilt x loss) and normalised before it is
 * transformed, raised to the number of steps and transformed back (Esscher's tilt). The result is
 * centred near the losses that decide delta, and rounding errors are relative to the probability
 * there, not to 1: delta = 1e-15 keeps its digits. The transform is circular: what lies above the
 * window is bounded by Chernoff's inequality on the discrete distributions themselves and added to
 * `beyond`, and what wraps in from below can only add.
 *
 * Memory depends on `length` and on the range of one step, not on the number of steps.
 *
 * @param length the number of grid points in the window: a power of two
 * @param tail the probability, per step and side, that is not resolved
 */
export function composeLosses(
  mixtures: readonly GaussianMixture[],
  resolutions: Readonly<Record<Direction, Resolution>>,
  length: number,
  tail: number,
): Record<Direction, ComposedLoss> {
  const { remove, add } = resolutions;
  const step = Math.max(remove.width, add.width) / (length - 2);
  const bins = length / 2 + 1;
  const removal = newSpectrum(bins);
  const addition = newSpectrum(bins);
  const real = new Float64Array(length);
  const imaginary = new Float64Array(length);

  for (const mixture of mixtures) {
    const loss = discretiseLoss(mixture, step, tail);
    // Two real sequences share one complex transform.
    real.fill(0);
    imaginary.fill(0);
    addTilted(real, loss, "remove", step, mixture, remove, removal);
    addTilted(imaginary, loss, "add", step, mixture, add, addition);
    transform(real, imaginary);
    for (let k = 0; k < bins; k += 1) {
      const mirrored = k === 0 ? 0 : length - k;
      const a = real[k] as number;
      const b = imaginary[k] as number;
      const c = real[mirrored] as number;
      const d = imaginary[mirrored] as number;
      raise(removal, k, (a + c) / 2, (b - d) / 2, mixture.steps);
      raise(addition, k, (b + d) / 2, (c - a) / 2, mixture.steps);
    }
  }

  real.fill(0);
  imaginary.fill(0);
  for (let k = 0; k < bins; k += 1) {
    const removed = Math.exp(removal.logModulus[k] as number);
    const added = Math.exp(addition.logModulus[k] as number);
    if (removed === 0 && added === 0) continue;
    const mirrored = k === 0 ? 0 : length - k;
    const share = k === 0 || k === bins - 1 ? 1 / length : 2 / length;
    removal.meanModulus += removed * share;
    addition.meanModulus += added * share;
    const removedReal = removed * Math.cos(removal.phase[k] as number);
    const removedImaginary = removed * Math.sin(removal.phase[k] as number);
    const addedReal = added * Math.cos(addition.phase[k] as number);
    const addedImaginary = added * Math.sin(addition.phase[k] as number);
    real[mirrored] = removedReal + addedImaginary;
    imaginary[mirrored] = addedReal - removedImaginary;
    real[k] = removedReal - addedImaginary;
    imaginary[k] = addedReal + removedImaginary;
  }
  inverseTransform(real, imaginary);

  const steps = mixtures.reduce((sum, mixture) => sum + mixture.steps, 0);
  const finish = (
    tilted: Float64Array,
    spectrum: Spectrum,
    { tilt, bottom, topExponent }: Resolution,
  ): ComposedLoss => {
    const first = Math.floor(bottom / step);
    const top = (first + length) * step;
    const above = Math.exp(spectrum.logTopMoment - topExponent * top);
    return {
      step,
      first,
      tilted,
      tilt,
      logScale: spectrum.logScale,
      beyond: Math.min(1, -Math.expm1(spectrum.logFinite) + above),
      rounding: steps * Math.log2(length) * Number.EPSILON * spectrum.meanModulus,
    };
  };
  return {
    remove: finish(real, removal, remove),
    add: finish(imaginary, addition, add),
  };
}

/** What accumulates over the mixtures for one direction. */
interface Spectrum {
  readonly logModulus: Float64Array;
  readonly phase: Float64Array;
  logScale: number;
  logTopMoment: number;
  /** log of the probability that no loss is infinite. */
  logFinite: number;
  meanModulus: number;
}

function newSpectrum(bins: number): Spectrum {
  return {
    logModulus: new Float64Array(bins),
    phase: new Float64Array(bins),
    logScale: 0,
    logTopMoment: 0,
    logFinite: 0,
    meanModulus: 0,
  };
}

/**
 * Multiplies bin k of the spectrum by (real + i imaginary)^steps. A bin whose modulus falls below
 * exp(-60) is far under the rounding of the largest, which is 1, and is set to 0 for good.
 */
function raise(
  spectrum: Spectrum,
  k: number,
  real: number,
  imaginary: number,
  steps: number,
): void {
  const before = spectrum.logModulus[k] as number;
  if (before === -Infinity) return;
  const squared = real * real + imaginary * imaginary;
  const logModulus = before + 0.5 * steps * Math.log(squared);
  if (logModulus < -60) {
    spectrum.logModulus[k] = -Infinity;
    return;
  }
  spectrum.logModulus[k] = logModulus;
  spectrum.phase[k] = (spectrum.phase[k] as number) + steps * Math.atan2(imaginary, real);
}

/** Writes one step's tilted distribution into the circular `target` and notes its factors. */
function addTilted(
  target: Float64Array,
  loss: DiscreteLoss,
  direction: Direction,
  step: number,
  mixture: GaussianMixture,
  { tilt, topExponent }: Resolution,
  spectrum: Spectrum,
): void {
  const { first } = loss;
  const masses = direction === "remove" ? loss.remove : loss.add;
  const sign = direction === "remove" ? 1 : -1;
  const mask = target.length - 1;
  const offset = logMomentOfLoss(mixture, direction, tilt);
  const topOffset = logMomentOfLoss(mixture, direction, topExponent);
  let total = 0;
  let topTotal = 0;
  for (let index = 0; index < masses.length; index += 1) {
    const mass = masses[index] as number;
    if (mass === 0) continue;
    const point = sign * (first + index);
    const x = point * step;
    const tilted = mass * Math.exp(tilt * x - offset);
    total += tilted;
    topTotal += mass * Math.exp(topExponent * x - topOffset);
    target[point & mask] = (target[point & mask] as number) + tilted;
  }
  const scale = 1 / total;
  for (let index = 0; index < target.length; index += 1) {
    target[index] = (target[index] as number) * scale;
  }
  const infinite = direction === "remove" ? loss.infiniteRemove : loss.infiniteAdd;
  spectrum.logScale += mixture.steps * (offset + Math.log(total));
  spectrum.logTopMoment += mixture.steps * (topOffset + Math.log(topTotal));
  spectrum.logFinite += mixture.steps * Math.log1p(-Math.min(1, infinite));
}

import type { RandomStream } from "./random.ts";

/**
 * Comparisons of a uniform random number with numbers that no computer can hold, decided exactly:
 * the uniform is drawn bit by bit, the other number is enclosed ever more closely in whole-number
 * arithmetic, and both go on until they lie apart. They do with probability one.
 */

/** A real number x with low <= x 2^precision <= high. */
export interface Enclosure {
  readonly low: bigint;
  readonly high: bigint;
}

const bitsAtOnce = 64;
/** Bits beyond those asked for, which swallow the rounding of a few hundred terms. */
const spareBits = 32;

/**
 * Encloses exp(-numerator / denominator) at a precision: the exponent is halved until it is at
 * most 1, where the series alternates and shrinks, and the result squared as often, all of it
 * rounded outwards.
 *
 * @param numerator at least 0
 * @param denominator above 0
 */
export function encloseExponential(
  numerator: bigint,
  denominator: bigint,
  precision: number,
): Enclosure {
  let halvings = 0;
  while (numerator > denominator << BigInt(halvings)) halvings += 1;
  const divisor = denominator << BigInt(halvings);
  // Each squaring doubles the relative error, and the number itself may be as small as e^-x.
  const working = BigInt(precision + spareBits + 2 * halvings);
  const one = 1n << working;
  let term = one;
  let sum = one;
  let rounding = 0n;
  for (let index = 1n; term > 0n; index += 1n) {
    term = (term * numerator) / (divisor * index);
    sum += index % 2n === 1n ? -term : term;
    // Every term is too small by less than 1, and the error of its predecessor shrinks with it.
    rounding += 2n;
  }
  // What was left out alternates and is below the first term that was rounded to nothing.
  rounding += 2n;
  let low = sum > rounding ? sum - rounding : 0n;
  let high = sum + rounding;
  for (let squaring = 0; squaring < halvings; squaring += 1) {
    low = (low * low) >> working;
    high = ((high * high) >> working) + 1n;
  }
  const surplus = working - BigInt(precision);
  return { low: low >> surplus, high: (high >> surplus) + 1n };
}

/** A uniform random number in [bits, bits + 1) / 2^count, of which more bits are drawn on demand. */
export class LazyUniform {
  readonly #stream: RandomStream;
  bits: bigint;
  count: number;

  /** Goes on from the first `count` bits, where they have been drawn. */
  constructor(stream: RandomStream, bits = 0n, count = 0) {
    this.#stream = stream;
    this.bits = bits;
    this.count = count;
  }

  extend(): void {
    for (let left = bitsAtOnce; left > 0; left -= 32) {
      this.bits = (this.bits << 32n) | BigInt(this.#stream.word());
    }
    this.count += bitsAtOnce;
  }
}

/** Whether a uniform number lies below a number that can be enclosed at any precision. */
export function isBelow(uniform: LazyUniform, enclose: (precision: number) => Enclosure): boolean {
  for (;;) {
    const { low, high } = enclose(uniform.count);
    if (uniform.bits + 1n <= low) return true;
    if (uniform.bits >= high) return false;
    uniform.extend();
  }
}

/** Whether a uniform number lies below exp(-numerator / denominator), exactly: a biased coin. */
export function isBelowExponential(
  uniform: LazyUniform,
  numerator: bigint,
  denominator: bigint,
): boolean {
  return isBelow(uniform, (precision) => encloseExponential(numerator, denominator, precision));
}

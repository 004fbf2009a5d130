import { UserError } from "../../shared/errors.ts";
import {
  encloseExponential,
  isBelow,
  isBelowExponential,
  LazyUniform,
  type Enclosure,
} from "./exact-exponential.ts";
import type { RandomStream } from "./random.ts";

/**
 * The discrete Gaussian on the whole numbers, P(n) proportional to exp(-n^2 / 2 s^2)
 * (Canonne, Kamath, Steinke 2020, arXiv 2004.00010, Definition 1), sampled exactly.
 *
 * With n = k s + j, 0 <= j < s, the weight is exp(-k^2 / 2) exp(-x) with
 * x = j (2 k s + j) / 2 s^2. So: k from the weights exp(-k^2 / 2), j uniform, a fair sign, and the
 * number is kept with probability exp(-x), about 0.71 on average (as Karney 2016, arXiv 1303.6257,
 * for the continuous one; -0 is refused, so that 0 counts once).
 *
 * Both comparisons of a uniform number with an exponential are exact. A 53-bit prefix of the
 * uniform is first held against an approximation in double precision, made of additions,
 * multiplications and divisions only, whose error is proved to stay below a guard; where the two
 * lie apart by more than the guard the outcome is certain. In the rest of the cases (one in 10^12)
 * more bits are drawn and the comparison is settled in whole numbers (exact-exponential.ts).
 */
export interface DiscreteGaussian {
  /** s: a whole number. The standard deviation, to 1 part in exp(19 s^2). */
  readonly scale: number;
  /** Fills `into` with independent whole numbers. */
  readonly fill: (stream: RandomStream, into: Float64Array) => void;
}

/** The largest scale: beyond it sums of noise and gradients would leave the exact doubles. */
export const largestScale = 2 ** 46;

const twoToMinus53 = 2 ** -53;
/**
 * The approximation of exp(-x) is off by less than 2^-44: x itself by at most four roundings of a
 * number below 41 (2^-45.6), tables and polynomial by ten roundings and r^4 / 24 (2^-49).
 */
const keepingGuard = 2 ** -40;
/** The cumulative weights are rounded once, to within 2^-54. */
const cellGuard = 2 ** -48;
/** Larger cells, of weight exp(-800), are left to whole numbers altogether. */
const largestQuickCell = 40;

export interface SamplerOptions {
  /** Leaves every comparison to whole numbers: slow, for tests of the quick way against it. */
  readonly wholeNumbersOnly?: boolean;
}

/** @throws UserError "input" unless the scale is a whole number from 1 to `largestScale`. */
export function createDiscreteGaussian(
  scale: number,
  { wholeNumbersOnly = false }: SamplerOptions = {},
): DiscreteGaussian {
  if (!Number.isSafeInteger(scale) || scale < 1 || scale > largestScale) {
    throw new UserError(
      "input",
      `The scale of the discrete Gaussian is a whole number from 1 to 2^46, but it is ${scale}.`,
    );
  }
  const tables = exponentialTables();
  const keeping = wholeNumbersOnly ? Infinity : keepingGuard;
  const choosing = wholeNumbersOnly ? Infinity : cellGuard;
  const below = uniformBelow(scale);
  const wholeScale = BigInt(scale);

  const sample = (stream: RandomStream): number => {
    for (;;) {
      const first = stream.word();
      const negative = (first & 1) === 1;
      const k = cellOf(stream, first >>> 5, stream.word() >>> 6, choosing, tables.cumulative);
      const j = below(stream);
      if (!isKept(stream, k, j)) continue;
      const magnitude = k * scale + j;
      if (!negative) return magnitude;
      if (magnitude !== 0) return -magnitude;
    }
  };

  const isKept = (stream: RandomStream, k: number, j: number): boolean => {
    if (j === 0) return true;
    const high = stream.word() >>> 5;
    const low = stream.word() >>> 6;
    if (k <= largestQuickCell) {
      const share = j / scale;
      const x = share * (k + 0.5 * share);
      const gap = (high * 2 ** 26 + low) * twoToMinus53 - approximateExponential(tables, x);
      if (gap < -keeping) return true;
      if (gap > keeping) return false;
    }
    const numerator = BigInt(j) * (2n * BigInt(k) * wholeScale + BigInt(j));
    const denominator = 2n * wholeScale * wholeScale;
    return isBelowExponential(lazyUniform(stream, high, low), numerator, denominator);
  };

  return {
    scale,
    fill: (stream, into) => {
      for (let index = 0; index < into.length; index += 1) into[index] = sample(stream);
    },
  };
}

/** k with probability exp(-k^2 / 2) / S, from a 53-bit prefix of a uniform number. */
function cellOf(
  stream: RandomStream,
  high: number,
  low: number,
  guard: number,
  cumulative: Float64Array,
): number {
  const uniform = (high * 2 ** 26 + low) * twoToMinus53;
  for (let k = 0; k < cumulative.length; k += 1) {
    const gap = uniform - (cumulative[k] ?? 1);
    if (gap < -guard) return k;
    if (!(gap > guard)) break;
  }
  const lazy = lazyUniform(stream, high, low);
  for (let k = 0; ; k += 1) {
    if (isBelow(lazy, (precision) => encloseCumulative(k, precision))) return k;
  }
}

/** Encloses the sum of exp(-i^2 / 2) up to k over the whole sum. */
function encloseCumulative(k: number, precision: number): Enclosure {
  const working = precision + 32;
  const one = 1n << BigInt(working);
  let upTo: Enclosure = { low: 0n, high: 0n };
  let all: Enclosure = upTo;
  for (let i = 0; ; i += 1) {
    const weight = encloseExponential(BigInt(i * i), 2n, working);
    all = { low: all.low + weight.low, high: all.high + weight.high };
    if (i === k) upTo = all;
    // Each weight is less than half of the one before it, so the rest is below the last one.
    if (i >= Math.max(k, 1) && weight.low === 0n) {
      all = { low: all.low, high: all.high + weight.high };
      break;
    }
  }
  const surplus = 32n;
  return {
    low: ((upTo.low * one) / all.high) >> surplus,
    high: (((upTo.high * one) / all.low + 1n) >> surplus) + 1n,
  };
}

/** Uniform on 0 ... limit - 1, exactly: as many bits as the limit has, until they lie below it. */
function uniformBelow(limit: number): (stream: RandomStream) => number {
  const bits = Math.max(1, Math.ceil(Math.log2(limit)));
  const lowShift = Math.max(0, 32 - bits);
  const highShift = Math.min(32, 64 - bits);
  const draw: (stream: RandomStream) => number =
    bits <= 32
      ? (stream) => stream.word() >>> lowShift
      : (stream) => (stream.word() >>> highShift) * 2 ** 32 + stream.word();
  return (stream) => {
    for (;;) {
      const value = draw(stream);
      if (value < limit) return value;
    }
  };
}

function lazyUniform(stream: RandomStream, high: number, low: number): LazyUniform {
  return new LazyUniform(stream, (BigInt(high) << 26n) | BigInt(low), 53);
}

interface ExponentialTables {
  /** exp(-a / 64), a = 0, 1, ... */
  readonly coarse: Float64Array;
  /** exp(-b / 4096), b = 0 ... 63. */
  readonly fine: Float64Array;
  /** Cumulative probabilities of k. */
  readonly cumulative: Float64Array;
}

/** exp(-x) for 0 <= x < largestQuickCell + 1: two tables and a cubic for the rest below 2^-12. */
function approximateExponential({ coarse, fine }: ExponentialTables, x: number): number {
  const parts = Math.floor(x * 4096);
  const rest = x - parts / 4096;
  const tail = 1 - rest * (1 - rest * (0.5 - rest / 6));
  return (coarse[parts >>> 6] ?? 0) * (fine[parts & 63] ?? 0) * tail;
}

let sharedTables: ExponentialTables | null = null;

function exponentialTables(): ExponentialTables {
  const rounded = ({ low }: Enclosure): number => Number(low) / 2 ** 200;
  const exponentials = (count: number, denominator: bigint): Float64Array =>
    Float64Array.from({ length: count }, (_, index) =>
      rounded(encloseExponential(BigInt(index), denominator, 200)),
    );
  sharedTables ??= {
    coarse: exponentials((largestQuickCell + 1) * 64 + 1, 64n),
    fine: exponentials(64, 4096n),
    cumulative: Float64Array.from({ length: 9 }, (_, k) => rounded(encloseCumulative(k, 200))),
  };
  return sharedTables;
}

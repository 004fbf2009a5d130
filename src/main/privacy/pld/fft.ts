/** Sines and cosines, and the bit-reversed order, of one transform length. */
interface Plan {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  readonly reversed: Uint32Array;
}

const plans = new Map<number, Plan>();

/**
 * Discrete Fourier transform in place, of `length` = 2^p complex numbers:
 * X[k] = sum over n of x[n] exp(-2 pi i k n / length). Its own inverse up to the sign: exchange
 * the two arrays, and divide by the length (`inverseTransform`).
 *
 * Radix 2, decimation in time; twiddle factors from the library's sine, so that the error of each
 * output stays below a few log2(length) roundings of the root mean square (Higham 2002, Section
 * 24.1).
 */
export function transform(real: Float64Array, imaginary: Float64Array): void {
  const length = real.length;
  const { cosines, sines, reversed } = planFor(length);
  for (let index = 0; index < length; index += 1) {
    const other = reversed[index] ?? 0;
    if (other > index) {
      const keptReal = real[index] as number;
      real[index] = real[other] as number;
      real[other] = keptReal;
      const keptImaginary = imaginary[index] as number;
      imaginary[index] = imaginary[other] as number;
      imaginary[other] = keptImaginary;
    }
  }
  combine(real, imaginary, 0, length, cosines, sines);
}

/** Blocks up to this length stay in the processor's cache through all their stages. */
const CACHED_LENGTH = 4096;

/** The butterflies of one block, its halves first, so that each stays in the cache. */
function combine(
  real: Float64Array,
  imaginary: Float64Array,
  from: number,
  length: number,
  cosines: Float64Array,
  sines: Float64Array,
): void {
  let half = 1;
  if (length > CACHED_LENGTH) {
    half = length / 2;
    combine(real, imaginary, from, half, cosines, sines);
    combine(real, imaginary, from + half, half, cosines, sines);
  }
  for (; half < length; half *= 2) {
    const stride = cosines.length / half;
    for (let start = from; start < from + length; start += 2 * half) {
      let twiddle = 0;
      for (let low = start; low < start + half; low += 1) {
        const high = low + half;
        const cosine = cosines[twiddle] as number;
        const sine = sines[twiddle] as number;
        const highReal = real[high] as number;
        const highImaginary = imaginary[high] as number;
        const turnedReal = highReal * cosine + highImaginary * sine;
        const turnedImaginary = highImaginary * cosine - highReal * sine;
        const lowReal = real[low] as number;
        const lowImaginary = imaginary[low] as number;
        real[low] = lowReal + turnedReal;
        imaginary[low] = lowImaginary + turnedImaginary;
        real[high] = lowReal - turnedReal;
        imaginary[high] = lowImaginary - turnedImaginary;
        twiddle += stride;
      }
    }
  }
}

/** The inverse of `transform`, in place. */
export function inverseTransform(real: Float64Array, imaginary: Float64Array): void {
  transform(imaginary, real);
  const scale = 1 / real.length;
  for (let index = 0; index < real.length; index += 1) {
    real[index] = (real[index] as number) * scale;
    imaginary[index] = (imaginary[index] as number) * scale;
  }
}

function planFor(length: number): Plan {
  const known = plans.get(length);
  if (known) return known;
  const bits = Math.log2(length);
  if (!Number.isInteger(bits)) throw new RangeError("A transform's length is a power of two.");
  const half = length / 2;
  const plan: Plan = {
    cosines: Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / length)),
    sines: Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / length)),
    reversed: new Uint32Array(length),
  };
  for (let index = 1; index < length; index += 1) {
    plan.reversed[index] =
      ((plan.reversed[index >>> 1] ?? 0) >>> 1) | (index & 1 ? length >>> 1 : 0);
  }
  plans.set(length, plan);
  return plan;
}

/**
 * Bounds for tests of random numbers. Each is passed by sound numbers but for a probability that
 * is given, so that draws keyed by the operating system can be tested without false alarms.
 */

/** The probability with which any one check of a sound source fails. */
export const falseAlarm = 1e-9;

/** The statistic of Pearson's chi-square for counts against probabilities that sum to 1. */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, i) => {
    const expected = total * probabilities[i]!;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/**
 * A chi-square with `degrees` degrees of freedom exceeds this with probability at most
 * `probability` (Laurent and Massart 2000, Annals of Statistics 28(5), Lemma 1).
 */
export function chiSquareLimit(degrees: number, probability = falseAlarm): number {
  const t = Math.log(1 / probability);
  return degrees + 2 * Math.sqrt(degrees * t) + 2 * t;
}

/**
 * The distance of Kolmogorov and Smirnov between numbers and a continuous distribution.
 *
 * @param values sorted in place
 */
export function kolmogorovDistance(
  values: Float64Array,
  cumulative: (x: number) => number,
): number {
  values.sort();
  let largest = 0;
  values.forEach((value, i) => {
    const expected = cumulative(value);
    largest = Math.max(largest, expected - i / values.length, (i + 1) / values.length - expected);
  });
  return largest;
}

/** That distance exceeds this with probability at most `probability` (Massart 1990). */
export function kolmogorovLimit(count: number, probability = falseAlarm): number {
  return Math.sqrt(Math.log(2 / probability) / (2 * count));
}

/** Pearson's correlation of two series of the same length. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    sumA += a[i]!;
    sumB += b[i]!;
    sumAA += a[i]! ** 2;
    sumBB += b[i]! ** 2;
    sumAB += a[i]! * b[i]!;
  }
  const n = a.length;
  return (sumAB - (sumA * sumB) / n) / Math.sqrt((sumAA - sumA ** 2 / n) * (sumBB - sumB ** 2 / n));
}

/** |z| of a standard normal number exceeds this with probability below 1e-9. */
export const normalLimit = 6.2;

/** log(sum of exp(values)), without overflow; -Infinity for an empty or vanishing sum. */
export function logSumOfExponentials(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let index = 0; index < values.length; index += 1) {
    largest = Math.max(largest, values[index] ?? -Infinity);
  }
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) {
    const difference = (values[index] ?? -Infinity) - largest;
    if (difference > -45) sum += Math.exp(difference);
  }
  return largest + Math.log(sum);
}

/**
 * A minimum of a quasi-convex function of a positive variable, by doubling or halving from `start`
 * until it rises, then golden section on the logarithm to a relative width of 1e-3.
 *
 * @returns the best point tried
 */
export function minimiseOverPositive(
  value: (x: number) => number,
  start: number,
  smallest: number,
  largest: number,
): { x: number; value: number } {
  let best = { x: start, value: value(start) };
  const consider = (x: number): number => {
    const y = value(x);
    if (y < best.value) best = { x, value: y };
    return y;
  };
  for (const factor of [2, 0.5]) {
    let at = start;
    while (best.x === at && at * factor <= largest && at * factor >= smallest) {
      at *= factor;
      consider(at);
    }
    if (best.x !== start) break;
  }
  let low = Math.log(Math.max(best.x / 2, smallest));
  let high = Math.log(Math.min(best.x * 2, largest));
  const golden = (Math.sqrt(5) - 1) / 2;
  let left = high - golden * (high - low);
  let right = low + golden * (high - low);
  let atLeft = consider(Math.exp(left));
  let atRight = consider(Math.exp(right));
  while (high - low > 1e-3) {
    if (atLeft <= atRight) {
      high = right;
      right = left;
      atRight = atLeft;
      left = high - golden * (high - low);
      atLeft = consider(Math.exp(left));
    } else {
      low = left;
      left = right;
      atLeft = atRight;
      right = low + golden * (high - low);
      atRight = consider(Math.exp(right));
    }
  }
  return best;
}

let logFactorialTable = Float64Array.of(0, 0);

/** log(n!) for n = 0 ... at least `limit`; the table is shared and grows on demand. */
export function logFactorialsUpTo(limit: number): Float64Array {
  if (logFactorialTable.length <= limit) {
    const grown = new Float64Array(Math.max(limit + 1, 2 * logFactorialTable.length));
    grown.set(logFactorialTable);
    for (let n = logFactorialTable.length; n < grown.length; n += 1) {
      grown[n] = (grown[n - 1] ?? NaN) + Math.log(n);
    }
    logFactorialTable = grown;
  }
  return logFactorialTable;
}

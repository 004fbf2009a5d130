import type { PreflightCheck } from "../../../shared/preflight.ts";
import { check, chiSquareBounds, countBounds } from "./bounds.ts";

const fewestDraws = 400;
/** Coins thrown at most: under a second. */
const mostCoins = 5e7;

/**
 * Measures a sampler against Poisson sampling: how many units it takes, how much the number varies
 * (a batch of fixed size does not), how evenly the units are taken (an epoch that is shuffled and
 * cut takes all of them equally often), and how often a unit is taken twice in a row.
 *
 * @param draw the units of one step, as the run draws them
 */
export function checkSampling(
  draw: () => Uint32Array,
  units: number,
  samplingRate: number,
): PreflightCheck[] {
  const q = samplingRate;
  const wanted = Math.max(fewestDraws, Math.ceil(4 / q));
  const draws = Math.max(fewestDraws, Math.min(wanted, Math.floor(mostCoins / units)));
  const timesTaken = new Float64Array(units);
  const takenAt = new Int32Array(units).fill(-2);
  let taken = 0;
  let twice = 0;
  let sizeSquares = 0;
  let stray = 0;
  for (let step = 0; step < draws; step += 1) {
    const sample = draw();
    for (const unit of sample) {
      // A unit that does not exist, or one twice in a step.
      if (unit >= units || takenAt[unit] === step) {
        stray += 1;
        continue;
      }
      if (takenAt[unit] === step - 1) twice += 1;
      takenAt[unit] = step;
      timesTaken[unit] = (timesTaken[unit] ?? 0) + 1;
    }
    taken += sample.length;
    sizeSquares += (sample.length - units * q) ** 2;
  }

  const coins = units * draws;
  const rate = countBounds(coins * q);
  const coin = q * (1 - q);
  const excess = (count: number): number => (1 - 6 * coin) / (count * coin);
  const spread = timesTaken.reduce((sum, count) => sum + (count - draws * q) ** 2, 0);
  const expectedTwice = units * (draws - 1) * q * q;
  const twiceBounds = countBounds(expectedTwice, 1 + 2 * q);
  return [
    check("Sampling rate", taken / coins, { least: rate.least * q, most: rate.most * q }),
    check(
      "Variance of the batch's size, over that of Poisson sampling",
      sizeSquares / (draws * units * coin),
      chiSquareBounds(draws, excess(units)),
    ),
    check(
      "Variance of how often a unit is taken, over that of Poisson sampling",
      spread / (units * draws * coin),
      chiSquareBounds(units, excess(draws)),
    ),
    check(
      "Units taken in two steps running, over the expected",
      twice / expectedTwice,
      twiceBounds,
    ),
    check("Units taken twice in a step, or that do not exist", stray, { most: 0 }),
  ];
}

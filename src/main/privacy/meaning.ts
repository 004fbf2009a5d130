import { UserError } from "../../shared/errors.ts";
import { checkDelta, checkEpsilon } from "./mechanism.ts";

/** What an (epsilon, delta) guarantee leaves to the best attacker who asks "was this one in?". */
export interface PrivacyMeaning {
  /** The curve no membership attack on the trained model can rise above. */
  readonly tradeOff: readonly TradeOffPoint[];
  /**
   * The highest certainty to which the factor exp(epsilon) alone can bring an attacker who thought
   * membership as likely as not. Delta is left aside: (epsilon, delta) does not bound a single
   * posterior, only how often an attack is right (`bestAccuracy`).
   */
  readonly posteriorFromEven: number;
  /** The share of right answers of the best attack on an even mix of members and others. */
  readonly bestAccuracy: number;
  /** The same in one sentence for the screen and the report. */
  readonly sentence: string;
}

/** One point of the bound: at this false-positive rate, at most this true-positive rate. */
export interface TradeOffPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

/** False-positive rates at which the curve is drawn: dense near 0, where attacks matter. */
const DRAWN_RATES: readonly number[] = [
  0,
  ...Array.from({ length: 40 }, (_, index) => 10 ** (-5 + index / 10)),
  ...Array.from({ length: 90 }, (_, index) => (11 + index) / 100),
].filter((rate, index, all) => rate <= 1 && (index === 0 || rate > (all[index - 1] ?? 0)));

/**
 * What the guarantee means for one privacy unit.
 *
 * @param unit how the sentence names it
 * @throws UserError of kind "input" for a value outside its range
 */
export function meaningOf(
  epsilon: number,
  delta: number,
  unit: "patient" | "image" = "patient",
): PrivacyMeaning {
  const tradeOff = DRAWN_RATES.map((falsePositiveRate) => ({
    falsePositiveRate,
    truePositiveRate: mostTruePositives(epsilon, delta, falsePositiveRate),
  }));
  const posteriorFromEven = highestPosterior(epsilon, 0.5);
  return {
    tradeOff,
    posteriorFromEven,
    bestAccuracy: bestAttackAccuracy(epsilon, delta),
    sentence: sentenceFor(epsilon, delta, unit),
  };
}

/**
 * The highest true-positive rate of any test for membership at a false-positive rate a:
 * min(delta + exp(epsilon) a, 1 - exp(-epsilon) (1 - delta - a)), within [0, 1].
 * Kairouz, Oh, Viswanath 2015 (arXiv 1311.0776), Theorem 2.1; Dong, Roth, Su 2022
 * (arXiv 1905.02383), Proposition 3, as the complement of f_{epsilon, delta}.
 */
export function mostTruePositives(
  epsilon: number,
  delta: number,
  falsePositiveRate: number,
): number {
  checkEpsilon(epsilon);
  checkDelta(delta);
  if (!(falsePositiveRate >= 0 && falsePositiveRate <= 1)) {
    throw new UserError(
      "input",
      `A false-positive rate lies between 0 and 1, but it is ${String(falsePositiveRate)}.`,
    );
  }
  const nearZero = falsePositiveRate === 0 ? delta : delta + Math.exp(epsilon) * falsePositiveRate;
  const nearOne = 1 - Math.exp(-epsilon) * (1 - delta - falsePositiveRate);
  return Math.max(0, Math.min(1, nearZero, nearOne));
}

/**
 * The highest probability of membership that an attacker with this prior can be brought to under
 * (epsilon, 0): odds grow at most by exp(epsilon) (Kasiviswanathan, Smith 2014, arXiv 0803.3946).
 */
export function highestPosterior(epsilon: number, prior: number): number {
  checkEpsilon(epsilon);
  if (!(prior > 0 && prior < 1)) {
    throw new UserError(
      "input",
      `A prior probability lies between 0 and 1, but it is ${String(prior)}.`,
    );
  }
  return 1 / (1 + ((1 - prior) / prior) * Math.exp(-epsilon));
}

/**
 * The share of right answers of the best attack where half of those asked about are members:
 * (exp(epsilon) + delta) / (1 + exp(epsilon)), half of 1 plus the largest distance of the
 * trade-off curve from the diagonal.
 */
export function bestAttackAccuracy(epsilon: number, delta: number): number {
  checkEpsilon(epsilon);
  checkDelta(delta);
  const inverse = Math.exp(-epsilon);
  return (1 + delta * inverse) / (1 + inverse);
}

function sentenceFor(epsilon: number, delta: number, unit: string): string {
  if (epsilon === Infinity) {
    return (
      `Without noise nothing limits what the model may reveal about any single ${unit}: an ` +
      `attacker may become certain whether a ${unit} was in the training data.`
    );
  }
  const right = percentage(bestAttackAccuracy(epsilon, delta));
  const found = percentage(mostTruePositives(epsilon, delta, 0.01));
  return (
    `An attacker who knows everything else and has to tell from this model whether a given ${unit}, ` +
    `as likely as not, was in the training data is right at most ${right} of the time, where ` +
    `guessing gives 50 %; an attack that wrongly accuses 1 in 100 outsiders recognises at most ` +
    `${found} of the ${unit}s that were in.`
  );
}

/**
 * A share that is an upper bound, as a percentage: rounded up, to three figures, and near 100 % to
 * two figures of what is missing, so that only a true certainty reads as one.
 */
function percentage(share: number): string {
  const percent = 100 * share;
  if (percent === 0) return "0 %";
  const missing = 100 - percent;
  const decimals =
    percent > 99 && missing > 1e-9
      ? 1 - Math.floor(Math.log10(missing))
      : Math.max(0, 2 - Math.floor(Math.log10(percent)));
  const scale = 10 ** decimals;
  // The share itself carries rounding errors; they are not to push it up a digit.
  return `${(Math.ceil(percent * scale * (1 - 1e-13)) / scale).toFixed(decimals)} %`;
}

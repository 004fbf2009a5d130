import { UserError } from "../../shared/errors.ts";
import { logFactorialsUpTo } from "./numeric.ts";

/** What a one-run canary audit found. */
export interface AuditOutcome {
  /** Canaries that entered training or not by the toss of a fair coin. */
  readonly canaries: number;
  /** How many of them the auditor made a guess about; the rest are abstentions. */
  readonly guesses: number;
  /** How many of the guesses were right. */
  readonly correct: number;
}

/**
 * The largest epsilon that a one-run audit refutes at `confidence`: with at least that confidence
 * the training was not (epsilon, delta)-private for any smaller epsilon. 0 where nothing can be
 * said. Steinke, Nasr, Jagielski 2023 (arXiv 2305.08846), Theorem 5.2 and Appendix D.
 *
 * The number of guesses must have been fixed before the canaries were scored.
 *
 * @throws UserError of kind "input" for a value outside its range
 */
export function auditedEpsilon(outcome: AuditOutcome, delta: number, confidence: number): number {
  checkOutcome(outcome);
  checkBetween("Delta", delta, 0, 1, true);
  checkBetween("The confidence", confidence, 0, 1, false);
  const level = 1 - confidence;
  if (auditPValue(outcome, 0, delta) >= level) return 0;
  let refuted = 0;
  let possible = 1;
  while (auditPValue(outcome, possible, delta) < level) {
    refuted = possible;
    possible *= 2;
  }
  while (possible - refuted > 1e-9 * possible) {
    const middle = (refuted + possible) / 2;
    if (auditPValue(outcome, middle, delta) < level) refuted = middle;
    else possible = middle;
  }
  return refuted;
}

/**
 * An upper bound on the probability of at least this many right guesses under any
 * (epsilon, delta)-private training (arXiv 2305.08846, Theorem 5.2): with B binomial(guesses,
 * exp(epsilon) / (1 + exp(epsilon))),
 * P(B >= correct) + 2 canaries delta x max over i of P(correct > B >= correct - i) / i.
 */
export function auditPValue(
  { canaries, guesses, correct }: AuditOutcome,
  epsilon: number,
  delta: number,
): number {
  const logFactorials = logFactorialsUpTo(guesses);
  const logRight = -Math.log1p(Math.exp(-epsilon));
  const logWrong = -epsilon + logRight;
  const probabilityOf = (right: number): number =>
    Math.exp(
      (logFactorials[guesses] ?? NaN) -
        (logFactorials[right] ?? NaN) -
        (logFactorials[guesses - right] ?? NaN) +
        right * logRight +
        (guesses - right) * logWrong,
    );
  let atLeast = 0;
  for (let right = guesses; right >= correct; right -= 1) atLeast += probabilityOf(right);
  let below = 0;
  let steepest = 0;
  for (let distance = 1; distance <= correct; distance += 1) {
    below += probabilityOf(correct - distance);
    steepest = Math.max(steepest, below / distance);
  }
  return Math.min(1, atLeast + 2 * canaries * delta * steepest);
}

/**
 * Guesses about canaries from their scores (higher: more likely a member): the top half of
 * `guesses` are said to be in, the bottom half out, all others are left without a guess.
 *
 * @param scores one finite number for each canary
 * @param included whether each canary was in the training data
 * @param guesses fixed beforehand; at most the number of canaries
 */
export function guessFromScores(
  scores: ArrayLike<number>,
  included: ArrayLike<boolean>,
  guesses: number,
): AuditOutcome {
  const canaries = scores.length;
  checkOutcome({ canaries, guesses, correct: 0 });
  if (included.length !== canaries) {
    throw new RangeError("There is one score and one coin toss for each canary.");
  }
  const order = Array.from({ length: canaries }, (_, index) => index).sort(
    (a, b) => (scores[b] ?? NaN) - (scores[a] ?? NaN),
  );
  const saidIn = Math.ceil(guesses / 2);
  const saidOut = guesses - saidIn;
  let correct = 0;
  for (const canary of order.slice(0, saidIn)) if (included[canary] === true) correct += 1;
  for (const canary of order.slice(canaries - saidOut)) {
    if (included[canary] === false) correct += 1;
  }
  return { canaries, guesses, correct };
}

/** The shares of the canaries about which a guess is tried, fixed before any run is scored. */
const guessedShares = [1, 3 / 4, 1 / 2, 1 / 4] as const;

/** One number of guesses with the epsilon that it refutes at its part of the confidence. */
export interface AuditAttempt {
  readonly guesses: number;
  readonly correct: number;
  readonly epsilon: number;
}

/** What scored canaries say of a run's epsilon. */
export interface CanaryFinding {
  /** The attempt that refutes most; its epsilon is the audit's lower bound. */
  readonly best: AuditAttempt;
  readonly attempts: readonly AuditAttempt[];
  /** The bound if every guess had been right: so many canaries cannot show more. */
  readonly highestPossible: number;
}

/**
 * The lower bound on epsilon from scored canaries. Few guesses about the clearest canaries serve a
 * weak attack, many a strong one; four numbers of guesses are tried, each at a quarter of the error
 * that the confidence leaves, so that the best of them holds at the whole confidence (Bonferroni).
 */
export function auditCanaries(
  scores: ArrayLike<number>,
  included: ArrayLike<boolean>,
  delta: number,
  confidence: number,
): CanaryFinding {
  const each = 1 - (1 - confidence) / guessedShares.length;
  const canaries = scores.length;
  const attempts = guessedShares.map((share): AuditAttempt => {
    const outcome = guessFromScores(scores, included, Math.round(share * canaries));
    const { guesses, correct } = outcome;
    return { guesses, correct, epsilon: auditedEpsilon(outcome, delta, each) };
  });
  const best = attempts.reduce((most, attempt) =>
    attempt.epsilon > most.epsilon ? attempt : most,
  );
  const all = { canaries, guesses: canaries, correct: canaries };
  return { best, attempts, highestPossible: auditedEpsilon(all, delta, each) };
}

function checkOutcome({ canaries, guesses, correct }: AuditOutcome): void {
  const whole = [canaries, guesses, correct].every(
    (count) => Number.isSafeInteger(count) && count >= 0,
  );
  if (!whole || guesses > canaries || correct > guesses) {
    throw new UserError(
      "input",
      `An audit has at most as many guesses as canaries and right guesses as guesses, but these ` +
        `are ${String(canaries)} canaries, ${String(guesses)} guesses and ${String(correct)} right.`,
    );
  }
}

function checkBetween(
  name: string,
  value: number,
  low: number,
  high: number,
  lowAllowed: boolean,
): void {
  if (!((lowAllowed ? value >= low : value > low) && value < high)) {
    throw new UserError(
      "input",
      `${name} must lie between ${String(low)} and ${String(high)}, but it is ${String(value)}.`,
    );
  }
}

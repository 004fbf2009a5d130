import type { RocPoint } from "../../shared/comparison.ts";

/** Scores with their truth (1 positive, 0 negative), of equal length. */
export interface ScoredLabels {
  readonly truth: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
}

/** Counts of images at or above one distinct score. */
interface Step {
  readonly score: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** Points of a stored curve at most; enough for a figure of any size. */
const curvePointsAtMost = 257;

/** Indices in ascending order of score. Scores must be finite. */
export function orderByScore(scores: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index);
  return order.sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || a - b);
}

/** Cumulative counts from the highest score down, one step for each distinct score. */
function stepsDown({ truth, scores }: ScoredLabels): Step[] {
  const order = orderByScore(scores);
  const steps: Step[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const index = order[at] ?? 0;
    const score = scores[index] ?? 0;
    if (truth[index] === 1) truePositives += 1;
    else falsePositives += 1;
    const below = at === 0 ? undefined : scores[order[at - 1] ?? 0];
    if (below !== score) steps.push({ score, truePositives, falsePositives });
  }
  return steps;
}

/**
 * Area under the ROC curve as the Mann-Whitney statistic: the share of pairs of a positive and a
 * negative in which the positive scores higher, ties counting half (Hanley and McNeil 1982).
 * Null without a positive or without a negative.
 */
export function auroc(data: ScoredLabels): number | null {
  const steps = stepsDown(data);
  const last = steps.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return null;
  let doubledArea = 0;
  let previous = { truePositives: 0, falsePositives: 0 };
  for (const step of steps) {
    doubledArea +=
      (step.falsePositives - previous.falsePositives) *
      (step.truePositives + previous.truePositives);
    previous = step;
  }
  return doubledArea / (2 * last.truePositives * last.falsePositives);
}

/**
 * The ROC curve from (0, 0) to (1, 1), thinned to what a figure can show; empty without a positive
 * or without a negative. Points on a straight stretch and points closer than 1/256 to the one
 * before are left out, so areas are to be computed from scores, never from this curve.
 */
export function rocCurve(data: ScoredLabels): RocPoint[] {
  const steps = stepsDown(data);
  const last = steps.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return [];
  const all: RocPoint[] = [
    { falsePositiveRate: 0, truePositiveRate: 0 },
    ...steps.map((step) => ({
      falsePositiveRate: step.falsePositives / last.falsePositives,
      truePositiveRate: step.truePositives / last.truePositives,
    })),
  ];
  const corners = all.filter((point, index) => {
    const before = all[index - 1];
    const after = all[index + 1];
    return !before || !after || !isStraight(before, point, after);
  });
  return thin(corners);
}

function isStraight(a: RocPoint, b: RocPoint, c: RocPoint): boolean {
  const flat = (of: (point: RocPoint) => number): boolean => of(a) === of(b) && of(b) === of(c);
  return flat((point) => point.falsePositiveRate) || flat((point) => point.truePositiveRate);
}

function thin(points: readonly RocPoint[]): RocPoint[] {
  if (points.length <= curvePointsAtMost) return [...points];
  // The curve rises or moves right by 2 in all, so this spacing keeps to the limit.
  const spacing = 2 / (curvePointsAtMost - 2);
  const kept: RocPoint[] = [];
  let previous: RocPoint | undefined;
  points.forEach((point, index) => {
    const moved = previous
      ? point.falsePositiveRate -
        previous.falsePositiveRate +
        point.truePositiveRate -
        previous.truePositiveRate
      : Infinity;
    if (moved < spacing && index !== points.length - 1) return;
    kept.push(point);
    previous = point;
  });
  return kept;
}

/**
 * The score from which an image counts as positive, by Youden's index (1950): the distinct score
 * with the greatest true-positive rate minus false-positive rate, the highest of equals. Null
 * without a positive or a negative, and where no score does better than chance.
 */
export function youdenThreshold(data: ScoredLabels): number | null {
  const steps = stepsDown(data);
  const last = steps.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return null;
  // In whole numbers, so that equal indices are equal.
  let best = 0;
  let threshold: number | null = null;
  for (const step of steps) {
    const index =
      step.truePositives * last.falsePositives - step.falsePositives * last.truePositives;
    if (index > best) {
      best = index;
      threshold = step.score;
    }
  }
  return threshold;
}

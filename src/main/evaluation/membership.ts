import type { AttackPoint, MembershipAttack } from "../../shared/audit.ts";
import { clusteredBootstrap, percentileInterval } from "./bootstrap.ts";
import { auroc, orderByScore } from "./roc.ts";

/** One score for each patient: higher means more likely to have been trained on. */
export interface AttackScores {
  readonly members: ArrayLike<number>;
  readonly nonMembers: ArrayLike<number>;
}

/** A false-positive rate is measured only where it is at least one held-out patient. */
const fewestAtRate = 1;
const confidence = 0.95;
const curvePointsAtMost = 200;

/**
 * How well an attack tells training patients from held-out ones. Each patient is one case, so that
 * the bootstrap over cases is clustered by patient.
 */
export async function measureAttack(
  scores: AttackScores,
  options: {
    readonly attack: MembershipAttack["attack"];
    readonly shadowModels: MembershipAttack["shadowModels"];
    readonly samples: number;
    readonly seed: number;
    readonly signal?: AbortSignal;
  },
): Promise<MembershipAttack> {
  const members = scores.members.length;
  const nonMembers = scores.nonMembers.length;
  const all = Float64Array.from([...toArray(scores.members), ...toArray(scores.nonMembers)]);
  const truth = Uint8Array.from(all, (_, index) => (index < members ? 1 : 0));
  // From the highest score down.
  const order = orderByScore(all).reverse();
  const cases = { all, truth, order };
  const estimates = new Float64Array(3);
  weightedFigures(cases, new Uint16Array(all.length).fill(1), estimates);
  const [sampled = new Float64Array(0)] = await clusteredBootstrap(
    all.length,
    [
      {
        size: 3,
        compute: (weights, out) => {
          weightedFigures(cases, weights, out);
        },
      },
    ],
    { samples: options.samples, seed: options.seed, signal: options.signal },
  );
  const interval = (figure: number) =>
    percentileInterval(
      estimates[figure] ?? NaN,
      Float64Array.from({ length: options.samples }, (_, row) => sampled[row * 3 + figure] ?? NaN),
      confidence,
    );
  return {
    attack: options.attack,
    members,
    nonMembers,
    auroc: auroc({ truth, scores: all }) === null ? null : interval(0),
    tprAt1Percent: nonMembers * 0.01 >= fewestAtRate ? interval(1) : null,
    tprAt01Percent: nonMembers * 0.001 >= fewestAtRate ? interval(2) : null,
    curve: attackCurve(cases),
    shadowModels: options.shadowModels,
  };
}

interface Cases {
  readonly all: Float64Array;
  readonly truth: Uint8Array;
  readonly order: Uint32Array;
}

/** AUROC and the true-positive rates at 1 % and 0.1 %, each case counted `weights` times. */
function weightedFigures(
  { all, truth, order }: Cases,
  weights: Uint16Array,
  out: Float64Array,
): void {
  let members = 0;
  let others = 0;
  weights.forEach((weight, index) => {
    if (truth[index] === 1) members += weight;
    else others += weight;
  });
  out.fill(NaN);
  if (members === 0 || others === 0) return;
  let right = 0;
  let wrong = 0;
  let area = 0;
  let at1 = 0;
  let at01 = 0;
  for (let from = 0; from < order.length;) {
    const score = all[order[from] ?? 0];
    let tiedRight = 0;
    let tiedWrong = 0;
    let to = from;
    for (; to < order.length && all[order[to] ?? 0] === score; to += 1) {
      const index = order[to] ?? 0;
      if (truth[index] === 1) tiedRight += weights[index] ?? 0;
      else tiedWrong += weights[index] ?? 0;
    }
    area += tiedWrong * (right + tiedRight / 2);
    right += tiedRight;
    wrong += tiedWrong;
    if (wrong <= 0.01 * others) at1 = right / members;
    if (wrong <= 0.001 * others) at01 = right / members;
    from = to;
  }
  out[0] = area / (members * others);
  out[1] = at1;
  out[2] = at01;
}

/**
 * The attack's ROC curve from (0, 0) to (1, 1). It is drawn on logarithmic axes, so that its points
 * are thinned by their ratio and the lowest rates keep theirs.
 */
function attackCurve({ all, truth, order }: Cases): AttackPoint[] {
  const members = truth.reduce((sum, one) => sum + one, 0);
  const others = truth.length - members;
  if (members === 0 || others === 0) return [];
  const points: AttackPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0 }];
  let right = 0;
  let wrong = 0;
  order.forEach((index, place) => {
    if (truth[index] === 1) right += 1;
    else wrong += 1;
    const next = order[place + 1];
    if (next !== undefined && all[next] === all[index]) return;
    points.push({ falsePositiveRate: wrong / others, truePositiveRate: right / members });
  });
  const ratio = (Math.max(members, others) + 1) ** (2 / curvePointsAtMost);
  const kept: AttackPoint[] = [];
  for (const [place, point] of points.entries()) {
    const last = kept.at(-1);
    const grown =
      last === undefined ||
      point.falsePositiveRate > last.falsePositiveRate * ratio ||
      point.truePositiveRate > last.truePositiveRate * ratio;
    if (grown || place === points.length - 1) kept.push(point);
  }
  return kept;
}

function toArray(values: ArrayLike<number>): number[] {
  return Array.from(values);
}

/** ln(p / (1 - p)) of the confidence p = exp(-loss): nearly normal over models (Carlini et al. 2022). */
export function scaledConfidence(loss: number): number {
  const bounded = Math.min(50, Math.max(1e-9, loss));
  return -bounded - Math.log(-Math.expm1(-bounded));
}

/**
 * The offline likelihood-ratio attack (LiRA; Carlini et al. 2022, arXiv 2112.03570, section VI-C):
 * how far the model's confidence in a patient lies above that of models which did not see the
 * patient, in standard deviations. With few models one variance is shared by all patients, as
 * the authors advise.
 *
 * @param target [patients]: scaled confidence of the attacked model
 * @param shadows for each shadow model [patients], NaN where it was trained on the patient
 * @returns [patients]; NaN for a patient that every shadow model was trained on
 */
export function likelihoodRatioScores(
  target: Float64Array,
  shadows: readonly Float64Array[],
): Float64Array {
  const means = new Float64Array(target.length);
  let squares = 0;
  let freedom = 0;
  for (let patient = 0; patient < target.length; patient += 1) {
    const seen = shadows
      .map((shadow) => shadow[patient] ?? NaN)
      .filter((value) => Number.isFinite(value));
    const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
    means[patient] = mean;
    squares += seen.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    freedom += Math.max(0, seen.length - 1);
  }
  const deviation = freedom === 0 || squares === 0 ? 1 : Math.sqrt(squares / freedom);
  return target.map((value, patient) => (value - (means[patient] ?? NaN)) / deviation);
}

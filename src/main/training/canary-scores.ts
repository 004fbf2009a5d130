import type { TrainingPlan } from "../../shared/plan.ts";
import type { CompiledNetwork } from "../engine/engine.ts";
import type { BatchReader } from "./batches.ts";
import { canaryCoordinates } from "./canaries.ts";
import { labelCountOf, type TrainingSet } from "./training-set.ts";

/** Films of one call; they and their results are small beside a step's. */
const canariesAtOnce = 64;

/** Steps after which the lengths of the films' gradients are measured anew. */
const stepsOfANorm = 8;

/** The length of the step of a central difference, as a share of the length of the weights. */
const stepShare = 1e-3;

/**
 * The expected cosine of a film's gradient with what it adds when it is sampled: less than 1
 * where its film is moved. It weighs the steps; the audit's bound holds whatever it is.
 */
const likenessMoved = 0.3;
const likenessStill = 1;

export interface CanaryScorerTools {
  readonly network: CompiledNetwork;
  readonly reader: BatchReader;
  readonly set: TrainingSet;
  readonly plan: TrainingPlan;
  /** As in TrainerJob. */
  readonly classWeights: readonly number[] | null;
}

/**
 * Scores the canaries of a run as an attacker could who sees every step (white box). Of each step it
 * takes the noised sum and, for each canary, the share of the canary's own contribution that the sum
 * seems to hold: the inner product with that contribution over its squared length. The share is about
 * 1 (with noise) where the canary was sampled and about 0 (with the same noise) where it was not,
 * which happens with probability q even if it is in the training data; the score is the sum over the
 * steps of ln(1 - q + q f(x - c) / f(x)), f normal with the spread that the canaries of its kind
 * show. So scores of both kinds are evidence in the same unit, and can be ranked together.
 *
 * The white-box score of Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846, section 6). Of a gradient
 * canary the share is one number of the sum, and the score the most powerful one there is. Of a film
 * the inner product is a central difference of the loss along the noised sum, so that a step costs
 * two inferences for each film.
 *
 * It reads the contributions of all canaries and what the noise already covers, never the coins.
 */
export class CanaryScorer {
  /** [canaries]: so far; higher: more likely in the training data. A checkpoint keeps them. */
  readonly scores: Float64Array;
  readonly #tools: CanaryScorerTools;
  readonly #coordinates: ReadonlyMap<number, number>;
  readonly #films: Uint32Array;
  readonly #norms: Float32Array;
  #steps = 0;
  #pending: { readonly gradient: Float32Array; readonly weights: Float32Array } | null = null;

  /** @param scores of the checkpoint that the run goes on from; null at its beginning */
  constructor(tools: CanaryScorerTools, scores: Float64Array | null) {
    const { set, network } = tools;
    const { seed, count, films } = set.canaries ?? {
      seed: "",
      count: 0,
      films: new Uint32Array(0),
    };
    this.#tools = tools;
    this.#coordinates = canaryCoordinates({ seed, count }, network.parameterCount);
    this.#films = films;
    this.scores = scores ?? new Float64Array(count);
    this.#norms = new Float32Array(films.length);
  }

  /** Takes in one step: its noised mean gradient and the weights at which it was taken. */
  noteStep(gradient: Float32Array, weights: Float32Array): void {
    this.#pending = { gradient, weights: weights.slice() };
  }

  /** Scores the step taken in; call it between steps. */
  async scoreStep(): Promise<void> {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null) return;
    const { plan } = this.#tools;
    const { gradient } = pending;
    const directions = [...this.#coordinates.keys()];
    const ofDirections = Float64Array.from(
      this.#coordinates.values(),
      (coordinate) => ((gradient[coordinate] ?? NaN) * plan.divisor) / plan.recipe.clipping.norm,
    );
    this.#add(directions, ofDirections, 1);
    const likeness = plan.recipe.augmentation ? likenessMoved : likenessStill;
    this.#add(this.#films, await this.#sharesOfFilms(pending), likeness);
    this.#steps += 1;
  }

  /** Adds the evidence of one kind's shares to its canaries' scores. */
  #add(canaries: ArrayLike<number>, shares: Float64Array, likeness: number): void {
    const { mean, variance } = momentsOf(shares);
    if (!(variance > 0)) return;
    shares.forEach((share, at) => {
      const exponent = (likeness * (share - mean) - likeness ** 2 / 2) / variance;
      const canary = canaries[at] ?? 0;
      this.scores[canary] =
        (this.scores[canary] ?? 0) + evidenceOf(exponent, this.#tools.plan.samplingRate);
    });
  }

  /** For each film the share of its own contribution that the sum seems to hold. */
  async #sharesOfFilms(step: {
    readonly gradient: Float32Array;
    readonly weights: Float32Array;
  }): Promise<Float64Array> {
    const { network, reader, set, plan, classWeights } = this.#tools;
    const { firstImage } = set.canaries ?? { firstImage: 0 };
    const labelCount = labelCountOf(set);
    const count = this.#films.length;
    const shares = new Float64Array(count);
    const length = lengthOf(step.gradient);
    if (length === 0) return shares;
    const size = (stepShare * lengthOf(step.weights)) / length;
    const ahead = moved(step.weights, step.gradient, size);
    const behind = moved(step.weights, step.gradient, -size);
    for (let from = 0; from < count; from += canariesAtOnce) {
      const units = Math.min(canariesAtOnce, count - from);
      const first = firstImage + from;
      const images = await reader.readImages(
        Uint32Array.from({ length: units }, (_, index) => first + index),
        null,
      );
      const labels = set.labels.slice(first * labelCount, (first + units) * labelCount);
      if (this.#steps % stepsOfANorm === 0) {
        const batch = { units, views: 1, images, labels };
        const { norms } = await network.clippedSum(step.weights, batch, plan.recipe.clipping);
        this.#norms.set(norms, from);
      }
      const lossesAt = async (weights: Float32Array): Promise<Float64Array> => {
        const logits = await network.infer(weights, images, units);
        return lossesOf(logits, labels, classWeights, labelCount);
      };
      const higher = await lossesAt(ahead);
      const lower = await lossesAt(behind);
      for (let index = 0; index < units; index += 1) {
        const slope = ((higher[index] ?? NaN) - (lower[index] ?? NaN)) / (2 * size);
        const norm = this.#norms[from + index] ?? NaN;
        const share = (slope * plan.divisor) / (clippingFactor(norm, plan) * norm ** 2);
        // A canary whose gradient is not finite adds nothing in training either.
        shares[from + index] = Number.isFinite(share) ? share : 0;
      }
    }
    return shares;
  }
}

/** ln(1 - q + q e^x), without overflow for a large x. */
function evidenceOf(exponent: number, q: number): number {
  return exponent > 0
    ? exponent + Math.log(q + (1 - q) * Math.exp(-exponent))
    : Math.log1p(q * Math.expm1(exponent));
}

/** What a gradient of this length is multiplied by before it enters the sum. */
function clippingFactor(norm: number, { privacy, recipe }: TrainingPlan): number {
  if (privacy === null) return 1;
  const { kind, norm: bound } = recipe.clipping;
  return kind === "automatic" ? bound / (norm + 0.01) : Math.min(1, bound / norm);
}

function momentsOf(values: Float64Array): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / values.length };
}

function lengthOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** weights + size x direction. */
function moved(weights: Float32Array, direction: Float32Array, size: number): Float32Array {
  return weights.map((weight, index) => weight + size * (direction[index] ?? 0));
}

/** The loss of each image as training has it: weighted cross-entropy, the mean over its labels. */
function lossesOf(
  logits: Float32Array,
  labels: Float32Array,
  classWeights: readonly number[] | null,
  labelCount: number,
): Float64Array {
  const losses = new Float64Array(logits.length / labelCount);
  logits.forEach((logit, index) => {
    const truth = labels[index] ?? 0;
    const loss = Math.max(logit, 0) - logit * truth + Math.log1p(Math.exp(-Math.abs(logit)));
    const image = Math.floor(index / labelCount);
    const weight = truth === 1 ? (classWeights?.[index % labelCount] ?? 1) : 1;
    losses[image] = (losses[image] ?? 0) + (weight * loss) / labelCount;
  });
  return losses;
}

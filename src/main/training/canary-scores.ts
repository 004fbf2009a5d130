import type { CompiledNetwork } from "../engine/engine.ts";
import type { BatchReader } from "./batches.ts";
import { labelCount, type TrainingSet } from "./training-set.ts";

/** What a scorer carries from step to step; a checkpoint keeps it. */
export interface CanaryScoreState {
  /** [canaries]: the score of each so far; higher: more likely in the training data. */
  readonly scores: Float64Array;
  /** The sum of the noised gradients since the last scoring. */
  readonly window: Float32Array;
  /** The weights in the middle of the window. */
  readonly middle: Float32Array;
  /** Steps in the window. */
  steps: number;
}

/** Stretches of a run after each of which the canaries are scored. */
const windowsOfARun = 16;

export function createCanaryScoreState(canaries: number, parameters: number): CanaryScoreState {
  return {
    scores: new Float64Array(canaries),
    window: new Float32Array(parameters),
    middle: new Float32Array(parameters),
    steps: 0,
  };
}

/**
 * Scores the canaries of a run as an attacker who sees every step could (white box): the run is cut
 * into windows of steps, and in each a canary's score grows by the inner product of its own clipped
 * gradient, at the weights in the middle of the window, with the sum of the noised gradients of the
 * window (as a central difference of its loss along that sum, which costs two inferences). A canary that took part has added that gradient, or one close to it, about q times the
 * steps; one that did not has not. The idea is the white-box score of Steinke, Nasr and Jagielski
 * 2023 (arXiv 2305.08846, section 6) with the gradient of an input in place of a fixed direction.
 *
 * It reads the films of all canaries and what the noise already covers, never the coins.
 */
export class CanaryScorer {
  readonly state: CanaryScoreState;
  readonly #tools: CanaryScorerTools;
  readonly #windowSteps: number;

  constructor(tools: CanaryScorerTools, state: CanaryScoreState | null) {
    this.#tools = tools;
    this.#windowSteps = Math.max(1, Math.ceil(tools.steps / windowsOfARun));
    const count = tools.set.canaries?.count ?? 0;
    this.state = state ?? createCanaryScoreState(count, tools.network.parameterCount);
  }

  /** Takes in one step: its noised gradient, of whatever scale, and the weights it was taken at. */
  noteStep(noisedGradient: Float32Array, weights: Float32Array): void {
    const { state } = this;
    if (state.steps === Math.floor(this.#windowSteps / 2)) state.middle.set(weights);
    for (let i = 0; i < noisedGradient.length; i += 1) {
      state.window[i] = (state.window[i] ?? 0) + (noisedGradient[i] ?? 0);
    }
    state.steps += 1;
  }

  /** Scores the canaries where a window is full; call it between steps. */
  async scoreIfDue(): Promise<void> {
    if (this.state.steps >= this.#windowSteps) await this.#scoreWindow();
  }

  /** Scores what is left of the last window. */
  async finish(): Promise<Float64Array> {
    const { state } = this;
    // A short last window whose middle was never reached has nothing to be scored at.
    if (state.steps > Math.floor(this.#windowSteps / 2)) await this.#scoreWindow();
    return state.scores;
  }

  async #scoreWindow(): Promise<void> {
    const { state } = this;
    const { network, reader, set, clipping } = this.#tools;
    const { firstImage, count } = set.canaries ?? { firstImage: 0, count: 0 };
    const length = normOf(state.window);
    for (let from = 0; from < count && length > 0; from += canariesAtOnce) {
      const units = Math.min(canariesAtOnce, count - from);
      const numbers = Uint32Array.from({ length: units }, (_, index) => firstImage + from + index);
      const images = await reader.readImages(numbers, null);
      const labels = set.labels.slice(
        (firstImage + from) * labelCount,
        (firstImage + from + units) * labelCount,
      );
      const { norms } = await network.clippedSum(
        state.middle,
        { units, views: 1, images, labels },
        clipping,
      );
      const size = (stepShare * normOf(state.middle)) / length;
      const ahead = moved(state.middle, state.window, size);
      const behind = moved(state.middle, state.window, -size);
      const higher = lossesOf(await network.infer(ahead, images, units), labels);
      const lower = lossesOf(await network.infer(behind, images, units), labels);
      for (let index = 0; index < units; index += 1) {
        const norm = norms[index] ?? NaN;
        const slope = ((higher[index] ?? NaN) - (lower[index] ?? NaN)) / (2 * size);
        const factor =
          clipping.kind === "automatic"
            ? clipping.norm / (norm + 0.01)
            : Math.min(1, clipping.norm / norm);
        const product = slope * factor;
        // A canary whose gradient is not finite counts as zero in training too.
        if (Number.isFinite(product))
          state.scores[from + index] = (state.scores[from + index] ?? 0) + product;
      }
    }
    state.window.fill(0);
    state.steps = 0;
  }
}

/** Canaries of one call; their films and results are small beside a step's. */
const canariesAtOnce = 64;

/** The length of the step of a central difference, as a share of the length of the weights. */
const stepShare = 1e-3;

function normOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** weights + size x direction. */
function moved(weights: Float32Array, direction: Float32Array, size: number): Float32Array {
  return weights.map((weight, index) => weight + size * (direction[index] ?? 0));
}

/** Binary cross-entropy of each image, the mean over its labels. */
function lossesOf(logits: Float32Array, labels: Float32Array): Float64Array {
  const losses = new Float64Array(logits.length / labelCount);
  logits.forEach((logit, index) => {
    const truth = labels[index] ?? 0;
    const loss = Math.max(logit, 0) - logit * truth + Math.log1p(Math.exp(-Math.abs(logit)));
    const image = Math.floor(index / labelCount);
    losses[image] = (losses[image] ?? 0) + loss / labelCount;
  });
  return losses;
}

export interface CanaryScorerTools {
  readonly network: CompiledNetwork;
  readonly reader: BatchReader;
  readonly set: TrainingSet;
  readonly clipping: Parameters<CompiledNetwork["clippedSum"]>[2];
  /** Planned steps of the run. */
  readonly steps: number;
}

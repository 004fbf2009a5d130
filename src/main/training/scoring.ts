import type { CompiledNetwork } from "../engine/engine.ts";
import type { BatchReader } from "./batches.ts";

const imagesAtOnce = 64;

/** The sigmoid: a logit as a probability. */
export function probabilityOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/**
 * Scores images with the released weights, a few at a time.
 *
 * @param images numbers of images in the training set
 * @param onScores called with images [n] and their probabilities [n, labels]
 */
export async function scoreImages(
  network: CompiledNetwork,
  reader: BatchReader,
  weights: Float32Array,
  images: Uint32Array,
  onScores: (images: Uint32Array, scores: Float32Array) => void,
): Promise<void> {
  for (let from = 0; from < images.length; from += imagesAtOnce) {
    const some = images.slice(from, from + imagesAtOnce);
    const pixels = await reader.readImages(some, null);
    const logits = await network.infer(weights, pixels, some.length);
    onScores(some, logits.map(probabilityOf));
  }
}

import { UserError } from "../../shared/errors.ts";
import type { CompileOptions } from "./engine.ts";

/**
 * Images computed at once where the caller does not say: as many as keep a micro-batch's
 * activations near the cache and its peak memory low, and enough for wide matrix products.
 */
export function defaultMicrobatchImages(resolutionPixels: number): number {
  if (resolutionPixels >= 384) return 1;
  if (resolutionPixels >= 192) return 2;
  if (resolutionPixels >= 96) return 4;
  return 16;
}

/**
 * Units computed at once as a function of the images of one unit. Throws UserError ("input") for
 * a micro-batch that is not a positive whole number.
 */
export function unitsAtOnce(options: CompileOptions): (views: number) => number {
  const { microbatch, resolutionPixels } = options;
  if (microbatch === null) {
    const images = defaultMicrobatchImages(resolutionPixels);
    return (views) => Math.max(1, Math.floor(images / views));
  }
  if (!Number.isInteger(microbatch) || microbatch < 1)
    throw new UserError("input", `A micro-batch of ${microbatch} units is not possible.`);
  return () => microbatch;
}
